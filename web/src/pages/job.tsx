import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { authorized } from "../api/client";
import { errorOf } from "../api/problem";
import { isFinal, type JobView, queries } from "../api/queries";
import { Line } from "../charts/line";
import { downloadBlob } from "../lib/download";
import {
  formatAlgorithm,
  formatBytes,
  formatCount,
  formatDuration,
  formatMetric,
  formatMetricName,
  formatPercent,
  title,
} from "../lib/format";
import { type PredictionMetrics, predictionMetrics, predictionSpec, proposedName, trainingSpec } from "../lib/job-kind";
import { type Metrics, metricNames, metricsOf, spreadOf, tunedFor } from "../lib/models";
import { isAdmin, mayRead } from "../session/session";
import { useSession } from "../session/use-session";
import { Badge, StatusBadge } from "../ui/badge";
import { Button, buttonClass } from "../ui/button";
import { Code, CopyButton } from "../ui/code";
import { Facts, Page, Panel } from "../ui/page";
import { ProgressBar } from "../ui/progress";
import { QueryPage } from "../ui/query-page";
import { Tabs } from "../ui/tabs";
import { Time } from "../ui/time";
import { toast } from "../ui/toast";
import { Warnings } from "../ui/warnings";
import { JobActions } from "./job-actions";
import { JobLog } from "./job-log";
import { MetricCharts } from "./metric-charts";
import { PredictDataset } from "./predict-dataset";
import { LiveTrials, Trials } from "./trials";
import { useAccountNames } from "./use-account-names";
import { type FollowedHistory, useJobHistory } from "./use-job-history";

const TABS = [
  ["overview", "Overview"],
  ["log", "Log"],
  ["metrics", "Metrics"],
  ["spec", "Specification"],
] as const;

export function JobPage() {
  const { id } = useParams({ from: "/shell/jobs/$id" });
  const job = useQuery(queries.job(id));
  return (
    <QueryPage
      title="Job"
      query={job}
      back={
        <Link to="/" className={buttonClass()}>
          Go to the start
        </Link>
      }
    >
      {(found) => <Loaded job={found} />}
    </QueryPage>
  );
}

function Loaded({ job }: { job: JobView }) {
  const { tab = "overview" } = useSearch({ from: "/shell/jobs/$id" });
  const navigate = useNavigate({ from: "/jobs/$id" });
  const admin = isAdmin(useSession());
  const predicted = predictionSpec(job);
  const [cloning, setCloning] = useState(false);
  // A job that was queued again continues its event stream.
  const history = useJobHistory(job.job_id, isFinal(job.status) ? "ended" : "active");
  return (
    <Page
      title={job.name}
      heading={
        <>
          {job.name}
          <StatusBadge status={job.status} />
          {job.kind === "prediction" && <Badge>prediction</Badge>}
        </>
      }
      about={<span className="font-mono text-xs break-all">{job.job_id}</span>}
      actions={
        <>
          {job.result_url && <DownloadResult url={job.result_url} />}
          {job.model && (
            <Link
              to="/models/$name"
              params={{ name: job.model.name }}
              className={buttonClass(job.kind === "training" ? "primary" : "plain")}
            >
              Open version {job.model.version}
            </Link>
          )}
          <JobActions job={job} />
          {admin && predicted && <Button onClick={() => setCloning(true)}>Clone</Button>}
          {admin && job.kind === "training" && (
            <>
              <Link to="/train" search={{ clone: job.job_id }} className={buttonClass()}>
                Clone
              </Link>
              <Link to="/operate/schedules/new" search={{ job: job.job_id }} className={buttonClass()}>
                Schedule
              </Link>
            </>
          )}
        </>
      }
    >
      <Tabs
        label="Parts of the job"
        tabs={job.kind === "training" ? TABS : TABS.filter(([name]) => name !== "metrics")}
        selected={tab}
        onSelect={(next) => void navigate({ search: next === "overview" ? {} : { tab: next }, replace: true })}
      >
        {tab === "overview" && <Overview job={job} history={history} />}
        {tab === "log" && <JobLog history={history} job={job} />}
        {tab === "metrics" && <MetricSeries history={history} job={job} />}
        {tab === "spec" && <Spec job={job} />}
      </Tabs>
      {cloning && predicted && <PredictDataset cloned={predicted} onClose={() => setCloning(false)} />}
    </Page>
  );
}

