import { describe, expect, it } from "vitest";
import {
  formatAlgorithm,
  formatBytes,
  formatDuration,
  formatMetric,
  formatPercent,
  plural,
  shortId,
  title,
} from "./format";

describe("format", () => {
  it("shortens durations to the two units that matter", () => {
    const cases: [number, string][] = [
      [0.1134, "113 ms"],
      [3.14, "3.1 s"],
      [59.6, "1 min"],
      [75.2, "1 min 15 s"],
      [7_384, "2 h 3 min"],
      [7_200, "2 h"],
    ];
    for (const [seconds, text] of cases) expect(formatDuration(seconds)).toBe(text);
  });

  it("writes sizes with decimal units", () => {
    expect([999, 1000, 117_519, 5_300_000].map(formatBytes)).toEqual(["999 B", "1.0 kB", "118 kB", "5.3 MB"]);
  });

  it("writes scores with three decimals and absent ones as a dash", () => {
    expect([0.8206, 12_345.6, undefined, "x"].map(formatMetric)).toEqual(["0.821", "12,346", "–", "–"]);
    expect(formatPercent(0.9542)).toBe("95.4 %");
  });

  it("names things in words", () => {
    expect(plural(1, "row")).toBe("1 row");
    expect(plural(1309, "row")).toBe("1,309 rows");
    expect(formatAlgorithm("svm")).toBe("SVM");
    expect(title("min_samples_leaf")).toBe("Min samples leaf");
    expect(shortId("01a22737-fc51-7e61-80f3-32b22988da75")).toBe("2988da75");
  });
});
