import { useNavigate, useRouter } from "@tanstack/react-router";
import { type MouseEvent, type ReactNode, useCallback, useEffect, useRef, useState } from "react";
import type { JobView } from "../api/queries";
import { formatCount } from "../lib/format";
import type { JobFilter } from "../lib/job-filter";
import { isAdmin } from "../session/session";
import { useSession } from "../session/use-session";
import { Button } from "../ui/button";
import { classes } from "../ui/classes";
import { EmptyState, ErrorState } from "../ui/states";
import { useWindowRows } from "../ui/use-window-rows";
import { useJobChange } from "./job-actions";
import { COLUMNS, JobRow, ROW_HEIGHT } from "./job-row";
import { JobSelection } from "./job-selection";
import { useJobKeys } from "./use-job-keys";
import { useJobList } from "./use-job-list";

interface Props {
  filter: JobFilter;
  /** What to do when there are no jobs at all. */
  empty: ReactNode;
  onClear: () => void;
  onAction: (actionId: string) => void;
  onUpdate: (update: { at: number; stale: boolean }) => void;
}

/** Rows of the first paint, before their number is known. */
const PLACEHOLDERS = 12;

/** The list of jobs: only the shown rows exist, and new jobs do not move them. */
export function JobTable({ filter, empty, onClear, onAction, onUpdate }: Props) {
  const navigate = useNavigate({ from: "/jobs" });
  const router = useRouter();
  const admin = isAdmin(useSession());
  const [selected, setSelected] = useState<ReadonlyMap<string, JobView>>(new Map());
  const [rows, setRows] = useState(PLACEHOLDERS);
  const body = useRef<HTMLTableSectionElement>(null);
  const { from, to } = useWindowRows(body, rows, ROW_HEIGHT);
  const list = useJobList(filter, from, to, selected.size > 0);
  const { count, status, fresh, updatedAt, stale } = list;
  useEffect(() => setRows(status === "loading" ? PLACEHOLDERS : count), [count, status]);
  useEffect(() => onUpdate({ at: updatedAt, stale }), [updatedAt, stale, onUpdate]);

  const select = useCallback((job: JobView, on: boolean) => {
    setSelected((before) => {
      const next = new Map(before);
      if (on) next.set(job.job_id, job);
      else next.delete(job.job_id);
      return next;
    });
  }, []);
  const { mutate } = useJobChange();
  /** Follows a plain link of a row without loading the page again. */
  const follow = (event: MouseEvent) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (!link || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    router.history.push(link.pathname);
  };
  const clear = useCallback(() => setSelected(new Map()), []);
  const shown = Array.from({ length: Math.max(0, to - from) }, (_, at) => list.jobAt(from + at));
  const shownNow = shown.filter((job) => job !== undefined);
  const showFresh = async () => {
    clear();
    await list.showFresh();
    window.scrollTo({ top: 0 });
  };
  const selectShown = () =>
    setSelected((before) => new Map([...before, ...shownNow.map((job) => [job.job_id, job] as const)]));
  useJobKeys({
    count,
    rowHeight: ROW_HEIGHT,
    body,
    toggle: (index) => {
      const job = list.jobAt(index);
      if (admin && job) select(job, !selected.has(job.job_id));
    },
    open: (index) => {
      const job = list.jobAt(index);
      if (job) void navigate({ to: "/jobs/$id", params: { id: job.job_id } });
    },
    clear,
    showFresh: () => fresh.count > 0 && void showFresh(),
    selectAll: () => admin && selectShown(),
  });

  if (status === "failed") return <ErrorState error={list.error} retry={list.retry} />;
  if (status === "empty") return <Empty filtered={Object.keys(filter).length > 0} action={empty} onClear={onClear} />;
  const allShown = shownNow.length > 0 && shownNow.every(({ job_id }) => selected.has(job_id));
  return (
    <>
      <div className="sticky top-2 z-20 flex h-0 justify-center" aria-live="polite">
        {fresh.count > 0 && (
          <Button look="primary" className="appear rounded-full shadow-lg" onClick={() => void showFresh()}>
            {formatCount(fresh.count)}
            {fresh.more && "+"} new
          </Button>
        )}
      </div>
      <div className="card">
        <table className="w-full table-fixed border-collapse" aria-rowcount={rows + 1}>
          <caption className="sr-only">Jobs</caption>
          <thead>
            <tr className="text-left text-xs text-soft" aria-rowindex={1}>
              <th scope="col" className="sticky top-0 z-10 w-10 rounded-tl-lg border-b border-line bg-panel pl-4">
                {admin ? (
                  <input
                    type="checkbox"
                    className="block size-4 accent-accent-fill"
                    aria-label="Select the shown jobs"
                    checked={allShown}
                    onChange={() => (allShown ? clear() : selectShown())}
                  />
                ) : (
                  <span className="sr-only">Selection</span>
                )}
              </th>
              {COLUMNS.map(([name, look]) => (
                <th
                  key={name}
                  scope="col"
                  className={classes(
                    "sticky top-0 z-10 h-9 border-b border-line bg-panel px-3 font-medium last:rounded-tr-lg last:pr-4",
                    look,
                  )}
                >
                  {name === "Actions" ? <span className="sr-only">{name}</span> : name}
                </th>
              ))}
            </tr>
          </thead>
          {/* biome-ignore lint/a11y/useKeyWithClickEvents: Enter clicks a link */}
          <tbody ref={body} aria-busy={status === "loading"} onClick={follow}>
            <Space rows={from} />
            {shown.map((job, at) => (
              <JobRow
                key={job?.job_id ?? `unread-${from + at}`}
                job={job}
                index={from + at}
                selectable={admin}
                selected={job !== undefined && selected.has(job.job_id)}
                onSelect={select}
                onChange={admin ? mutate : undefined}
              />
            ))}
            <Space rows={rows - to} />
          </tbody>
        </table>
      </div>
      {selected.size > 0 && (
        <JobSelection
          filter={filter}
          selected={selected}
          onAction={(id) => {
            clear();
            onAction(id);
          }}
          onClear={clear}
        />
      )}
    </>
  );
}

/** The height of rows that do not exist. React sets it by script, which the Content-Security-Policy allows. */
function Space({ rows }: { rows: number }) {
  if (rows <= 0) return null;
  return (
    <tr>
      <td className="p-0" style={{ height: rows * ROW_HEIGHT }} />
    </tr>
  );
}

function Empty({ filtered, action, onClear }: { filtered: boolean; action: ReactNode; onClear: () => void }) {
  if (filtered) {
    return (
      <EmptyState title="No job matches these filters" action={<Button onClick={onClear}>Clear the filters</Button>}>
        Filters can be combined; a job must match all of them.
      </EmptyState>
    );
  }
  return (
    <EmptyState title="No jobs yet" action={action}>
      A job trains one version of a model, or predicts a dataset. Jobs wait in the queue until a worker is free, and
      appear here at once.
    </EmptyState>
  );
}
