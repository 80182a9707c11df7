/** Schedules: their options in words, and the request that makes one of a job. */
import type { JobView } from "../api/queries";
import type { components } from "../api/schema";
import { maskedWebhook, type TrainingRequest } from "./training";

type Overlap = components["schemas"]["OverlapView"];
type CatchUp = components["schemas"]["CatchUpView"];

/** When a schedule submits its job. */
export interface Times {
  cron: string;
  timezone: string;
  overlap: Overlap;
  catch_up: CatchUp;
}

export const OVERLAP: Record<Overlap, string> = {
  skip: "skip the time",
  replace: "cancel it and begin again",
  allow: "run both",
};

export const CATCH_UP: Record<CatchUp, string> = {
  one: "run once afterwards",
  skip: "leave them out",
  all: "run each afterwards",
};

/** Usual times, for people who do not write cron. */
export const PRESETS: readonly (readonly [string, string])[] = [
  ["0 * * * *", "every hour"],
  ["30 2 * * *", "every night at 02:30"],
  ["0 6 * * 1-5", "on weekdays at 06:00"],
  ["0 3 * * 1", "every Monday at 03:00"],
  ["0 4 1 * *", "on the first of the month at 04:00"],
];

/** The time zones of the browser, the own one first. */
export function timezones(): string[] {
  const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
  return [...new Set([own, "UTC", ...Intl.supportedValuesOf("timeZone")])].filter(Boolean);
}

/**
 * The training request of a job for a schedule, which sets time and dataset version itself. `dropped` says what the server does
 * not show completely and is therefore left out.
 */
export function requestOf({ spec }: JobView): { request: TrainingRequest; dropped: string | null } {
  const { dataset_version: _, run_at: __, webhook_url, ...others } = spec;
  const dropped = maskedWebhook(spec);
  return { request: { ...others, ...(dropped ? {} : { webhook_url }) } as TrainingRequest, dropped };
}
