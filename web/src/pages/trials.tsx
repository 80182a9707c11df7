import { useState } from "react";
import {
  formatAlgorithm,
  formatCount,
  formatDuration,
  formatMetricName,
  formatNumber,
  formatPercent,
  formatScore,
  metricInSentence,
  plural,
} from "../lib/format";
import type { Metrics } from "../lib/models";
import { byRank, type LoggedTrial, lastQuarter, liveTrials, paramsText, type Search, type Trial } from "../lib/trials";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Facts } from "../ui/page";
import { type Column, Table } from "../ui/table";

/** Further trials are shown on demand. */
const FEW_TRIALS = 15;

interface Props {
  metrics: Metrics;
  /** The version, if the page shows the trials of several versions: `v3`. */
  of?: string;
}

/** The trials of a search over algorithms. */
export function Trials({ metrics, of }: Props) {
  const [all, setAll] = useState(false);
  const { trials = [], search } = metrics;
  const ranked = byRank(trials);
  const shown = all ? ranked : ranked.slice(0, FEW_TRIALS);
  return (
    <div className="space-y-4">
      {search && <Facts items={factsOf(search)} />}
      <Table
        label={of ? `Trials of ${of}` : "Trials"}
        columns={columnsOf(search)}
        rows={shown}
        rowKey={({ trial }) => String(trial)}
      />
      {shown.length < ranked.length && (
        <Button onClick={() => setAll(true)}>Show all {formatCount(ranked.length)} trials</Button>
      )}
    </div>
  );
}

function factsOf({
  trials,
  used_s,
  budget_s,
  score,
  best_single,
  last_quarter_gain,
  predict_us,
  metric,
}: Search): [string, string][] {
  return [
    ["Finished trials", formatCount(trials)],
    ["Time", `${formatDuration(used_s)} of ${formatDuration(budget_s)}`],
    [`Validation ${metricInSentence(metric)}`, formatScore(score)],
    [
      "Best single model",
      best_single ? `${formatScore(best_single.score)} (${formatAlgorithm(best_single.algorithm)})` : "–",
    ],
    ["Gain in the last quarter of the time", lastQuarter(last_quarter_gain)],
    ...(predict_us === undefined
      ? []
      : ([["Prediction of one row", `${formatNumber(Number(predict_us.toPrecision(3)))} µs`]] as [string, string][])),
  ];
}

function columnsOf(search: Search | undefined): Column<Trial>[] {
  return [
    { name: "Trial", cell: ({ trial }) => trial, numeric: true },
    { name: "Algorithm", cell: ({ algorithm }) => formatAlgorithm(algorithm) },
    {
      name: search ? formatMetricName(search.metric) : "Score",
      cell: ({ score }) => formatScore(score),
      numeric: true,
    },
    { name: "Seconds", cell: ({ seconds }) => seconds.toFixed(2), numeric: true, wide: true },
    { name: "Weight", cell: ({ weight }) => (weight > 0 ? formatPercent(weight) : "–"), numeric: true },
    { name: "Rows", cell: ({ rows }) => formatCount(rows), numeric: true, wide: true },
    {
      name: "Parameters",
      cell: ({ params, skipped }) => (
        <span className="text-soft">{skipped ? `Skipped: ${skipped}` : paramsText(params)}</span>
      ),
      wide: true,
    },
  ];
}

/** The newest trials of a search that is running. */
export function LiveTrials({ log }: { log: readonly { message: string }[] }) {
  const { trials, metric, best, chosen } = liveTrials(log);
  if (trials.length === 0) return <p className="text-soft">The first trial has not finished yet.</p>;
  const name = metric ? formatMetricName(metric) : "Score";
  const columns: Column<LoggedTrial>[] = [
    { name: "Trial", cell: ({ trial }) => trial, numeric: true },
    {
      name: "Algorithm",
      cell: ({ trial, algorithm }) => (
        <span className="flex flex-wrap items-center gap-x-2">
          {formatAlgorithm(algorithm)}
          {trial === best?.trial && <Badge tone="good">best</Badge>}
        </span>
      ),
    },
    { name, cell: ({ score }) => formatScore(score), numeric: true },
    { name: "Seconds", cell: ({ seconds }) => seconds.toFixed(2), numeric: true, wide: true },
    { name: "Rows", cell: ({ rows }) => formatCount(rows), numeric: true, wide: true },
    { name: "Parameters", cell: ({ about }) => <span className="text-soft">{about}</span>, wide: true },
  ];
  return (
    <div className="space-y-3">
      <p className="text-soft">
        {plural(trials.length, "trial")} so far.
        {best &&
          best.score !== null &&
          ` The best one has a ${metric ? metricInSentence(metric) : "score"} of ${formatScore(best.score)}${chosen !== null && chosen < best.score ? `, the best ensemble ${formatScore(chosen)}` : ""}.`}
        {trials.length > FEW_TRIALS && ` The newest ${FEW_TRIALS} are shown.`}
      </p>
      <Table
        label="Trials so far"
        columns={columns}
        rows={trials.slice(-FEW_TRIALS).reverse()}
        rowKey={({ trial }) => String(trial)}
      />
    </div>
  );
}
