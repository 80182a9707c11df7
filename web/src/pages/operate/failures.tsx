import { useQueries } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { operate } from "../../api/operate-queries";
import type { JobView } from "../../api/queries";
import { formatCount, shortId } from "../../lib/format";
import { FAILURES, type FailureCode, type JobFilter } from "../../lib/job-filter";
import { isAdmin } from "../../session/session";
import { useSession } from "../../session/use-session";
import { Button } from "../../ui/button";
import { Page } from "../../ui/page";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { ActionProgress, BulkDialog } from "../bulk-action";

const CODES = Object.keys(FAILURES) as FailureCode[];
const filterOf = (code: FailureCode): JobFilter => ({ status: "failed", error_code: code });

interface Failure {
  code: FailureCode;
  count: number;
  more: boolean;
  newest: JobView | undefined;
}

/** The failed jobs by their error: what to repair, and then to retry. */
export function FailuresPage() {
  const { action } = useSearch({ from: "/shell/operate/failures" });
  const navigate = useNavigate({ from: "/operate/failures" });
  const admin = isAdmin(useSession());
  const [retried, setRetried] = useState<FailureCode | null>(null);
  const counts = useQueries({ queries: CODES.map((code) => operate.count(filterOf(code))) });
  const found = CODES.filter((_, at) => (counts[at]?.data?.count ?? 0) > 0);
  const newest = useQueries({ queries: found.map((code) => operate.newest(filterOf(code), 1)) });
  const failed = counts.find(({ isError, data }) => isError && !data);
  const rows: Failure[] = found.map((code, at) => {
    const counted = counts[CODES.indexOf(code)]?.data;
    return { code, count: counted?.count ?? 0, more: counted?.more ?? false, newest: newest[at]?.data?.items[0] };
  });
  rows.sort((one, other) => other.count - one.count);
  const columns: Column<Failure>[] = [
    {
      name: "Error",
      cell: ({ code }) => (
        <>
          <span className="block font-medium">{FAILURES[code]}</span>
          <code className="text-xs text-soft">{code}</code>
        </>
      ),
    },
    {
      name: "Jobs",
      cell: ({ code, count, more }) => (
        <Link to="/jobs" search={filterOf(code)} className="font-medium text-accent hover:underline">
          {formatCount(count)}
          {more && "+"}
        </Link>
      ),
      numeric: true,
    },
    { name: "Newest", cell: ({ newest }) => newest && <Newest job={newest} />, wide: true },
    { name: "Failed", cell: ({ newest }) => <Time at={newest?.finished_at} />, wide: true },
    ...(admin
      ? [
          {
            name: "Actions",
            hiddenName: true,
            numeric: true,
            cell: ({ code }: Failure) => (
              <Button aria-label={`Retry all jobs with ${code}`} onClick={() => setRetried(code)}>
                Retry all
              </Button>
            ),
          },
        ]
      : []),
  ];
  return (
    <Page
      title="Failures"
      about="Jobs that failed for good, by their error. Remove the cause, then retry; a retried job has all of its attempts again."
    >
      {action && (
        <ActionProgress key={action} id={action} onClose={() => void navigate({ search: {}, replace: true })} />
      )}
      {failed ? (
        <ErrorState error={failed.error} retry={() => void failed.refetch()} />
      ) : counts.some(({ isPending }) => isPending) ? (
        <Loading rows={5} />
      ) : rows.length === 0 ? (
        <EmptyState title="No failed jobs">
          Jobs whose last attempt failed appear here, together with their error, until they are retried or expire.
        </EmptyState>
      ) : (
        <Table label="Failed jobs by error" columns={columns} rows={rows} rowKey={({ code }) => code} />
      )}
      {retried && (
        <BulkDialog
          action="retry"
          filter={filterOf(retried)}
          about={<p className="text-ink">{FAILURES[retried]}.</p>}
          onStarted={(id) => {
            setRetried(null);
            void navigate({ search: { action: id }, replace: true });
          }}
          onClose={() => setRetried(null)}
        />
      )}
    </Page>
  );
}

function Newest({ job }: { job: JobView }) {
  return (
    <span className="block max-w-md">
      <Link to="/jobs/$id" params={{ id: job.job_id }} className="hover:underline">
        {job.name} <span className="font-mono text-xs text-soft">{shortId(job.job_id)}</span>
      </Link>
      <span className="block truncate text-soft" title={job.error?.message}>
        {job.error?.message}
      </span>
    </span>
  );
}
