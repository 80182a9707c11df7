/**
 * How the earlier guards of a model ended. The API lists active guards only, so this follows from the audit log: it has the
 * start of each guard, each automatic rollback, and each change that ends a guard.
 */
import type { AuditView } from "../api/operate-queries";
import type { GuardRequest } from "./guard";
import { PRODUCTION } from "./models";
import type { AliasMoveView } from "./traffic";

/** A guard that has ended. */
export interface PastGuard {
  /** `production v4`, or `the weights of v3 and v4`. */
  watched: string;
  limits: GuardRequest;
  began: string;
  /** The account that set the guard. */
  by: string | null;
  ended: string;
  /** `passed`: until its end no limit was exceeded. `changed`: a change ended it before. */
  outcome: "passed" | "exceeded" | "changed";
  /** Why it ended before its time. */
  why: string | null;
}

/** The guard of the weights; other guards have the name of their alias. */
const WEIGHTS = "";

/** The reasons of changes that the audit log does not have. */
const PUBLICATIONS = new Set<AliasMoveView["reason"]>(["first_version", "publication", "guarded_promotion"]);

interface Active {
  watched: string;
  limits: GuardRequest;
  began: string;
  by: string | null;
  /** What the guard watches, to recognize the same request without a guard. */
  state: string;
}

/** The fields of `detail` that matter here. */
interface Detail {
  alias?: string | null;
  version?: number;
  versions?: Record<string, number>;
  shadow?: number[];
  guard?: GuardRequest | null;
  weights_deleted?: boolean;
  returned_to?: number | null;
  reason?: string;
  aliases?: string[];
}

interface Change {
  at: string;
  actor: string | null;
  action: string;
  detail: Detail;
}

/** The guards that have ended until `now`, the one that ended last first. `moves` is the history of `production`. */
export function pastGuards(entries: readonly AuditView[], moves: readonly AliasMoveView[], now: Date): PastGuard[] {
  const active = new Map<string, Active>();
  const past: PastGuard[] = [];
  const end = (key: string, at: string, outcome: "exceeded" | "changed", why: string) => {
    const guard = active.get(key);
    if (!guard) return;
    active.delete(key);
    const { watched, limits, began, by } = guard;
    const passed = outcome === "changed" && endOf(guard) <= Date.parse(at);
    past.push({
      ...{ watched, limits, began, by },
      ...(passed
        ? { ended: new Date(endOf(guard)).toISOString(), outcome: "passed", why: null }
        : { ended: at, outcome, why }),
    });
  };
  const begin = (key: string, { at, actor }: Change, watched: string, state: string, limits: GuardRequest) =>
    active.set(key, { watched, limits, began: at, by: actor, state });
  for (const change of changesOf(entries, moves)) apply(change, active, begin, end);
  for (const [key, guard] of [...active]) {
    if (endOf(guard) <= now.getTime()) end(key, now.toISOString(), "changed", "");
  }
  return past.sort((one, other) => Date.parse(other.ended) - Date.parse(one.ended));
}

function endOf({ began, limits }: Active): number {
  return Date.parse(began) + (limits.for_s ?? 600) * 1000;
}

/** The changes of the model, oldest first. Publications by jobs are in the history of the alias only. */
function changesOf(entries: readonly AuditView[], moves: readonly AliasMoveView[]): Change[] {
  const published = moves.filter(({ reason }) => PUBLICATIONS.has(reason));
  const changes = [
    ...entries.map(({ at, actor, action, detail }) => ({ at, actor, action, detail: (detail ?? {}) as Detail })),
    ...published.map(({ moved_at, to }) => ({
      ...{ at: moved_at, actor: null, action: "publication" },
      detail: { alias: PRODUCTION, ...(to === null ? {} : { version: to }) },
    })),
  ];
  return changes.sort((one, other) => Date.parse(one.at) - Date.parse(other.at));
}

function apply(
  change: Change,
  active: ReadonlyMap<string, Active>,
  begin: (key: string, change: Change, watched: string, state: string, limits: GuardRequest) => void,
  end: (key: string, at: string, outcome: "exceeded" | "changed", why: string) => void,
): void {
  const { at, action, detail } = change;
  const alias = detail.alias ?? PRODUCTION;
  const isCancelled = (key: string, state: string) => !detail.guard && active.get(key)?.state === state;
  const changed = (key: string, why: string) => end(key, at, "changed", why);
  if (detail.weights_deleted) changed(WEIGHTS, "the weights were deleted");
  switch (action) {
    case "model.alias": {
      const state = String(detail.version);
      changed(
        alias,
        isCancelled(alias, state)
          ? "cancelled"
          : active.get(alias)?.state === state
            ? "replaced by another guard"
            : `${alias} was moved to v${state}`,
      );
      if (detail.guard) begin(alias, change, `${alias} v${state}`, state, detail.guard);
      break;
    }
    case "publication":
      changed(alias, `a training published v${detail.version}`);
      break;
    case "model.rollback":
      changed(alias, `${alias} was rolled back to v${detail.version}`);
      break;
    case "model.alias_delete":
      changed(alias, `${alias} was removed`);
      break;
    case "model.traffic": {
      const state = JSON.stringify([detail.versions, detail.shadow]);
      changed(WEIGHTS, isCancelled(WEIGHTS, state) ? "cancelled" : "the traffic was changed");
      if (detail.guard) begin(WEIGHTS, change, weightsText(detail.versions ?? {}), state, detail.guard);
      break;
    }
    case "model.traffic_delete":
      changed(WEIGHTS, "the traffic was deleted");
      break;
    case "model.automatic_rollback":
      end(detail.alias ?? WEIGHTS, at, "exceeded", exceededText(detail));
      break;
    case "model.delete_version":
      for (const lost of detail.aliases ?? []) changed(lost, `v${detail.version} was deleted`);
      // The entry does not say whether the version had a weight.
      if (active.get(WEIGHTS)?.state.includes(`"${detail.version}":`))
        changed(WEIGHTS, `v${detail.version} was deleted`);
      break;
    case "model.delete":
      for (const key of [...active.keys()]) changed(key, "the model was deleted");
      break;
  }
}

function weightsText(versions: Record<string, number>): string {
  const names = Object.keys(versions).map((version) => `v${version}`);
  const last = names.pop();
  return `the weights of ${names.length > 0 ? `${names.join(", ")} and ` : ""}${last}`;
}

function exceededText({ alias, reason = "", returned_to }: Detail): string {
  if (returned_to == null) return `${reason}; there was no version to return to, so nothing was changed`;
  const then = alias ? `${alias} returned to v${returned_to}` : `the weights were deleted, so v${returned_to} answers`;
  return `${reason}; ${then}`;
}
