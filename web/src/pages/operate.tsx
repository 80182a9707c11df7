import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, data } from "../api/client";
import { type QueueView, queries } from "../api/queries";
import { formatCount, formatDuration, plural } from "../lib/format";
import { isAdmin, mayRead } from "../session/session";
import { useSession } from "../session/use-session";
import { Badge, type JobStatus, StatusBadge } from "../ui/badge";
import { Button } from "../ui/button";
import { Facts, Page, Panel } from "../ui/page";
import { EmptyState, ErrorState, Loading } from "../ui/states";
import { type Column, Table } from "../ui/table";
import { Time } from "../ui/time";
import { toast } from "../ui/toast";

type Worker = QueueView["workers"][number];

const STATUSES: JobStatus[] = ["queued", "running", "succeeded", "failed", "cancelled"];

const WORKERS: Column<Worker>[] = [
  { name: "Worker", cell: ({ id }) => <span className="font-mono text-xs break-all">{id}</span> },
  { name: "Runs", cell: ({ busy, capacity }) => `${busy} of ${capacity}`, numeric: true },
  { name: "Heartbeat", cell: ({ heartbeat_at }) => <Time at={heartbeat_at} /> },
  { name: "Version", cell: ({ version }) => version, wide: true },
];

export function OperatePage() {
  const state = useSession();
  const queue = useQuery(queries.queue());
  if (queue.isError && !queue.data) {
    return (
      <Page title="Operate">
        <ErrorState error={queue.error} retry={() => void queue.refetch()} />
      </Page>
    );
  }
  if (queue.isPending) {
    return (
      <Page title="Operate">
        <Loading />
      </Page>
    );
  }
  const { paused, depth, oldest_age_s, by_status, depth_by_class, workers } = queue.data;
  const linked = mayRead(state, "training");
  return (
    <Page
      title="Operate"
      heading={
        <>
          Operate
          {paused && <Badge tone="warn">queue paused</Badge>}
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
        <Panel title="Queue">
          <Facts
            items={[
              ["Queued", formatCount(depth)],
              ["Oldest waits for", oldest_age_s === null ? "–" : formatDuration(oldest_age_s)],
              [
                "High, normal, low priority",
                ["high", "normal", "low"].map((name) => depth_by_class[name] ?? 0).join(", "),
              ],
              ["Running", formatCount(by_status.running ?? 0)],
            ]}
          />
        </Panel>
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
        {workers.length === 0 ? (
          <EmptyState title="No worker is active">
            Queued jobs wait until a worker starts: <code>trainyard worker</code>, or <code>trainyard up</code>.
          </EmptyState>
        ) : (
          <Table label={plural(workers.length, "worker")} columns={WORKERS} rows={workers} rowKey={({ id }) => id} />
        )}
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
