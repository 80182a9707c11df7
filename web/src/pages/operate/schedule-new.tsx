import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { api, data } from "../../api/client";
import { operate } from "../../api/operate-queries";
import { fieldsOf, messageOf } from "../../api/problem";
import { type JobView, queries } from "../../api/queries";
import { formatAlgorithm, shortId } from "../../lib/format";
import { type TrainingSpec, trainingSpec } from "../../lib/job-kind";
import { requestOf, type Times, timezones } from "../../lib/schedule";
import { relativeTime } from "../../lib/time";
import { Button, buttonClass } from "../../ui/button";
import { Field } from "../../ui/field";
import { Form, Problem } from "../../ui/form";
import { Select, TextInput } from "../../ui/inputs";
import { Facts, Page, Panel } from "../../ui/page";
import { EmptyState, ErrorState, Loading } from "../../ui/states";
import { toast } from "../../ui/toast";
import { TIMES_FIELDS, TimesFields } from "./schedule-times";

/** Jobs that the form proposes. */
const PROPOSED = 50;

export function NewSchedulePage() {
  const { job: chosen } = useSearch({ from: "/shell/operate/schedules/new" });
  const navigate = useNavigate({ from: "/operate/schedules/new" });
  const recent = useQuery({ ...operate.newest({ kind: "training" }, PROPOSED), refetchInterval: false });
  const id =
    chosen ?? recent.data?.items.find(({ status }) => status === "succeeded")?.job_id ?? recent.data?.items[0]?.job_id;
  const job = useQuery({ ...queries.job(id ?? ""), enabled: id !== undefined, refetchInterval: false });
  const error = recent.error ?? job.error;
  const frame = (content: React.ReactNode) => (
    <Page
      title="New schedule"
      about="The schedule submits a copy of a job at its times, with the newest version of the dataset."
    >
      {content}
    </Page>
  );
  if (error) return frame(<ErrorState error={error} retry={() => void (recent.error ? recent : job).refetch()} />);
  if (recent.data?.items.length === 0 && chosen === undefined) {
    return frame(
      <EmptyState
        title="There is no job to repeat"
        action={
          <Link to="/train" className={buttonClass("primary")}>
            Train a model
          </Link>
        }
      >
        A schedule repeats a job. Train once first, and see that it works.
      </EmptyState>,
    );
  }
  if (!recent.data || !job.data) return frame(<Loading rows={8} />);
  const spec = trainingSpec(job.data);
  if (!spec) {
    return frame(<EmptyState title="This job can't be repeated">A schedule repeats trainings only.</EmptyState>);
  }
  const options = [...new Map([job.data, ...recent.data.items].map((one) => [one.job_id, one])).values()];
  return frame(
    <ScheduleForm
      key={job.data.job_id}
      job={job.data}
      spec={spec}
      jobs={options}
      onJob={(next) => void navigate({ search: { job: next }, replace: true })}
    />,
  );
}

interface FormProps {
  job: JobView;
  spec: TrainingSpec;
  jobs: JobView[];
  onJob: (id: string) => void;
}

function ScheduleForm({ job, spec, jobs, onJob }: FormProps) {
  const navigate = useNavigate();
  const client = useQueryClient();
  const [name, setName] = useState(job.name);
  const [times, setTimes] = useState<Times>(() => ({
    ...{ cron: "30 2 * * *", timezone: timezones()[0] ?? "UTC" },
    ...{ overlap: "skip", catch_up: "one" },
  }));
  const { request, dropped } = requestOf(job);
  const create = useMutation({
    mutationFn: () =>
      data(
        api.POST("/schedules", {
          body: { name, ...times, paused: false, spec: request },
        }),
      ),
    onSuccess: async (schedule) => {
      toast.done(`The schedule ${schedule.name} is active.`);
      await client.invalidateQueries({ queryKey: ["schedules"] });
      await navigate({ to: "/operate/schedules/$id", params: { id: schedule.id } });
    },
  });
  const refused = fieldsOf(create.error);
  const fields = ["name", ...TIMES_FIELDS];
  const others = Object.entries(refused).filter(([field]) => !fields.includes(field));
  const problem = create.error && (Object.keys(refused).length === 0 ? messageOf(create.error) : null);
  return (
    <Form onSubmit={() => create.mutate()}>
      <Panel title="What to train">
        <div className="mb-4 max-w-md">
          <Field label="Copy the job" hint="its specification, with all parameters">
            {(props) => (
              <Select
                {...props}
                options={jobs.map((one) => [one.job_id, nameOf(one)])}
                value={job.job_id}
                onChange={onJob}
              />
            )}
          </Field>
        </div>
        <Facts
          items={[
            ["Model", spec.name],
            ["Algorithm", formatAlgorithm(spec.algorithm)],
            ["Dataset", `${spec.dataset}, newest version`],
            ["Target", spec.target],
            ["Features", spec.features.join(", ")],
          ]}
        />
        {dropped && <p className="mt-4 rounded-md bg-warn-soft px-3 py-2 break-words text-warn">{dropped}</p>}
      </Panel>
      <Panel title="When">
        <div className="grid gap-4 sm:grid-cols-2 lg:grid-cols-3">
          <Field label="Name of the schedule" error={refused.name}>
            {(props) => <TextInput {...props} value={name} onChange={(text) => setName(text.trim())} />}
          </Field>
          <TimesFields
            times={times}
            errors={refused}
            onChange={(changes) => setTimes((before) => ({ ...before, ...changes }))}
          />
        </div>
      </Panel>
      {(problem || others.length > 0) && (
        <Problem>
          {problem}
          {others.map(([field, message]) => (
            <p key={field}>
              {field}: {message}
            </p>
          ))}
        </Problem>
      )}
      <div className="flex justify-end gap-2">
        <Link to="/operate/schedules" className={buttonClass("quiet")}>
          Back
        </Link>
        <Button type="submit" look="primary" busy={create.isPending} disabled={!name || !times.cron.trim()}>
          Create the schedule
        </Button>
      </div>
    </Form>
  );
}

/** A job in one line. */
function nameOf({ job_id, name, status, created_at }: JobView): string {
  return `${name} ${shortId(job_id)}, ${status}, ${relativeTime(created_at, new Date())}`;
}
