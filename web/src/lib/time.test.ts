import { describe, expect, it } from "vitest";
import { exactTime, refreshEvery, relativeTime } from "./time";

const NOW = new Date("2026-03-01T12:00:00Z");

describe("relativeTime", () => {
  it("uses the largest whole unit, in the past and in the future", () => {
    const cases: [string, string][] = [
      ["2026-03-01T11:59:58Z", "just now"],
      ["2026-03-01T11:59:30Z", "30 s ago"],
      ["2026-03-01T11:00:01Z", "59 min ago"],
      ["2026-03-01T10:00:00Z", "2 h ago"],
      ["2026-03-01T14:30:00Z", "in 2 h"],
      ["2026-02-20T12:00:00Z", "9 d ago"],
      ["2025-12-24T12:00:00Z", "24 Dec 2025"],
    ];
    for (const [at, text] of cases) expect(relativeTime(at, NOW)).toBe(text);
  });

  it("changes as often as its text does", () => {
    expect(refreshEvery("2026-03-01T11:59:50Z", NOW)).toBe(1_000);
    expect(refreshEvery("2026-03-01T11:30:00Z", NOW)).toBe(20_000);
    expect(refreshEvery("2026-02-01T00:00:00Z", NOW)).toBe(300_000);
  });

  it("has an exact form with seconds and the time zone", () => {
    expect(exactTime("2026-03-01T12:34:56Z")).toMatch(/1 Mar 2026.*:34:56.*(UTC|GMT|[+-]\d)/);
  });
});