function Overview({ job, history }: { job: JobView; history: FollowedHistory }) {
  const metrics = metricsOf(job.metrics);
  const [trained, prediction, predicted] = [trainingSpec(job), predictionSpec(job), predictionMetrics(job)];
  const last = history.log.at(-1);
  const { nameOf } = useAccountNames();
  return (
    <div className="space-y-4">
      {!isFinal(job.status) && (
        <Panel title="Progress">
          <Progress job={job} />
          {last && <p className="mt-3 truncate font-mono text-xs text-soft">{last.message}</p>}
        </Panel>
      )}
      {trained && job.algorithm === "auto" && !isFinal(job.status) && job.status !== "queued" && (
        <Panel title="Trials of the search">
          <LiveTrials log={history.log} />
        </Panel>
      )}
      {job.error && (
        <Panel title={job.status === "failed" ? "Why the job failed" : "Last failure"}>
          <p className="text-bad">{job.error.message}</p>
          <p className="mt-1 text-xs text-soft">
            {job.error.code} · {job.error.retryable ? "retried automatically" : "not retried automatically"}
          </p>
          {job.error.log_tail && (
            <div className="mt-3">
              <Code label="End of the log" text={job.error.log_tail} />
            </div>
          )}
        </Panel>
      )}
      <Panel title="Timeline">
        <Timeline job={job} />
      </Panel>
      {predicted && <Predicted metrics={predicted} />}
      {job.metrics && !predicted && (
        <Panel title="Result on the held-out part">
          <div className="space-y-6">
            <Facts items={resultFacts(metrics)} />
            {metrics.promotion && (
              <p>
                <Badge tone={metrics.promotion.promoted ? "good" : "neutral"}>
                  {metrics.promotion.promoted ? "in production" : "not promoted"}
                </Badge>{" "}
                <span className="text-soft">{metrics.promotion.message}</span>
              </p>
            )}
            <MetricCharts results={[{ metrics }]} />
            <Warnings
              texts={(metrics.warnings ?? []).map((warning) =>
                typeof warning === "string" ? warning : JSON.stringify(warning),
              )}
            />
          </div>
        </Panel>
      )}
      {metrics.trials && (
        <Panel title="Trials of the search">
          <Trials metrics={metrics} />
        </Panel>
      )}
      <Panel title="Facts">
        <Facts
          items={[
            ["Algorithm", formatAlgorithm(job.algorithm)],
            ["Dataset", `${job.spec.dataset}${job.spec.dataset_version ? ` v${job.spec.dataset_version}` : ""}`],
            ...(trained ? ([["Target", trained.target]] as [string, string][]) : []),
            ...(prediction ? ([["Columns in the result", prediction.columns]] as [string, string][]) : []),
            ["Attempt", `${job.attempt} of ${job.max_attempts}`],
            ["Priority", job.priority],
            ...(trained ? ([["Seed", String(trained.seed)]] as [string, string][]) : []),
            ["Submitted by", nameOf(job.created_by)],
            ["Worker", job.worker ?? "–"],
            ["Duration", job.duration_s === null ? "–" : formatDuration(job.duration_s)],
            ...(job.spec.webhook_url
              ? ([["Webhook", <Webhook key="webhook" job={job} />]] as [string, ReactNode][])
              : []),
          ]}
        />
      </Panel>
    </div>
  );
}

/** The metrics, each with mean and standard deviation over the folds of a cross-validation, and the tuned threshold. */
function resultFacts(metrics: Metrics): [string, ReactNode][] {
  const folds = metrics.cross_validation?.folds;
  const { threshold } = metrics;
  const fact = (name: string, value: string, about: string | null): [string, ReactNode] => [
    name,
    <span key={name}>
      <span className="text-base font-semibold">{value}</span>
      {about && <span className="block text-xs text-soft">{about}</span>}
    </span>,
  ];
  return [
    ...metricNames([metrics]).map((name) => {
      const spread = spreadOf(name, metrics);
      return fact(formatMetricName(name), formatMetric(metrics[name]), spread && `${spread} in ${folds} folds`);
    }),
    ...(threshold ? [fact("Threshold", formatMetric(threshold.value), tunedFor(threshold))] : []),
  ];
}

/** The URL of the webhook, with a link to its deliveries for accounts that may read them. */
function Webhook({ job }: { job: JobView }) {
  const linked = mayRead(useSession(), "webhooks");
  return (
    <>
      <span className="block break-all">{job.spec.webhook_url}</span>
      {linked && (
        <Link to="/operate/webhooks" search={{ job: job.job_id }} className="text-accent underline">
          deliveries
        </Link>
      )}
    </>
  );
}

