import { memo } from "react";
import type { JobView } from "../api/queries";
import { formatAlgorithm, formatDuration, formatPercent, plural, shortId } from "../lib/format";
import { predictionMetrics } from "../lib/job-kind";
import { StatusBadge } from "../ui/badge";
import { buttonClass } from "../ui/button";
import { classes } from "../ui/classes";
import { ProgressBar } from "../ui/progress";
import { Time } from "../ui/time";
import { ACTION_NAMES, actionOf } from "./job-actions";

/** Every row has this height in pixels, so that the place of a row follows from its number. */
export const ROW_HEIGHT = 52;

const WIDE = "max-md:hidden";
export const COLUMNS = [
  ["Status", "w-28"],
  ["Job", ""],
  ["Algorithm", `w-40 ${WIDE}`],
  ["Progress", `w-64 ${WIDE}`],
  ["Took", `w-24 text-right ${WIDE}`],
  ["Submitted", "w-24 text-right"],
  ["Actions", `w-24 text-right ${WIDE}`],
] as const;

interface Props {
  job: JobView | undefined;
  /** The number of the row, from 0. */
  index: number;
  selectable: boolean;
  selected: boolean;
  onSelect: (job: JobView, selected: boolean) => void;
  /** Cancels or retries the job; undefined for accounts that may not. */
  onChange: ((job: JobView) => void) | undefined;
}

/** Links of the list are plain, because a row appears with each scroll step; the table follows them. */
const linkTo = (path: string) => `${import.meta.env.BASE_URL}${path}`;
const BUTTON = buttonClass("quiet");

/** One row of the list; a placeholder of the same height while its job is read. */
export const JobRow = memo(function JobRow({ job, index, selectable, selected, onSelect, onChange }: Props) {
  const look = (at: number) => classes("overflow-hidden px-3 last:pr-4", COLUMNS[at]?.[1]);
  if (!job) {
    return (
      <tr className="h-13 border-b border-line">
        <td className="w-10" />
        {COLUMNS.map(([column], at) => (
          <td key={column} className={look(at)}>
            {at < 3 && <span className="block h-2.5 w-2/3 rounded bg-raised" />}
          </td>
        ))}
      </tr>
    );
  }
  const { job_id, name, status } = job;
  const action = actionOf(job);
  return (
    <tr
      data-row={index}
      aria-rowindex={index + 2}
      aria-selected={selectable ? selected : undefined}
      className={classes("h-13 border-b border-line", selected ? "bg-accent-soft" : "hover:bg-raised")}
    >
      <td className="w-10 pl-4">
        {selectable && (
          <input
            type="checkbox"
            className="block size-4 accent-accent-fill"
            aria-label={`Select ${name} ${shortId(job_id)}`}
            checked={selected}
            onChange={(event) => onSelect(job, event.target.checked)}
          />
        )}
      </td>
      <td className={look(0)}>
        <StatusBadge status={status} />
      </td>
      <td className={look(1)}>
        <a href={linkTo(`jobs/${job_id}`)} className="group block min-w-0">
          <span className="block truncate font-medium group-hover:underline" title={name}>
            {name}
          </span>
          <span className="block truncate text-xs text-soft" title={job_id}>
            <span className="font-mono">{shortId(job_id)}</span> · {job.kind === "prediction" && "predicts "}
            {job.spec.dataset}
          </span>
        </a>
      </td>
      <td className={look(2)}>{formatAlgorithm(job.algorithm)}</td>
      <td className={look(3)}>
        <Progress job={job} />
      </td>
      <td className={classes(look(4), "tabular-nums")}>
        {job.duration_s === null ? "–" : formatDuration(job.duration_s)}
      </td>
      <td className={look(5)}>
        <Time at={job.created_at} />
      </td>
      <td className={look(6)}>
        {onChange && action && (
          <button
            type="button"
            className={BUTTON}
            aria-label={`${ACTION_NAMES[action]} ${name} ${shortId(job_id)}`}
            onClick={() => onChange(job)}
          >
            {ACTION_NAMES[action]}
          </button>
        )}
      </td>
    </tr>
  );
});

function Progress({ job }: { job: JobView }) {
  if (job.status === "failed") {
    return (
      <span className="block truncate text-bad" title={job.error?.message}>
        {job.error?.message ?? "failed"}
      </span>
    );
  }
  if (job.status === "succeeded") {
    const predicted = predictionMetrics(job);
    if (predicted) return <>{plural(predicted.rows, "row")} predicted</>;
    if (!job.model) return <>–</>;
    return (
      <a href={linkTo(`models/${job.model.name}`)} className="text-accent hover:underline">
        version {job.model.version}
      </a>
    );
  }
  if (job.status !== "running") return <span className="text-soft">–</span>;
  return (
    <span className="flex items-center gap-2">
      <ProgressBar value={job.progress} label={`Progress of ${job.name}`} thin />
      <span className="text-soft tabular-nums">{formatPercent(job.progress, 0)}</span>
    </span>
  );
}
