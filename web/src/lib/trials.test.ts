import { describe, expect, it } from "vitest";
import { byRank, lastQuarter, liveTrials, paramsText, type Trial } from "./trials";

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

  it("reads the trials of a running search from its log", () => {
    const log = [
      "auto on 1047 rows",
      "trial 1: ridge, 1047 rows, 5 folds, log_loss 0.4612, 0.10 s, best 0.4612, defaults",
      "trial 2: svm, 500 rows, 2 folds, skipped: the time is over, c 2.5",
      "trial 3: svm, 1047 rows, 5 folds, log_loss 9.9000e-4, 1.31 s, best 9.9000e-4, c 2.1 kernel rbf",
      "trial 1: ridge, 1047 rows, 5 folds, log_loss 0.4600, 0.11 s, best 9.0000e-4, defaults",
    ].map((message) => ({ message }));
    const { trials, metric, best, chosen } = liveTrials(log);
    expect([metric, chosen]).toEqual(["log_loss", 0.0009]);
    expect(trials.map(({ trial, score }) => [trial, score])).toEqual([
      [1, 0.46],
      [2, null],
      [3, 0.00099],
    ]);
    expect(best).toMatchObject({ trial: 3, seconds: 1.31, about: "c 2.1 kernel rbf" });
    expect(trials[1]?.about).toBe("skipped: the time is over, c 2.5");
    expect(liveTrials([])).toEqual({ trials: [], metric: null, best: null, chosen: null });
  });

  it("says what the last quarter of the time has gained", () => {
    expect([0.0123, 0, null].map(lastQuarter)).toEqual(["0.0123", "none; more time would hardly help", "–"]);
  });
});