function Predicted({ metrics }: { metrics: PredictionMetrics }) {
  return (
    <Panel title="Result">
      <div className="space-y-6">
        <Facts
          items={[
            ["Rows", formatCount(metrics.rows)],
            ["Rows without a prediction", formatCount(metrics.rows_without_prediction)],
            ["Size", formatBytes(metrics.bytes)],
            [
              "SHA-256",
              <code key="sha" className="text-xs break-all">
                {metrics.sha256}
              </code>,
              "wide",
            ],
          ]}
        />
        <Warnings texts={metrics.warnings} />
      </div>
    </Panel>
  );
}

/** Downloads the result of a prediction. A link can't carry the access token. */
function DownloadResult({ url }: { url: string }) {
  const download = useMutation({
    mutationFn: async () => {
      const response = await authorized(new Request(new URL(url, globalThis.location.origin)));
      if (!response.ok) throw await errorOf(response);
      downloadBlob(proposedName(response.headers.get("content-disposition"), "predictions.csv"), await response.blob());
    },
    onError: toast.failed,
  });
  return (
    <Button look="primary" busy={download.isPending} onClick={() => download.mutate()}>
      Download the result
    </Button>
  );
}

function Progress({ job }: { job: JobView }) {
  const queued = job.status === "queued";
  const text = queued
    ? job.queue_position
      ? `number ${job.queue_position} in the queue`
      : "waits in the queue"
    : [job.phase ? title(job.phase) : "running", job.eta_s != null && `about ${formatDuration(job.eta_s)} left`]
        .filter(Boolean)
        .join(" · ");
  return (
    <>
      <div className="mb-2 flex justify-between gap-3">
        <span>{text}</span>
        <span className="tabular-nums">{formatPercent(job.progress, 0)}</span>
      </div>
      <ProgressBar value={job.progress} label="Progress of the job" />
    </>
  );
}

function Timeline({ job }: { job: JobView }) {
  const waits = new Date(job.run_at).getTime() - new Date(job.created_at).getTime() > 1000;
  const steps: [string, string | null | undefined][] = [
    ["Submitted", job.created_at],
    ...(waits ? ([["Due", job.run_at]] as [string, string][]) : []),
    [job.attempt > 1 ? `Attempt ${job.attempt} started` : "Started", job.started_at],
    [isFinal(job.status) ? title(job.status) : "Finished", job.finished_at],
  ];
  return (
    <ol className="flex flex-col gap-3 sm:flex-row sm:gap-0">
      {steps.map(([name, at]) => (
        <li key={name} className="group flex flex-1 items-center gap-2 last:flex-none sm:block">
          <span className="flex items-center sm:mb-1.5" aria-hidden="true">
            <span className={at ? "size-2.5 rounded-full bg-accent" : "size-2.5 rounded-full border border-control"} />
            <span className="h-px flex-1 bg-line group-last:hidden max-sm:hidden" />
          </span>
          <span className="text-xs text-soft">{name}</span>{" "}
          <span className="sm:block">
            <Time at={at} />
          </span>
        </li>
      ))}
    </ol>
  );
}

function MetricSeries({ history, job }: { history: FollowedHistory; job: JobView }) {
  const names = Object.keys(history.metrics);
  if (names.length === 0) {
    return (
      <Panel title="Metrics during training">
        <p className="text-soft">
          {isFinal(job.status)
            ? "This job reported no metrics during training. Its result is in the overview."
            : "Metrics appear here while the job trains, if its algorithm reports any."}
        </p>
      </Panel>
    );
  }
  return (
    <Panel title="Metrics during training">
      <div className="grid gap-6 md:grid-cols-2">
        {names.map((name) => (
          <Line
            key={name}
            label={formatMetricName(name)}
            points={history.metrics[name] ?? []}
            // The scores of trials go up and down; only the best one matters.
            withBest={name.startsWith("trial_")}
          />
        ))}
      </div>
    </Panel>
  );
}

function Spec({ job }: { job: JobView }) {
  const text = JSON.stringify(job.spec, null, 2);
  return (
    <Panel title="Specification" aside={<CopyButton text={text} label="Copy as JSON" />}>
      <Code label="Specification of the job" text={text} />
    </Panel>
  );
}
