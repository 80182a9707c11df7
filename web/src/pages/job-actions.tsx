import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api, data } from "../api/client";
import { isFinal, type JobView } from "../api/queries";
import { shortId } from "../lib/format";
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

/** Cancel an active job, or run an ended one again. */
export function JobActions({ job, plain }: { job: JobView; plain?: boolean }) {
  const admin = isAdmin(useSession());
  const client = useQueryClient();
  const action: BulkAction = isFinal(job.status) ? "retry" : "cancel";
  const change = useMutation({
    mutationFn: () => changeJob(action, job.job_id),
    onSuccess: () => toast.done(action === "cancel" ? `Cancelling ${job.name}.` : `${job.name} is queued again.`),
    onError: toast.failed,
    onSettled: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
  if (!admin || job.status === "succeeded") return null;
  const text = action === "cancel" ? "Cancel" : "Retry";
  return (
    <Button
      look={plain ? "plain" : "quiet"}
      busy={change.isPending}
      aria-label={plain ? undefined : `${text} ${job.name} ${shortId(job.job_id)}`}
      onClick={() => change.mutate()}
    >
      {text}
    </Button>
  );
}
