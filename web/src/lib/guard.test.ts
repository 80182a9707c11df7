import { describe, expect, it } from "vitest";
import { formOfGuards, type GuardView, guardSummary, limitsOf, NEW_GUARD, parseGuard, serverErrors } from "./guard";

const VIEW: GuardView = {
  version: 4,
  max_error_rate: 0.07,
  max_p99_ms: 50,
  min_requests: 100,
  ends_at: "2026-08-02T13:10:00Z",
  requests: 200,
  failed: 15,
  slow: 2,
};

const form = (changes: Partial<typeof NEW_GUARD>) => ({ ...NEW_GUARD, enabled: true, ...changes });

describe("the form of a guard", () => {
  it("sends nothing until the guard is wanted", () => {
    expect(parseGuard({ ...NEW_GUARD, minutes: "never" })).toEqual({ guard: null });
  });

  it("sends percent as a share and minutes as seconds, and leaves out an empty limit", () => {
    expect(parseGuard(form({ failed: "7", minutes: "1,5" }))).toEqual({
      guard: { max_error_rate: 0.07, for_s: 90, min_requests: 100 },
    });
    expect(parseGuard(form({ failed: "", p99: "0.5" }))).toEqual({
      guard: { max_p99_ms: 0.5, for_s: 600, min_requests: 100 },
    });
    expect(parseGuard(form({ failed: "0" }))).toMatchObject({ guard: { max_error_rate: 0 } });
  });

  it("names each wrong field", () => {
    const fields = (changes: Partial<typeof NEW_GUARD>) => {
      const parsed = parseGuard(form(changes));
      return "errors" in parsed ? Object.keys(parsed.errors) : [];
    };
    expect(fields({ failed: " " })).toEqual(["failed"]);
    expect(fields({ failed: "100" })).toEqual(["failed"]);
    expect(fields({ failed: "many", p99: "0", minutes: "", least: "1.5" })).toEqual([
      "failed",
      "p99",
      "minutes",
      "least",
    ]);
    expect(fields({ minutes: "10081" })).toEqual(["minutes"]);
    expect(fields({ minutes: "0.001" })).toEqual(["minutes"]);
  });

  it("begins with the limits of the guard that exists", () => {
    expect(formOfGuards([VIEW])).toEqual({ enabled: true, failed: "7", p99: "50", minutes: "10", least: "100" });
    expect(formOfGuards([{ ...VIEW, max_error_rate: null }]).failed).toBe("");
    expect(formOfGuards([])).toEqual(NEW_GUARD);
  });

  it("shows the server's errors at their fields, and the others as sentences", () => {
    const fields = { "guard.for_s": "is too long", guard: "needs a version to return to", version: "is not a version" };
    expect(serverErrors(fields)).toEqual({
      errors: { minutes: "is too long" },
      others: ["The guard needs a version to return to", "version is not a version"],
    });
    const weights = {
      "versions.3": "must be a whole number",
      versions: "must have a sum",
      "shadow[0]": "is listed twice",
    };
    expect(serverErrors(weights).others).toEqual([
      "The weight of v3 must be a whole number",
      "The weights must have a sum",
      "A shadow version is listed twice",
    ]);
  });
});

describe("an active guard", () => {
  it("compares the counts with the limits", () => {
    expect(limitsOf(VIEW)).toEqual([
      { name: "Failed", limit: "at most 7 %", found: "15 (7.5 %)", state: "exceeded" },
      { name: "Slower than 50 ms", limit: "at most 1 %", found: "2 (1 %)", state: "within" },
    ]);
  });

  it("waits for enough predictions, and has only the limits that are set", () => {
    const waiting = limitsOf({ ...VIEW, max_p99_ms: null, requests: 0, failed: 0 });
    expect(waiting).toEqual([{ name: "Failed", limit: "at most 7 %", found: "0 (0 %)", state: "waiting" }]);
  });

  it("has its limits in one line", () => {
    expect(guardSummary({ max_error_rate: 0.005, max_p99_ms: 50, for_s: 60, min_requests: 7 })).toBe(
      "at most 0.5 % failed, 99 % within 50 ms; for 1 min, from 7 predictions on",
    );
    expect(guardSummary({ max_p99_ms: 2.5 })).toBe("99 % within 2.5 ms; for 10 min, from 100 predictions on");
  });
});
