/** The guard of a version: its form, its request, and what it has counted so far. */
import type { components } from "../api/schema";
import { formatCount, formatDuration, formatNumber } from "./format";

export type GuardRequest = components["schemas"]["GuardRequest"];
export type GuardView = components["schemas"]["GuardView"];

/** The form, as typed. */
export interface GuardForm {
  enabled: boolean;
  /** The highest share of failed predictions, in percent. */
  failed: string;
  /** The highest 99th percentile of the duration, in milliseconds. */
  p99: string;
  /** How long the version is watched. */
  minutes: string;
  /** Predictions before a limit counts. */
  least: string;
}
export type GuardField = Exclude<keyof GuardForm, "enabled">;
export type GuardErrors = { [field in GuardField]?: string };

export const NEW_GUARD: GuardForm = { enabled: false, failed: "5", p99: "", minutes: "10", least: "100" };

/** The limit on p99 is exceeded if a larger share of the predictions takes longer. */
const SLOW_SHARE = 0.01;
const MOST_MS = 600_000;
const MOST_MINUTES = 10_080;
const MOST_PREDICTIONS = 1_000_000_000;

/** The fields of the API by field of the form. */
const PATHS: Record<GuardField, string> = {
  failed: "guard.max_error_rate",
  p99: "guard.max_p99_ms",
  minutes: "guard.for_s",
  least: "guard.min_requests",
};

/** A number as typed, also with a comma; null for an empty text, NaN for another one. */
function numberOf(text: string): number | null {
  const trimmed = text.trim();
  return trimmed === "" ? null : Number(trimmed.replace(",", "."));
}

/** The guard of a request, null if the form has none, or what is wrong by field. */
export function parseGuard(form: GuardForm): { guard: GuardRequest | null } | { errors: GuardErrors } {
  if (!form.enabled) return { guard: null };
  const [percent, p99, minutes, least] = [form.failed, form.p99, form.minutes, form.least].map(numberOf);
  const seconds = Math.round((minutes ?? Number.NaN) * 60);
  const errors: GuardErrors = {};
  if (percent == null && p99 == null) errors.failed = "enter a limit here, or for the duration";
  if (percent != null && !(percent >= 0 && percent < 100)) errors.failed = "must be a percentage from 0 to below 100";
  if (p99 != null && !(p99 > 0 && p99 <= MOST_MS)) {
    errors.p99 = `must be a number of milliseconds above 0, and at most ${formatCount(MOST_MS)}`;
  }
  if (!(seconds >= 1 && seconds <= MOST_MINUTES * 60)) {
    errors.minutes = `must be a number of minutes above 0, and at most ${formatCount(MOST_MINUTES)} (a week)`;
  }
  if (least == null || !Number.isInteger(least) || least < 1 || least > MOST_PREDICTIONS) {
    errors.least = `must be a whole number from 1 to ${formatCount(MOST_PREDICTIONS)}`;
  }
  if (least == null || Object.keys(errors).length > 0) return { errors };
  return {
    guard: {
      ...(percent == null ? {} : { max_error_rate: shareOf(percent) }),
      ...(p99 == null ? {} : { max_p99_ms: p99 }),
      for_s: seconds,
      min_requests: least,
    },
  };
}

/** 7 percent is 0.07, and not 0.07000000000000001. */
function shareOf(percent: number): number {
  return Number((percent / 100).toPrecision(12));
}

/** The form for guards that exist. A guard begins again with each change, so the duration is the usual one. */
export function formOfGuards(guards: readonly GuardView[]): GuardForm {
  const [guard] = guards;
  if (!guard) return NEW_GUARD;
  const { max_error_rate, max_p99_ms, min_requests } = guard;
  return {
    ...NEW_GUARD,
    enabled: true,
    failed: max_error_rate === null ? "" : String(Number((max_error_rate * 100).toPrecision(12))),
    p99: max_p99_ms === null ? "" : String(max_p99_ms),
    least: String(min_requests),
  };
}

/** The errors of the server at the fields of the form, and those that belong to no field. */
export function serverErrors(fields: Record<string, string>): { errors: GuardErrors; others: string[] } {
  const errors: GuardErrors = {};
  const others: string[] = [];
  const known = new Map(Object.entries(PATHS).map(([field, path]) => [path, field as GuardField]));
  for (const [path, message] of Object.entries(fields)) {
    const field = known.get(path);
    if (field) errors[field] = message;
    else others.push(`${inWords(path)} ${message}`);
  }
  return { errors, others };
}

/** The fields of promotions and of the traffic as the forms name them. */
function inWords(path: string): string {
  const [, version] = /^versions\.(\d+)$/.exec(path) ?? [];
  if (version) return `The weight of v${version}`;
  if (path.startsWith("shadow[")) return "A shadow version";
  return { guard: "The guard", versions: "The weights", shadow: "The shadow versions" }[path] ?? path;
}

/** A limit, what was found so far, and what follows. */
export interface LimitState {
  name: string;
  limit: string;
  found: string;
  /** `waiting` until there are enough predictions. */
  state: "waiting" | "within" | "exceeded";
}

/** The limits of a guard with their counts. */
export function limitsOf({
  max_error_rate,
  max_p99_ms,
  min_requests,
  requests,
  failed,
  slow,
}: GuardView): LimitState[] {
  const one = (name: string, part: number, most: number): LimitState => {
    const share = requests === 0 ? 0 : part / requests;
    return {
      name,
      limit: `at most ${percentOf(most)}`,
      found: `${formatCount(part)} (${percentOf(share)})`,
      state: requests < min_requests ? "waiting" : share > most ? "exceeded" : "within",
    };
  };
  return [
    ...(max_error_rate === null ? [] : [one("Failed", failed, max_error_rate)]),
    ...(max_p99_ms === null ? [] : [one(`Slower than ${formatNumber(max_p99_ms)} ms`, slow, SLOW_SHARE)]),
  ];
}

/** `0.4 %`, without zeros at the end. */
function percentOf(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

/** The limits of a request in one line. */
export function guardSummary({ max_error_rate, max_p99_ms, for_s = 600, min_requests = 100 }: GuardRequest): string {
  const limits = [
    max_error_rate == null ? null : `at most ${percentOf(max_error_rate)} failed`,
    max_p99_ms == null ? null : `99 % within ${formatNumber(max_p99_ms)} ms`,
  ].filter((limit) => limit !== null);
  return `${limits.join(", ")}; for ${formatDuration(for_s)}, from ${formatCount(min_requests)} predictions on`;
}
