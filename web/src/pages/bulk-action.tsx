import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useEffect } from "react";
import { api, data } from "../api/client";
import { operate } from "../api/operate-queries";
import { messageOf } from "../api/problem";
import { formatCount, formatPercent, plural } from "../lib/format";
import type { BulkAction, JobFilter } from "../lib/job-filter";
import { Button } from "../ui/button";
import { Dialog } from "../ui/dialog";
import { Problem } from "../ui/form";
import { ProgressBar } from "../ui/progress";
import { ErrorState } from "../ui/states";

/** The most jobs of one action. */
const MOST = 100_000;

const WORDS = {
  cancel: { title: "Cancel", now: "Cancelling", done: "Cancelled", which: "queued or running" },
  retry: { title: "Retry", now: "Retrying", done: "Queued again", which: "failed or cancelled" },
} as const;

interface DialogProps {
  action: BulkAction;
  /** The jobs that the action can change, by `narrowed`. */
  filter: JobFilter;
  /** The filters in words; nothing if all jobs match. */
  about?: ReactNode;
  onStarted: (actionId: string) => void;
  onClose: () => void;
}

/** Asks before an action on all jobs that match, with their number at this moment. */
export function BulkDialog({ action, filter, about, onStarted, onClose }: DialogProps) {
  const count = useQuery({ ...operate.count(filter), staleTime: 0, refetchInterval: false });
  const start = useMutation({
    mutationFn: (expect_count: number) =>
      data(api.POST("/training/actions", { body: { action, filter, expect_count } })),
    onSuccess: ({ action_id }) => onStarted(action_id),
    // The number of jobs may have changed since.
    onError: () => void count.refetch(),
  });
  const { title, which } = WORDS[action];
  const number = count.data?.count;
  const tooMany = count.data?.more === true || (number ?? 0) > MOST;
  return (
    <Dialog
      title={number === undefined ? `${title} all jobs that match?` : `${title} ${plural(number, "job")}?`}
      action={title}
      dismiss="Back"
      danger={action === "cancel"}
      busy={start.isPending || count.isFetching}
      disabled={!number || tooMany}
      onAction={() => number && start.mutate(number)}
      onClose={onClose}
    >
      <p>
        {number === 0
          ? `No job that matches is ${which}.`
          : `The server works through all matching jobs that are ${which}. Jobs that are submitted later are not touched.`}
      </p>
      {about}
      {tooMany && <p className="text-bad">More than {formatCount(MOST)} jobs match. Add a filter first.</p>}
      {(start.error ?? count.error) != null && <Problem>{messageOf(start.error ?? count.error)}</Problem>}
    </Dialog>
  );
}

/** Follows an action until its end; also after a reload, because its id is in the URL. */
export function ActionProgress({ id, onClose }: { id: string; onClose: () => void }) {
  const client = useQueryClient();
  const action = useQuery(operate.action(id));
  const status = action.data?.status;
  useEffect(() => {
    if (status === "succeeded") void client.invalidateQueries({ queryKey: ["jobs"] });
  }, [status, client]);
  if (action.isError && !action.data) return <ErrorState error={action.error} />;
  if (!action.data) return <div className="card mb-3 h-[5.25rem]" aria-busy="true" />;
  const { total, processed, changed, skipped, skipped_jobs, error } = action.data;
  const words = WORDS[action.data.action];
  const share = total > 0 ? processed / total : status === "succeeded" ? 1 : 0;
  const reasons = new Map<string, number>();
  for (const { reason } of skipped_jobs) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return (
    <section aria-label="Bulk action" className="card mb-3 p-4">
      <div className="mb-2 flex items-center justify-between gap-3">
        <p role="status" className="font-medium tabular-nums">
          {status === "running"
            ? `${words.now} ${plural(total, "job")}: ${formatCount(processed)} done`
            : status === "failed"
              ? `The action stopped after ${plural(processed, "job")}.`
              : `${words.done}: ${plural(changed, "job")}.${skipped > 0 ? ` Skipped: ${formatCount(skipped)}.` : ""}`}
        </p>
        {status === "running" ? (
          <span className="text-soft tabular-nums">{formatPercent(share, 0)}</span>
        ) : (
          <Button look="quiet" onClick={onClose}>
            Dismiss
          </Button>
        )}
      </div>
      <ProgressBar value={share} label="Progress of the action" />
      {error && (
        <p role="alert" className="mt-2 text-bad">
          {error}
        </p>
      )}
      {reasons.size > 0 && (
        <details className="mt-2 text-soft">
          <summary>Why jobs were skipped</summary>
          <ul className="mt-1 list-disc pl-5">
            {[...reasons].map(([reason, count]) => (
              <li key={reason}>
                {reason}: {plural(count, "job")}
                {skipped > skipped_jobs.length && ` of the first ${formatCount(skipped_jobs.length)}`}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}
