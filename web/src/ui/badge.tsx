import type { ReactNode } from "react";
import { classes } from "./classes";

type Tone = "neutral" | "accent" | "good" | "bad" | "warn" | "busy";

const TONES: Record<Tone, string> = {
  neutral: "bg-raised text-soft",
  accent: "bg-accent-soft text-accent",
  good: "bg-good-soft text-good",
  bad: "bg-bad-soft text-bad",
  warn: "bg-warn-soft text-warn",
  busy: "bg-busy-soft text-busy",
};

export function Badge({ tone = "neutral", children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={classes(
        "inline-flex items-center gap-1 rounded-full px-2 py-px text-xs font-medium whitespace-nowrap",
        TONES[tone],
      )}
    >
      {children}
    </span>
  );
}

export type JobStatus = "queued" | "running" | "succeeded" | "failed" | "cancelled";

const STATUS_TONES: Record<JobStatus, Tone> = {
  queued: "warn",
  running: "busy",
  succeeded: "good",
  failed: "bad",
  cancelled: "neutral",
};

export function StatusBadge({ status }: { status: JobStatus }) {
  return (
    <Badge tone={STATUS_TONES[status]}>
      <span
        className={classes("size-1.5 rounded-full bg-current", status === "running" && "pulse")}
        aria-hidden="true"
      />
      {status}
    </Badge>
  );
}
