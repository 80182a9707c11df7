/** Rules about models and versions. */
import type { components } from "../api/schema";
import { formatMetric, formatMetricName, metricInSentence } from "./format";
import type { Search, Trial } from "./trials";

export type ModelView = components["schemas"]["ModelView"];
export type VersionView = components["schemas"]["VersionView"];

/** The alias that predictions use. */
export const PRODUCTION = "production";

/** The metrics of a version that are shown side by side. */
const HEADLINE = ["accuracy", "roc_auc", "f1", "log_loss", "r2", "rmse", "mae"];
const DETAIL = [...HEADLINE, "precision", "recall", "oob_accuracy"];
/** For these metrics a smaller value is better. */
const SMALLER_IS_BETTER = new Set(["log_loss", "rmse", "mae"]);

/** Rows with similar probabilities. */
export interface CalibrationBin {
  mean_probability: number;
  positive_share: number;
  count: number;
}

/** How far probabilities agree with frequencies. */
export interface Reliability {
  brier_score: number;
  expected_calibration_error: number;
  points: CalibrationBin[];
}

export interface Metrics {
  [name: string]: unknown;
  confusion_matrix?: { counts: number[][]; labels: unknown[] };
  feature_importances?: { feature: string; importance: number }[];
  positive_class?: unknown;
  rows?: { train: number; test: number };
  roc_curve?: { fpr: number[]; tpr: number[]; threshold: number[] };
  /** One class against the others. */
  roc_curves?: { class: unknown; roc_auc: number; fpr: number[]; tpr: number[] }[];
  precision_recall_curve?: { recall: number[]; precision: number[]; threshold: number[] };
  calibration?: CalibrationBin[];
  /** Of jobs with `calibration`. */
  reliability?: { method: string; before: Reliability; after: Reliability };
  /** Of jobs with `tune_threshold`. */
  threshold?: { value: number; tuned_for: string };
  /** Of jobs with `cv`. */
  cross_validation?: { folds: number; metrics: Record<string, { mean: number | null; std: number | null }> };
  /** Of jobs with `learning_curve`. */
  learning_curve?: {
    metric: string;
    rows: number[];
    training: (number | null)[];
    held_out: (number | null)[];
  };
  /** Of jobs with `permutation_repeats`. */
  permutation_importances?: {
    metric: string;
    features: { feature: string; mean: number | null; std: number | null }[];
  };
  /** Some held-out rows of a regression. */
  predictions?: { actual: number[]; predicted: number[] };
  warnings?: unknown[];
  /** The decision of a training with a condition for its promotion. */
  promotion?: { promoted: boolean; message: string };
  /** Of the algorithm `auto`; lists leave them out. */
  trials?: Trial[];
  search?: Search;
}

export function metricsOf(value: unknown): Metrics {
  return (value ?? {}) as Metrics;
}

/** The names of the numeric metrics that any of the versions has. */
export function metricNames(versions: Metrics[], names = DETAIL): string[] {
  return names.filter((name) => versions.some((metrics) => typeof metrics[name] === "number"));
}

/** The most important metric of a version, for a table. */
export function headline(metrics: Metrics): { name: string; value: number } | null {
  const name = HEADLINE.find((name) => typeof metrics[name] === "number");
  return name ? { name, value: metrics[name] as number } : null;
}

export function isSmallerBetter(metric: string): boolean {
  return SMALLER_IS_BETTER.has(metric);
}

/** The most important metric of a cross-validation, with its spread: `ROC AUC 0.846 ± 0.021 (5 folds)`. */
export function crossValidated({ cross_validation: validation }: Metrics): string | null {
  if (!validation) return null;
  const name = ["roc_auc", ...HEADLINE].find((name) => typeof validation.metrics[name]?.mean === "number");
  const metric = name === undefined ? undefined : validation.metrics[name];
  if (name === undefined || !metric) return null;
  const spread = metric.std === null ? "" : ` ± ${formatMetric(metric.std)}`;
  return `${formatMetricName(name)} ${formatMetric(metric.mean)}${spread} (${validation.folds} folds)`;
}

/** Mean and standard deviation of a metric over the folds: `0.846 ± 0.021`; null without a cross-validation. */
export function spreadOf(name: string, { cross_validation: validation }: Metrics): string | null {
  const metric = validation?.metrics[name];
  if (typeof metric?.mean !== "number") return null;
  return metric.std === null ? formatMetric(metric.mean) : `${formatMetric(metric.mean)} ± ${formatMetric(metric.std)}`;
}

/** A tuned threshold: `0.383, tuned for F1`. */
export function tunedThreshold({ threshold }: Metrics): string | null {
  return threshold ? `${formatMetric(threshold.value)}, ${tunedFor(threshold)}` : null;
}

/** What a threshold is tuned for: `tuned for F1`. */
export function tunedFor({ tuned_for }: { tuned_for: string }): string {
  return `tuned for ${metricInSentence(tuned_for)}`;
}

/** The index of the best value of a metric; -1 if fewer than two values differ. */
export function bestOf(name: string, versions: Metrics[]): number {
  const values = versions.map((metrics) => metrics[name]);
  const numbers = values.filter((value) => typeof value === "number");
  if (new Set(numbers).size < 2) return -1;
  const best = isSmallerBetter(name) ? Math.min(...numbers) : Math.max(...numbers);
  return values.indexOf(best);
}

/** Models with a production version first; the order is otherwise kept. */
export function productionFirst(models: ModelView[]): ModelView[] {
  const isServed = (model: ModelView) => PRODUCTION in model.aliases;
  return [...models.filter(isServed), ...models.filter((model) => !isServed(model))];
}

/** Whether `version` is older than the served one, so that its promotion is a rollback. */
export function isRollback(version: number, served: number | undefined): boolean {
  return served !== undefined && version < served;
}

/** Names of models and aliases. */
export const NAME = /^[a-z0-9][a-z0-9._-]{0,63}$/;
export const NAME_RULE = "1 to 64 characters: a-z, 0-9, dots, dashes and underscores; a letter or digit first";

/** Why a name can't be a new alias; null if it can. */
export function refuseAlias(alias: string, existing: readonly string[]): string | null {
  if (alias === PRODUCTION) return "promote a version instead: this alias serves all requests that name no version";
  if (existing.includes(alias)) return "exists already; move it instead";
  return NAME.test(alias) ? null : NAME_RULE;
}
