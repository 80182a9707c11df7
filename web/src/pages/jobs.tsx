import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { api, data } from "../api/client";
import { isFinal, type JobFilter, type JobView, queries } from "../api/queries";
import { formatAlgorithm, formatDuration, formatPercent, shortId } from "../lib/format";
import { isAdmin } from "../session/session";
import { useSession } from "../session/use-session";
import { StatusBadge } from "../ui/badge";
import { Button, buttonClass } from "../ui/button";
import { Page } from "../ui/page";
import { EmptyState, ErrorState, Loading } from "../ui/states";
import { type Column, Pager, Table } from "../ui/table";
import { Time } from "../ui/time";
import { toast } from "../ui/toast";
import { JobFilters } from "./job-filters";

const COLUMNS: Column<JobView>[] = [
  { name: "Status", cell: ({ status }) => <StatusBadge status={status} /> },
  {
    name: "Job",
    cell: ({ job_id, name }) => (
      <Link to="/jobs/$id" params={{ id: job_id }} className="group block min-w-0">
        <span className="font-medium break-all group-hover:underline">{name}</span>
        <span className="font-mono text-xs text-soft max-sm:block sm:ml-2" title={job_id}>
          {shortId(job_id)}
        </span>
      </Link>
    ),
  },
  { name: "Algorithm", cell: ({ algorithm }) => formatAlgorithm(algorithm), wide: true },
  { name: "Dataset", cell: ({ spec }) => spec.dataset, wide: true },
  { name: "Progress", cell: (job) => <Progress job={job} />, wide: true },
  {
    name: "Took",
    cell: ({ duration_s }) => (duration_s === null ? "–" : formatDuration(duration_s)),
    numeric: true,
    wide: true,
  },
  { name: "Submitted", cell: ({ created_at }) => <Time at={created_at} /> },
  { name: "Actions", hiddenName: true, cell: (job) => <JobActions job={job} />, numeric: true, wide: true },
];

function Progress({ job }: { job: JobView }) {
  if (job.status === "failed") {
    return (
      <span className="block max-w-64 truncate text-bad" title={job.error?.message}>
        {job.error?.message ?? "failed"}
      </span>
    );
  }
  if (job.status === "succeeded") {
    if (!job.model) return <>–</>;
    return (
      <Link to="/models/$name" params={{ name: job.model.name }} className="text-accent hover:underline">
        version {job.model.version}
      </Link>
    );
  }
  if (job.status !== "running") return <span className="text-soft">–</span>;
  return (
    <span className="flex items-center gap-2">
      <progress className="sr-only" max={1} value={job.progress} aria-label={`Progress of ${job.name}`} />
      <svg className="h-1.5 w-20" preserveAspectRatio="none" viewBox="0 0 100 6" aria-hidden="true">
        <rect className="fill-raised" width="100" height="6" />
        <rect className="fill-accent" width={job.progress * 100} height="6" />
      </svg>
      <span className="text-soft tabular-nums">{formatPercent(job.progress, 0)}</span>
    </span>
  );
}

/** Cancel an active job, or run an ended one again. */
export function JobActions({ job, plain }: { job: JobView; plain?: boolean }) {
  const admin = isAdmin(useSession());
  const client = useQueryClient();
  const settled = { onError: toast.failed, onSettled: () => client.invalidateQueries({ queryKey: ["jobs"] }) };
  const path = { job_id: job.job_id };
  const cancel = useMutation({
    mutationFn: () => data(api.POST("/training/{job_id}/cancel", { params: { path } })),
    onSuccess: () => toast.done(`Cancelling ${job.name}.`),
    ...settled,
  });
  const retry = useMutation({
    mutationFn: () => data(api.POST("/training/{job_id}/retry", { params: { path } })),
    onSuccess: () => toast.done(`${job.name} is queued again.`),
    ...settled,
  });
  if (!admin) return null;
  const look = plain ? "plain" : "quiet";
  const name = plain
    ? {}
    : { "aria-label": `${isFinal(job.status) ? "Retry" : "Cancel"} ${job.name} ${shortId(job.job_id)}` };
  if (!isFinal(job.status)) {
    return (
      <Button look={look} busy={cancel.isPending} onClick={() => cancel.mutate()} {...name}>
        Cancel
      </Button>
    );
  }
  if (job.status === "succeeded") return null;
  return (
    <Button look={look} busy={retry.isPending} onClick={() => retry.mutate()} {...name}>
      Retry
    </Button>
  );
}

export function JobsPage() {
  const filter: JobFilter = useSearch({ from: "/shell/jobs" });
  const key = JSON.stringify(filter);
  // A new filter begins at its first page.
  return <JobList key={key} filter={filter} />;
}

function JobList({ filter }: { filter: JobFilter }) {
  const navigate = useNavigate({ from: "/jobs" });
  const admin = isAdmin(useSession());
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  const jobs = useQuery(queries.jobs(filter, cursors.at(-1) ?? null));
  const filtered = Object.keys(filter).length > 0;
  const train = admin && (
    <Link to="/train" className={buttonClass("primary")}>
      Train a model
    </Link>
  );
  return (
    <Page title="Jobs" about={<LiveNote updatedAt={jobs.dataUpdatedAt} failed={jobs.isError} />} actions={train}>
      <JobFilters filter={filter} onChange={(next) => void navigate({ search: next, replace: true })} />
      {jobs.isError && !jobs.data ? (
        <ErrorState error={jobs.error} retry={() => void jobs.refetch()} />
      ) : jobs.isPending ? (
        <Loading rows={10} />
      ) : jobs.data.items.length === 0 ? (
        filtered ? (
          <EmptyState
            title="No job matches these filters"
            action={<Button onClick={() => void navigate({ search: {} })}>Clear the filters</Button>}
          >
            Filters can be combined; a job must match all of them.
          </EmptyState>
        ) : (
          <EmptyState title="No jobs yet" action={train}>
            A job trains one version of a model. Jobs wait in the queue until a worker is free, and appear here at once.
          </EmptyState>
        )
      ) : (
        <>
          <Table label="Jobs" columns={COLUMNS} rows={jobs.data.items} rowKey={({ job_id }) => job_id} />
          <Pager
            page={cursors.length}
            hasNext={jobs.data.next_cursor !== null}
            onPage={(page) =>
              setCursors(page < cursors.length ? cursors.slice(0, page) : [...cursors, jobs.data.next_cursor])
            }
          />
        </>
      )}
    </Page>
  );
}

/** Whether the list is live. */
function LiveNote({ updatedAt, failed }: { updatedAt: number; failed: boolean }) {
  const [stale, setStale] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each update starts the time again
  useEffect(() => {
    setStale(false);
    const timer = setTimeout(() => setStale(true), 10_000);
    return () => clearTimeout(timer);
  }, [updatedAt]);
  if (failed || stale) return <>Not up to date.</>;
  return <>Newest first, live.</>;
}
