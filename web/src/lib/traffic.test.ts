import { describe, expect, it } from "vitest";
import type { VersionView } from "./models";
import {
  type AliasMoveView,
  formatShare,
  formOf,
  guardText,
  reasonOf,
  requestOf,
  sharesOf,
  type TrafficView,
} from "./traffic";

const traffic = (versions: Record<string, number>, shadow: number[]): TrafficView => ({
  name: "m",
  versions,
  shadow,
  guards: [],
  updated_at: null,
});
const version = (number: number, aliases: string[] = []) => ({ version: number, aliases }) as VersionView;

describe("traffic", () => {
  it("has shares in the order of versions", () => {
    const shares = sharesOf({ "10": 1, "3": 7 });
    expect(shares.map(({ version, share }) => [version, formatShare(share)])).toEqual([
      [3, "87.5 %"],
      [10, "12.5 %"],
    ]);
    expect(formatShare(0.9)).toBe("90 %");
    expect(sharesOf({})).toEqual([]);
  });

  it("is edited for the newest versions and those that serve", () => {
    const versions = Array.from({ length: 20 }, (_, at) => version(20 - at, at === 19 ? ["production"] : []));
    const form = formOf(versions, traffic({ "4": 10 }, [5]));
    expect([...form.keys()]).toEqual([20, 19, 18, 17, 16, 15, 14, 13, 5, 4, 1]);
    expect([...formOf(versions, traffic({}, []), true).keys()]).toHaveLength(20);
    expect(form.get(4)).toEqual({ weight: "10", shadow: false });
    expect(form.get(5)).toEqual({ weight: "", shadow: true });
    expect(requestOf(form)).toEqual({ versions: { "4": 10 }, shadow: [5] });
  });

  it("sends what is typed, without empty weights", () => {
    const form = new Map([
      [3, { weight: " 90 ", shadow: false }],
      [2, { weight: "0", shadow: false }],
      [1, { weight: "", shadow: true }],
    ]);
    expect(requestOf(form)).toEqual({ versions: { "3": 90 }, shadow: [1] });
  });
});

describe("history", () => {
  it("says why an alias changed", () => {
    const change = (reason: AliasMoveView["reason"], to: number | null) => ({ reason, to }) as AliasMoveView;
    expect(reasonOf(change("user", 3))).toBe("moved");
    expect(reasonOf(change("user", null))).toBe("removed");
    expect(reasonOf(change("automatic_rollback", 3))).toBe("rolled back by its guard");
  });

  it("says what a guard has counted", () => {
    const guard = { version: 4, max_error_rate: 0.05, max_p99_ms: null, min_requests: 100, ends_at: "" };
    expect(guardText({ ...guard, requests: 7, failed: 1, slow: 0 })).toBe("watched: 7 predictions, 1 failed, 0 slow");
  });
});
