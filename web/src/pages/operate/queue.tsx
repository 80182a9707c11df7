import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, data } from "../../api/client";
import { operate, type QueueView } from "../../api/operate-queries";
import { formatCount, formatDuration } from "../../lib/format";
import { STATUSES } from "../../lib/job-filter";
import { isAdmin, mayRead } from "../../session/session";
import { useSession } from "../../session/use-session";
import { Badge, StatusBadge } from "../../ui/badge";
import { Button } from "../../ui/button";
import { Facts, Page, Panel } from "../../ui/page";
import { QueryPage } from "../../ui/query-page";
import { toast } from "../../ui/toast";
import { History } from "./history";
import { Workers } from "./workers";

export function QueuePage() {
  const queue = useQuery(operate.queue());
  return (
    <QueryPage title="Queue" query={queue} rows={12}>
      {(found) => <Loaded queue={found} />}
    </QueryPage>
  );
}

function Loaded({ queue }: { queue: QueueView }) {
  const state = useSession();
  const { paused, depth, oldest_age_s, by_status, depth_by_class, workers } = queue;
  const linked = mayRead(state, "training");
  return (
    <Page
      title="Queue"
      heading={
        <>
          Queue
          {paused && <Badge tone="warn">paused</Badge>}
        </>
      }
      about="The queue and the workers, live."
      actions={isAdmin(state) && <PauseButton paused={paused} />}
    >
      <div className="space-y-4">
        {paused && (
          <p role="status" className="rounded-md bg-warn-soft px-3 py-2 text-warn">
            The queue is paused: running jobs continue, and no job starts.
          </p>
        )}
        <Panel title="Now">
          <Facts
            items={[
              ["Queued", formatCount(depth)],
              ["Oldest waits for", oldest_age_s === null ? "–" : formatDuration(oldest_age_s)],
              ["Running", formatCount(by_status.running ?? 0)],
              [
                "Queued by priority",
                ["high", "normal", "low"].map((name) => `${formatCount(depth_by_class[name] ?? 0)} ${name}`).join(", "),
              ],
            ]}
          />
        </Panel>
        <History />
        <Panel title="All jobs by status">
          <ul className="flex flex-wrap gap-x-8 gap-y-3">
            {STATUSES.map((status) => (
              <li key={status} className="flex items-center gap-2">
                {linked ? (
                  <Link to="/jobs" search={{ status }}>
                    <StatusBadge status={status} />
                  </Link>
                ) : (
                  <StatusBadge status={status} />
                )}
                <span className="tabular-nums">{formatCount(by_status[status] ?? 0)}</span>
              </li>
            ))}
          </ul>
        </Panel>
        <Workers workers={workers} />
      </div>
    </Page>
  );
}

function PauseButton({ paused }: { paused: boolean }) {
  const client = useQueryClient();
  const change = useMutation({
    mutationFn: () => data(paused ? api.POST("/queue/resume") : api.POST("/queue/pause")),
    onSuccess: () => toast.done(paused ? "The queue is running again." : "The queue is paused."),
    onError: toast.failed,
    onSettled: () => client.invalidateQueries({ queryKey: ["queue"] }),
  });
  return (
    <Button look={paused ? "primary" : "plain"} busy={change.isPending} onClick={() => change.mutate()}>
      {paused ? "Resume the queue" : "Pause the queue"}
    </Button>
  );
}
