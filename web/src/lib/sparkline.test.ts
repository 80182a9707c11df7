import { describe, expect, it } from "vitest";
import { nearest, pathOf, runsOf } from "./sparkline";

const WINDOW = { from: 0, to: 600 };

describe("sparkline", () => {
  it("keeps gaps as gaps", () => {
    const samples = [0, 60, 120, 300, 360].map((at) => ({ at, value: at }));
    const runs = runsOf([...samples, { at: 420, value: null }, { at: 480, value: 1 }], 60, WINDOW);
    expect(runs.map((run) => run.map(({ at }) => at))).toEqual([[0, 60, 120], [300, 360], [480]]);
  });

  it("leaves out what is outside of the window", () => {
    expect(runsOf([{ at: -60, value: 1 }], 60, WINDOW)).toEqual([]);
  });

  it("draws the largest value at the top and time from left to right", () => {
    const run = [
      { at: 0, value: 0 },
      { at: 600, value: 4 },
    ];
    expect(pathOf(run, WINDOW, 4, 100, 20)).toBe("M0 20L100 0");
    // A series of zeros runs along the bottom.
    expect(pathOf([{ at: 300, value: 0 }], WINDOW, 0, 100, 20)).toBe("M50 20L51 20");
  });

  it("finds the nearest sample", () => {
    const samples = [0, 60, 120].map((at) => ({ at, value: at }));
    expect(nearest(samples, 100)?.at).toBe(120);
    expect(nearest([], 100)).toBeUndefined();
  });
});
