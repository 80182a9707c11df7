import { lazy, Suspense } from "react";
import type { PredictionSpec } from "../lib/job-kind";

export interface PredictDatasetProps {
  /** The model, on its own page. */
  model?: string;
  /** The dataset, on its own page. */
  dataset?: string;
  /** The prediction to submit again. */
  cloned?: PredictionSpec;
  onClose: () => void;
}

// Four pages have the dialog but it is seldom opened, so its code is loaded on demand.
const Dialog = lazy(() =>
  import("./predict-dataset-dialog").then((loaded) => ({ default: loaded.PredictDatasetDialog })),
);

/** Submits a job that predicts every row of a dataset. */
export function PredictDataset(props: PredictDatasetProps) {
  return (
    <Suspense fallback={null}>
      <Dialog {...props} />
    </Suspense>
  );
}
