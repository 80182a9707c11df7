/** The kinds of jobs: a training publishes a version of a model, a prediction predicts the rows of a dataset. */
import type { JobView } from "../api/queries";
import type { components } from "../api/schema";

export type JobKind = components["schemas"]["KindView"];
export type TrainingSpec = components["schemas"]["SpecView"];
export type PredictionSpec = components["schemas"]["PredictionSpecView"];
export type PredictionMetrics = components["schemas"]["PredictionMetricsView"];

export const KINDS: readonly JobKind[] = ["training", "prediction"];

/** The specification of a training; null for a prediction. */
export function trainingSpec({ spec }: JobView): TrainingSpec | null {
  return "columns" in spec ? null : spec;
}

/** The specification of a prediction; null for a training. */
export function predictionSpec({ spec }: JobView): PredictionSpec | null {
  return "columns" in spec ? spec : null;
}

/** What a succeeded prediction has counted; null for every other job. */
export function predictionMetrics({ kind, metrics }: JobView): PredictionMetrics | null {
  return kind === "prediction" && metrics ? (metrics as PredictionMetrics) : null;
}

/** The file name that a response proposes, or else `file`. */
export function proposedName(disposition: string | null, file: string): string {
  return /filename="([^"]+)"/.exec(disposition ?? "")?.[1] ?? file;
}
