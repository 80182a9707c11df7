import { describe, expect, it } from "vitest";
import type { AuditView } from "../api/operate-queries";
import { pastGuards } from "./guard-history";
import type { AliasMoveView } from "./traffic";

const GUARD = { max_error_rate: 0.05, max_p99_ms: null, for_s: 600, min_requests: 100 };
const at = (minute: number) => new Date(Date.UTC(2026, 7, 2, 12, minute)).toISOString();
const entry = (minute: number, action: string, detail: object, actor: string | null = "ada") =>
  ({ id: String(minute), at: at(minute), actor, action: `model.${action}`, detail }) as unknown as AuditView;
const promoted = (minute: number, version: number, guard: object | null = GUARD) =>
  entry(minute, "alias", { alias: "production", version, guard, weights_deleted: false });
const distributed = (minute: number, versions: Record<string, number>, guard: object | null = GUARD) =>
  entry(minute, "traffic", { versions, shadow: [], guard });
const past = (entries: AuditView[], moves: AliasMoveView[] = [], minute = 59) =>
  pastGuards(entries.toReversed(), moves, new Date(at(minute))).map(({ watched, ended, outcome, why }) => [
    watched,
    ended,
    outcome,
    why,
  ]);

describe("past guards", () => {
  it("passed at their end, also if a change followed later", () => {
    expect(past([promoted(0, 4)])).toEqual([["production v4", at(10), "passed", null]]);
    expect(past([promoted(0, 4), promoted(20, 5, null)])).toEqual([["production v4", at(10), "passed", null]]);
    expect(past([promoted(0, 4)], [], 9)).toEqual([]);
  });

  it("exceeded a limit", () => {
    const rolledBack = (minute: number, alias: string | null, returned_to: number | null) =>
      entry(minute, "automatic_rollback", { alias, version: 4, returned_to, reason: "6 of 100 failed" }, null);
    expect(past([promoted(0, 4), rolledBack(3, "production", 3)])).toEqual([
      ["production v4", at(3), "exceeded", "6 of 100 failed; production returned to v3"],
    ]);
    expect(past([distributed(0, { 3: 90, 4: 10 }), rolledBack(3, null, 3)])).toEqual([
      ["the weights of v3 and v4", at(3), "exceeded", "6 of 100 failed; the weights were deleted, so v3 answers"],
    ]);
    expect(past([promoted(0, 4), rolledBack(3, "production", null)])[0]?.[3]).toContain("no version to return to");
  });

  it("were ended by a change, and say by which one", () => {
    const why = (...entries: AuditView[]) => past(entries, [], 5).map((row) => row[3]);
    expect(why(promoted(0, 4), promoted(1, 4, null))).toEqual(["cancelled"]);
    expect(why(promoted(0, 4), promoted(1, 4))).toEqual(["replaced by another guard"]);
    expect(why(promoted(0, 4), promoted(1, 5, null))).toEqual(["production was moved to v5"]);
    const rollback = entry(1, "rollback", { alias: "production", from: 4, version: 3, weights_deleted: true });
    expect(why(promoted(0, 4), rollback)).toEqual(["production was rolled back to v3"]);
    const weights = distributed(0, { 3: 90, 4: 10 });
    expect(why(weights, distributed(1, { 3: 90, 4: 10 }, null))).toEqual(["cancelled"]);
    expect(why(weights, distributed(1, { 3: 50, 4: 50 }, null))).toEqual(["the traffic was changed"]);
    expect(why(weights, entry(1, "traffic_delete", {}))).toEqual(["the traffic was deleted"]);
    expect(why(weights, rollback)).toEqual(["the weights were deleted"]);
    expect(why(weights, entry(1, "delete_version", { version: 4, aliases: [] }))).toEqual(["v4 was deleted"]);
    expect(why(weights, entry(1, "delete_version", { version: 9, aliases: [] }))).toEqual([]);
    expect(why(promoted(0, 4), weights, entry(1, "delete", { versions: 4 }))).toHaveLength(2);
  });

  it("were ended by a version that a training published", () => {
    const move = { moved_at: at(2), moved_by: null, reason: "guarded_promotion", to: 5, from: 4 } as AliasMoveView;
    expect(past([promoted(0, 4)], [move])).toEqual([["production v4", at(2), "changed", "a training published v5"]]);
  });

  it("of another alias are told apart", () => {
    const candidate = entry(1, "alias", { alias: "candidate", version: 7, guard: GUARD });
    expect(past([promoted(0, 4), candidate, promoted(2, 5, null)], [], 5)).toEqual([
      ["production v4", at(2), "changed", "production was moved to v5"],
    ]);
  });
});
