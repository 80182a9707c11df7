import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data } from "../api/client";
import { isFinal, type JobView } from "../api/queries";
import type { BulkAction } from "../lib/job-filter";
import { isAdmin } from "../session/session";
import { useSession } from "../session/use-session";
import { Button } from "../ui/button";
import { toast } from "../ui/toast";

/** Cancels or retries one job. */
export function changeJob(action: BulkAction, job_id: string) {
  const params = { path: { job_id } };
  return action === "cancel"
    ? data(api.POST("/training/{job_id}/cancel", { params }))
    : data(api.POST("/training/{job_id}/retry", { params }));
}

/** What can be done with a job in its status; null if nothing can. */
export function actionOf({ status }: JobView): BulkAction | null {
  if (status === "succeeded") return null;
  return isFinal(status) ? "retry" : "cancel";
}

export const ACTION_NAMES: Record<BulkAction, string> = { cancel: "Cancel", retry: "Retry" };

/** Cancels an active job, or runs an ended one again. */
export function useJobChange() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: async (job: JobView) => {
      const action = actionOf(job);
      if (action) await changeJob(action, job.job_id);
    },
    onSuccess: (_, job) => toast.done(isFinal(job.status) ? `${job.name} is queued again.` : `Cancelling ${job.name}.`),
    onError: toast.failed,
    onSettled: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
}

/** The button of the page of a job. */
export function JobActions({ job }: { job: JobView }) {
  const admin = isAdmin(useSession());
  const change = useJobChange();
  const action = actionOf(job);
  if (!admin || !action) return null;
  return (
    <Button busy={change.isPending} onClick={() => change.mutate(job)}>
      {ACTION_NAMES[action]}
    </Button>
  );
}
