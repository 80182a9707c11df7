/** The traffic of a model and the history of its aliases. */
import type { components } from "../api/schema";
import type { GuardView } from "./guard";
import { PRODUCTION, type VersionView } from "./models";

export type TrafficView = components["schemas"]["TrafficView"];
export type AliasMoveView = components["schemas"]["AliasMoveView"];

/** Versions that the form shows, besides those in the traffic and in production. */
const SHOWN_VERSIONS = 8;

export interface Share {
  version: number;
  weight: number;
  /** From 0 to 1. */
  share: number;
}

/** The versions with a weight, by number. */
export function sharesOf(versions: Record<string, number>): Share[] {
  const sum = Object.values(versions).reduce((sum, weight) => sum + weight, 0);
  return Object.entries(versions)
    .map(([version, weight]) => ({ version: Number(version), weight, share: weight / sum }))
    .sort((a, b) => a.version - b.version);
}

/** `12.5 %`, without a zero after the point. */
export function formatShare(share: number): string {
  return `${Number((share * 100).toFixed(1))} %`;
}

/** What the form holds for a version: its weight as typed, and whether it gets copies. */
export interface Entry {
  weight: string;
  shadow: boolean;
}

/** The form of a model: its newest versions, and all that serve. With `all` it has every version that has been read. */
export function formOf(versions: VersionView[], traffic: TrafficView, all = false): Map<number, Entry> {
  const used = new Set([...Object.keys(traffic.versions).map(Number), ...traffic.shadow]);
  const shown = versions.filter(
    ({ version, aliases }, at) => all || at < SHOWN_VERSIONS || used.has(version) || aliases.includes(PRODUCTION),
  );
  const numbers = new Set([...shown.map(({ version }) => version), ...used]);
  const entry = (version: number): Entry => ({
    weight: traffic.versions[version]?.toString() ?? "",
    shadow: traffic.shadow.includes(version),
  });
  return new Map([...numbers].sort((a, b) => b - a).map((version) => [version, entry(version)]));
}

/** The request of a form. An empty weight and 0 mean none; the server checks the others. */
export function requestOf(form: Map<number, Entry>): { versions: Record<string, number>; shadow: number[] } {
  const entries = [...form];
  const weights = entries.map(([version, { weight }]) => [String(version), Number(weight.trim() || 0)] as const);
  return {
    versions: Object.fromEntries(weights.filter(([, weight]) => weight !== 0)),
    shadow: entries.filter(([, { shadow }]) => shadow).map(([version]) => version),
  };
}

const REASONS: Record<AliasMoveView["reason"], string> = {
  user: "moved",
  first_version: "first version",
  publication: "published",
  guarded_promotion: "better than the version before",
  rollback: "rolled back",
  automatic_rollback: "rolled back by its guard",
  version_deleted: "version deleted",
  upgrade: "before the history began",
};

/** Why an alias changed. */
export function reasonOf({ reason, to }: AliasMoveView): string {
  return reason === "user" && to === null ? "removed" : REASONS[reason];
}

/** What a guard has counted. */
export function guardText({ requests, failed, slow }: GuardView): string {
  return `watched: ${requests} predictions, ${failed} failed, ${slow} slow`;
}
