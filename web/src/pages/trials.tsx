import { useState } from "react";
import {
  formatAlgorithm,
  formatCount,
  formatDuration,
  formatMetricName,
  formatNumber,
  formatPercent,
} from "../lib/format";
import type { Metrics } from "../lib/models";
import { byRank, paramsText, type Search, type Trial } from "../lib/trials";
import { Button } from "../ui/button";
import { Facts } from "../ui/page";
import { type Column, Table } from "../ui/table";

/** Further trials are shown on demand. */
const FEW_TRIALS = 15;

interface Props {
  metrics: Metrics;
  /** Whose trials, where those of several versions are on a page: `v3`. */
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
  metric,
}: Search): [string, string][] {
  const name = formatMetricName(metric);
  const number = (value: number | null | undefined) => (value == null ? "–" : formatNumber(value));
  return [
    ["Finished trials", formatCount(trials)],
    ["Time", `${formatDuration(used_s)} of ${formatDuration(budget_s)}`],
    [`Validation ${name}`, number(score)],
    [
      "Best single model",
      best_single ? `${number(best_single.score)} (${formatAlgorithm(best_single.algorithm)})` : "–",
    ],
    ["Gain of the last quarter", number(last_quarter_gain)],
  ];
}

function columnsOf(search: Search | undefined): Column<Trial>[] {
  return [
    { name: "Trial", cell: ({ trial }) => trial, numeric: true },
    { name: "Algorithm", cell: ({ algorithm }) => formatAlgorithm(algorithm) },
    {
      name: search ? formatMetricName(search.metric) : "Score",
      cell: ({ score }) => (score === null ? "–" : formatNumber(score)),
      numeric: true,
    },
    { name: "Seconds", cell: ({ seconds }) => seconds.toFixed(2), numeric: true },
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
