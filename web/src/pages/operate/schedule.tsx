import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { operate, type ScheduleRunView, type ScheduleView } from "../../api/operate-queries";
import { formatAlgorithm, plural, shortId } from "../../lib/format";
import { CATCH_UP, OVERLAP } from "../../lib/schedule";
import { exactTime } from "../../lib/time";
import { isAdmin, mayRead } from "../../session/session";
import { useSession } from "../../session/use-session";
import { Badge } from "../../ui/badge";
import { Button, buttonClass } from "../../ui/button";
import { Code } from "../../ui/code";
import { MoreButton } from "../../ui/more";
import { Facts, Page, Panel } from "../../ui/page";
import { QueryPage } from "../../ui/query-page";
import { ErrorState, Loading } from "../../ui/states";
import { type Column, Table } from "../../ui/table";
import { Time } from "../../ui/time";
import { useAccountNames } from "../use-account-names";
import { ScheduleActions } from "./schedule-actions";
import { EditSchedule } from "./schedule-edit";

export function SchedulePage() {
  const { id } = useParams({ from: "/shell/operate/schedules/$id" });
  const schedule = useQuery(operate.schedule(id));
  return (
    <QueryPage
      title="Schedule"
      query={schedule}
      back={
        <Link to="/operate/schedules" className={buttonClass()}>
          All schedules
        </Link>
      }
    >
      {(found) => <Loaded schedule={found} />}
    </QueryPage>
  );
}

function Loaded({ schedule }: { schedule: ScheduleView }) {
  const admin = isAdmin(useSession());
  const navigate = useNavigate();
  const { nameOf } = useAccountNames();
  const [editing, setEditing] = useState(false);
  const { spec, paused, next_runs, last_error } = schedule;
  return (
    <Page
      title={schedule.name}
      heading={
        <>
          {schedule.name}
          {paused && <Badge tone="warn">paused</Badge>}
        </>
      }
      about={
        <>
          <code>{schedule.cron}</code> in {schedule.timezone}
        </>
      }
      actions={
        admin && (
          <>
            <Button onClick={() => setEditing(true)}>Change the times</Button>
            <ScheduleActions schedule={schedule} onDeleted={() => void navigate({ to: "/operate/schedules" })} />
          </>
        )
      }
    >
      <div className="space-y-4">
        {last_error && (
          <p role="status" className="rounded-md bg-bad-soft px-3 py-2 break-words text-bad">
            The last job was refused: {last_error}
          </p>
        )}
        <div className="grid gap-4 lg:grid-cols-[2fr_3fr]">
          <Panel title="Next times">
            {next_runs.length === 0 ? (
              <p className="text-soft">
                {paused ? "None while the schedule is paused." : "The expression has no further time."}
              </p>
            ) : (
              <ol className="space-y-1.5">
                {next_runs.map((at) => (
                  <li key={at} className="flex flex-wrap justify-between gap-x-4 tabular-nums">
                    <span>{exactTime(at)}</span>
                    <span className="text-soft">
                      <Time at={at} bare />
                    </span>
                  </li>
                ))}
              </ol>
            )}
          </Panel>
          <Panel title="What it trains">
            <Facts
              items={[
                ["Model", spec.name],
                ["Algorithm", formatAlgorithm(spec.algorithm)],
                ["Dataset", `${spec.dataset}, newest version`],
                ["Target", spec.target],
                ["If a job still runs", OVERLAP[schedule.overlap]],
                ["Missed times", CATCH_UP[schedule.catch_up]],
                ["Created", <Time key="created" at={schedule.created_at} />],
                ["Created by", nameOf(schedule.created_by)],
                ["Changed", <Time key="changed" at={schedule.updated_at} />],
              ]}
            />
            <details className="mt-4">
              <summary className="text-soft">Specification as JSON</summary>
              <div className="mt-2">
                <Code label="Specification of the jobs" text={JSON.stringify(spec, null, 2)} />
              </div>
            </details>
          </Panel>
        </div>
        <Runs id={schedule.id} />
      </div>
      {editing && <EditSchedule schedule={schedule} onClose={() => setEditing(false)} />}
    </Page>
  );
}

const OUTCOMES = {
  submitted: ["good", "submitted"],
  skipped_overlap: ["neutral", "skipped: a job still ran"],
  skipped_missed: ["warn", "missed"],
  refused: ["bad", "refused"],
} as const;

function Runs({ id }: { id: string }) {
  const linked = mayRead(useSession(), "training");
  const runs = useInfiniteQuery(operate.runs(id));
  if (runs.isPending) return <Loading rows={3} />;
  if (runs.isError && !runs.data) return <ErrorState error={runs.error} retry={() => void runs.refetch()} />;
  const items = runs.data?.pages.flatMap((page) => page.items) ?? [];
  const columns: Column<ScheduleRunView>[] = [
    { name: "Due", cell: ({ due_at }) => <Time at={due_at} /> },
    {
      name: "Outcome",
      cell: ({ outcome, message }) => (
        <>
          <Badge tone={OUTCOMES[outcome][0]}>{OUTCOMES[outcome][1]}</Badge>
          {message && <span className="block text-xs break-words text-soft">{message}</span>}
        </>
      ),
    },
    {
      name: "Job",
      cell: ({ job_id }) =>
        !job_id ? (
          "–"
        ) : linked ? (
          <Link to="/jobs/$id" params={{ id: job_id }} className="font-mono text-xs hover:underline" title={job_id}>
            {shortId(job_id)}
          </Link>
        ) : (
          <span className="font-mono text-xs">{shortId(job_id)}</span>
        ),
    },
  ];
  return (
    <div>
      <h2 className="mb-2 font-semibold">Past times</h2>
      {items.length === 0 ? (
        <p className="card p-4 text-soft">The schedule has not run yet.</p>
      ) : (
        <Table
          label={`Past times: ${plural(items.length, "row")}`}
          columns={columns}
          rows={items}
          rowKey={({ due_at }) => due_at}
        />
      )}
      <MoreButton list={runs} />
    </div>
  );
}
