import { describe, expect, it } from "vitest";
import { columnsOf, levelOf, pairsOf } from "./drift";

describe("drift", () => {
  it("is judged by the usual limits", () => {
    expect([null, 0, 0.1, 0.11, 0.25, 0.26].map(levelOf)).toEqual([null, "none", "none", "minor", "minor", "major"]);
  });

  it("has the shares of both sides by bin", () => {
    const training = [
      { bin: "a", share: 0.4 },
      { bin: "other", share: 0.6 },
    ];
    const recent = [
      { bin: "a", share: 0.1 },
      { bin: "other", share: 0.9 },
    ];
    expect(pairsOf(training, recent)).toEqual([
      { bin: "a", training: 0.4, recent: 0.1 },
      { bin: "other", training: 0.6, recent: 0.9 },
    ]);
  });

  it("lists the predictions before the features", () => {
    const side = { psi: null, rows: 0, training: [], recent: [] };
    const drift = {
      model: "m",
      version: 1,
      window_s: 10,
      rows: 0,
      min_rows: 500,
      features: [
        { feature: "b", ...side },
        { feature: "a", ...side },
      ],
      prediction: { target: "y", ...side },
    };
    expect(columnsOf(drift).map(({ name }) => name)).toEqual(["Predictions of y", "b", "a"]);
  });
});
