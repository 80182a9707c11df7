//! Runs a prediction job: continues after the parts that earlier runs have stored, predicts the other rows in a child process,
//! and publishes the result.

mod parts;

use trainyard_domain::{Dataset, FailureCode, Job, LogLevel, Prediction};
use trainyard_telemetry::Span;

pub(crate) use parts::{Parts, PredictionResult};

use crate::active_runs::StopSignal;
use crate::child::{self, Files, Outcome};
use crate::folder::RunFolder;
use crate::job::{self, RunError};
use crate::progress::Progress;
use crate::protocol::{PredictTask, Task};
use crate::sandbox::{DATASET, MODEL};
use crate::worker::Worker;
use crate::{publish, trace};

/// Largest file of a part. Parts end after 64 MiB and the rows that are predicted together.
const MAX_PART_BYTES: u64 = 1 << 30;

/// Predicts the rows of `dataset` and publishes the result.
pub(crate) async fn predict(
    worker: &Worker,
    job: &Job,
    prediction: &Prediction,
    folder: &RunFolder,
    dataset: &Dataset,
    stop: &StopSignal,
    progress: &Progress,
) -> Result<(), RunError> {
    let mut parts = tokio::select! {
        parts = Parts::resume(worker, job, folder) => parts?,
        reason = stop.raised() => return Err(reason.into()),
    };
    let done = parts.rows();
    if parts.count() > 0 {
        progress.log(LogLevel::Info, &format!("continuing after {done} rows that an earlier run has predicted"));
    }
    let task = PredictTask {
        dataset_path: DATASET.into(),
        schema: dataset.schema(),
        rows: u64::try_from(dataset.rows).unwrap_or(0),
        model_path: MODEL.into(),
        columns: prediction.columns,
        part_rows: worker.config.prediction_part_rows,
        first_part: parts.count(),
        done_rows: done,
    };
    let limits = job::limits(worker, job, folder, "prediction", MAX_PART_BYTES);
    let mut span = Span::child_of(trace::trace_parent(job), "job.predict_task");
    let task = Task::Predict(Box::new(task));
    let outcome = child::run(&task, &limits, stop, progress, &span, Files::Parts(&mut parts)).await;
    if let Outcome::Failed(error) | Outcome::Crashed(error) = &outcome {
        span.fail(error.code.as_str());
    }
    drop(span);
    progress.close_log();
    let warnings = match outcome {
        Outcome::Predicted { rows, warnings } if rows == parts.rows() => warnings,
        outcome => return Err(job::run_error(outcome)),
    };
    if parts.count() == 0 {
        return Err(RunError::failed(FailureCode::Internal, "the prediction process wrote no part"));
    }
    progress.log(LogLevel::Info, &format!("publishing the result ({} rows, {} bytes)", parts.rows(), parts.bytes()));
    progress.set_phase("publishing");
    // The log must be complete before the job ends, because clients stop reading then.
    progress.flush().await;
    publish::publish_result(worker, job, &parts.finish(warnings), stop.for_publication()).await
}
