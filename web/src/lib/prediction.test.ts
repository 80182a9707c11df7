import { describe, expect, it } from "vitest";
import { readPrediction } from "./prediction";

describe("readPrediction", () => {
  it("finds the prediction under the name of the target or beside the known fields", () => {
    const answer = { prob: 0.9, survived: true, model: "m", version: 2, explanation: null };
    expect(readPrediction(answer, "survived").label).toBe("true");
    expect(readPrediction({ prediction: "a", model: "m", version: 2 }, "model").label).toBe("m");
  });

  it("has the threshold of the answer, or the default", () => {
    const answer = { prob: 0.4, survived: true, model: "m", version: 2 };
    expect(readPrediction(answer, "survived").threshold).toBe(0.5);
    const tuned = readPrediction({ ...answer, threshold: 0.31 }, "other");
    expect([tuned.threshold, tuned.label]).toEqual([0.31, "true"]);
  });

  it("sorts contributions by their size, whatever their sign", () => {
    const explanation = { scale: "log_odds", value: 1, baseline: -0.5, contributions: { a: 0.5, b: -2, c: 1 } };
    const read = readPrediction({ y: 1, explanation }, "y").explanation;
    expect(read?.contributions.map(({ name }) => name)).toEqual(["b", "c", "a"]);
    expect(read?.baseline).toBe(-0.5);
    expect(readPrediction({ y: 1 }, "y").explanation).toBeNull();
  });
});
