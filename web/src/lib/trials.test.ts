import { describe, expect, it } from "vitest";
import { byRank, paramsText, type Trial } from "./trials";

const trial = (number: number, score: number | null, weight = 0): Trial => ({
  trial: number,
  algorithm: "svm",
  params: {},
  rows: 100,
  folds: 5,
  score,
  seconds: 0.1,
  weight,
});

describe("trials", () => {
  it("lists members first, then by score, and skipped trials last", () => {
    const trials = [
      trial(1, 0.5),
      trial(2, null),
      trial(3, 0.6, 0.25),
      trial(4, 0.4, 0.75),
      trial(5, 0.45),
      trial(6, 0.5),
    ];
    expect(byRank(trials).map(({ trial }) => trial)).toEqual([4, 3, 5, 1, 6, 2]);
  });

  it("names the parameters that differ from the defaults", () => {
    expect(paramsText({ alpha: 0.5, kernel: "rbf" })).toBe("alpha 0.5, kernel rbf");
    expect(paramsText({})).toBe("defaults");
  });
});
