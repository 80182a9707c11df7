import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { operate, type ScheduleView } from "../../api/operate-queries";
import { isAdmin, mayRead } from "../../session/session";
import { useSession } from "../../session/use-session";
import { Badge } from "../../ui/badge";
import { buttonClass } from "../../ui/button";
import { MoreButton } from "../../ui/more";
import { Page } from "../../ui/page";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { NextTimes, ScheduleActions } from "./schedule-actions";

export function SchedulesPage() {
  const state = useSession();
  const admin = isAdmin(state);
  const linked = mayRead(state, "training");
  const schedules = useInfiniteQuery(operate.schedules());
  const items = schedules.data?.pages.flatMap((page) => page.items) ?? [];
  const create = admin && (
    <Link to="/operate/schedules/new" className={buttonClass("primary")}>
      New schedule
    </Link>
  );
  const columns: Column<ScheduleView>[] = [
    {
      name: "Schedule",
      cell: ({ id, name, spec, last_error }) => (
        <>
          <Link to="/operate/schedules/$id" params={{ id }} className="font-medium break-all hover:underline">
            {name}
          </Link>
          <span className="block text-xs break-all text-soft">trains {spec.name}</span>
          {last_error && (
            <span className="block max-w-64 truncate text-xs text-bad" title={last_error}>
              {last_error}
            </span>
          )}
        </>
      ),
    },
    {
      name: "Times",
      cell: ({ cron, timezone }) => (
        <>
          <code className="text-xs whitespace-nowrap">{cron}</code>
          <span className="block text-xs text-soft">{timezone}</span>
        </>
      ),
      wide: true,
    },
    {
      name: "Next",
      cell: ({ paused, next_runs }) => (paused ? <Badge tone="warn">paused</Badge> : <NextTimes times={next_runs} />),
    },
    {
      name: "Last job",
      cell: ({ last_run_at, last_job_id }) =>
        linked && last_job_id ? (
          <Link to="/jobs/$id" params={{ id: last_job_id }} className="hover:underline">
            <Time at={last_run_at} />
          </Link>
        ) : (
          <Time at={last_run_at} />
        ),
      wide: true,
    },
    {
      name: "Actions",
      hiddenName: true,
      numeric: true,
      cell: (schedule) => admin && <ScheduleActions schedule={schedule} />,
      wide: true,
    },
  ];
  return (
    <Page title="Schedules" about="Training jobs that are submitted again and again." actions={create}>
      {schedules.isError && items.length === 0 ? (
        <ErrorState error={schedules.error} retry={() => void schedules.refetch()} />
      ) : schedules.isPending ? (
        <Loading />
      ) : items.length === 0 ? (
        <EmptyState title="No schedules yet" action={create}>
          A schedule submits a training job at its times, for example each night with the newest version of a dataset.
          {admin && " Begin with a job that works: its specification is copied."}
        </EmptyState>
      ) : (
        <>
          <Table label="Schedules" columns={columns} rows={items} rowKey={({ id }) => id} />
          <MoreButton list={schedules} />
        </>
      )}
    </Page>
  );
}
