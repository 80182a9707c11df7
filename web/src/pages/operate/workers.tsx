import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { operate, type QueueView } from "../../api/operate-queries";
import type { JobView } from "../../api/queries";
import { formatPercent, plural } from "../../lib/format";
import { mayRead } from "../../session/session";
import { useSession } from "../../session/use-session";
import { EmptyState } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";

type Worker = QueueView["workers"][number];

/** The most jobs of one page of a list. */
const MOST = 100;

/** The active workers, and what each of them runs. */
export function Workers({ workers }: { workers: Worker[] }) {
  const linked = mayRead(useSession(), "training");
  const running = useQuery({ ...operate.newest({ status: "running" }, MOST), enabled: linked });
  if (workers.length === 0) {
    return (
      <EmptyState title="No worker is active">
        Queued jobs wait until a worker starts: <code>trainyard worker</code>, or <code>trainyard up</code>.
      </EmptyState>
    );
  }
  const jobs = running.data?.items ?? [];
  const columns: Column<Worker>[] = [
    { name: "Worker", cell: ({ id }) => <span className="font-mono text-xs break-all">{id}</span> },
    { name: "Busy", cell: ({ busy, capacity }) => `${busy} of ${capacity}`, numeric: true },
    ...(linked
      ? [
          {
            name: "Runs",
            cell: (worker: Worker) => <Runs jobs={jobs.filter((job) => job.worker === worker.id)} busy={worker.busy} />,
          },
        ]
      : []),
    { name: "Heartbeat", cell: ({ heartbeat_at }) => <Time at={heartbeat_at} />, wide: true },
    { name: "Version", cell: ({ version }) => version, wide: true },
  ];
  return (
    <div>
      <h2 className="mb-2 font-semibold">{plural(workers.length, "worker")}</h2>
      <Table label="Workers" columns={columns} rows={workers} rowKey={({ id }) => id} />
    </div>
  );
}

function Runs({ jobs, busy }: { jobs: JobView[]; busy: number }) {
  if (jobs.length === 0) return <span className="text-soft">{busy > 0 ? plural(busy, "job") : "idle"}</span>;
  return (
    <ul className="space-y-0.5">
      {jobs.map((job) => (
        <li key={job.job_id} className="flex flex-wrap items-baseline gap-x-2">
          <Link to="/jobs/$id" params={{ id: job.job_id }} className="font-medium break-all hover:underline">
            {job.name}
          </Link>
          <span className="text-soft tabular-nums">
            {formatPercent(job.progress, 0)} · <Time at={job.started_at} />
          </span>
        </li>
      ))}
    </ul>
  );
}
