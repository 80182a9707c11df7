//! The training process: reads one task from standard input, trains or predicts, writes the model or the parts of the result
//! to files, and reports on standard output. It uses no database, queue or object store, and ends when its worker is gone.

mod checkpoint;
mod predict;
mod signals;
mod threads;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use trainyard_domain::FailureCode;
use trainyard_ml::checkpoint::CheckpointStore;
use trainyard_ml::predict::Predictor;
use trainyard_ml::train::{Observer, TrainError, TrainRequest, Trained, train};

use self::checkpoint::CheckpointFiles;
use self::signals::WorkerSignals;
use crate::protocol::{Done, MAX_LINE_BYTES, PANIC_PREFIX, Report, Task, TrainTask};
use crate::sandbox::{self, MissingLayer};

/// Exit status after an invalid task.
const BAD_TASK: u8 = 2;
/// Exit status after a panic: that of a Rust program whose main thread panicked.
const PANICKED: u8 = 101;
/// Exit status when the worker is gone.
const ORPHANED: i32 = 3;
/// The shortest time between two progress reports of a phase.
const REPORT_EVERY: Duration = Duration::from_millis(100);
/// The smallest reported step of progress in a phase.
const REPORT_STEP: f64 = 0.001;

/// The main function of a `train-task` process.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| log(&format!("{PANIC_PREFIX}{}", panic_message(panic)))));
    // The sandbox comes before the task is read.
    if let Err(missing) = sandbox::enter() {
        report(&Report::Failed { code: FailureCode::Internal, message: sandbox_error(&missing) });
        return ExitCode::SUCCESS;
    }
    report(&Report::Started);
    let mut stdin = BufReader::new(io::stdin());
    let mut line = Vec::new();
    let read = stdin.by_ref().take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut line);
    let task: Task = match read.map_err(|error| error.to_string()).and_then(|_| parse(&line)) {
        Ok(task) => task,
        Err(error) => {
            log(&format!("the task is invalid: {error}"));
            return ExitCode::from(BAD_TASK);
        }
    };
    let signals = Arc::new(WorkerSignals::default());
    let received = Arc::clone(&signals);
    let started = threads::start_waiting(move || end_with_worker(stdin, &received));
    let last = match started.and_then(|()| threads::train_with(move || run(&task, &signals))) {
        Ok(Ok(Ok(last))) => last,
        Ok(Ok(Err((code, message)))) | Err((code, message)) => Report::Failed { code, message },
        // The panic hook has logged it.
        Ok(Err(_panic)) => return ExitCode::from(PANICKED),
    };
    report(&last);
    ExitCode::SUCCESS
}

fn sandbox_error(missing: &[MissingLayer]) -> String {
    let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
    format!("the sandbox of the training process is incomplete: {}", missing.join("; "))
}

fn parse(line: &[u8]) -> Result<Task, String> {
    serde_json::from_slice(line).map_err(|error| error.to_string())
}

type Failure = (FailureCode, String);

fn run(task: &Task, signals: &WorkerSignals) -> Result<Report, Failure> {
    match task {
        Task::Train(task) => train_model(task, signals),
        Task::Predict(task) => predict::run(task, signals),
    }
}

fn train_model(task: &TrainTask, signals: &WorkerSignals) -> Result<Report, Failure> {
    let csv = File::open(&task.dataset_path).map_err(|error| disk("the dataset can't be read", &error))?;
    let request = TrainRequest {
        spec: task.spec.clone(),
        schema: task.schema.clone(),
        dataset_sha256: task.dataset_sha256.clone(),
        memory_limit: (task.memory_mb > 0).then_some(task.memory_mb << 20),
        artifact_limit: Some(task.max_artifact_bytes),
    };
    let checkpoints = task.checkpoints.as_ref().map(|task| CheckpointFiles::new(task, signals));
    let reporter = Reporter { signals: Some(signals), checkpoints, ..Reporter::default() };
    let trained = match train(BufReader::new(csv), &request, &reporter) {
        Err(TrainError::Cancelled) => return Ok(Report::Interrupted),
        trained => trained.map_err(failure)?,
    };
    reporter.finish(&trained.metrics);
    check(&trained.artifact, task.max_artifact_bytes)?;
    reporter.checkpoints.iter().for_each(CheckpointFiles::remove);
    std::fs::write(&task.artifact_path, &trained.artifact)
        .map_err(|error| disk("the model can't be written to the work folder", &error))?;
    let Trained { artifact, metrics, .. } = trained;
    Ok(Report::Done(Done { metrics, size: artifact.len() as u64, sha256: hex::encode(Sha256::digest(&artifact)) }))
}

/// Checks the size of the model, and that it loads as it will be served.
fn check(artifact: &[u8], max_bytes: u64) -> Result<(), Failure> {
    let size = artifact.len() as u64;
    if size > max_bytes {
        let message = format!(
            "the model has {size} bytes, more than the {max_bytes} of worker.max_artifact_bytes; use fewer or smaller trees"
        );
        return Err((FailureCode::BadParams, message));
    }
    Predictor::load(artifact).map(drop).map_err(|error| {
        log(&format!("the model does not load: {error}"));
        (FailureCode::Internal, "the trained model did not pass its self-test".to_owned())
    })
}

fn failure(error: TrainError) -> Failure {
    match error {
        TrainError::Failed { code, message } => (code, message),
        // Not reached: predictions are never interrupted.
        TrainError::Cancelled => (FailureCode::Internal, error.to_string()),
    }
}

fn disk(what: &str, error: &io::Error) -> Failure {
    log(&format!("{what}: {error}"));
    let full = if error.kind() == io::ErrorKind::StorageFull { ": the disk is full" } else { "" };
    (FailureCode::DiskFull, format!("{what}{full}"))
}

/// Sends progress to the worker at a limited rate.
#[derive(Default)]
struct Reporter<'t> {
    last: Mutex<Option<LastProgress>>,
    /// `None` if the worker never interrupts the run.
    signals: Option<&'t WorkerSignals>,
    checkpoints: Option<CheckpointFiles<'t>>,
}

/// The last reported progress.
struct LastProgress {
    phase: String,
    fraction: f64,
    at: Instant,
    /// The start of the phase.
    phase_start: Instant,
}

impl Reporter<'_> {
    /// Reports the duration of the last phase.
    fn end_phase(&self) {
        if let Some(last) = self.last.lock().ok().and_then(|mut last| last.take()) {
            last.report_duration();
        }
    }

    /// Reports the duration of the last phase, and the metrics.
    fn finish(&self, metrics: &serde_json::Value) {
        self.end_phase();
        for (name, value) in metrics.as_object().into_iter().flatten() {
            if let Some(value) = value.as_f64() {
                report(&Report::Metric { name: name.clone(), value, step: None });
            }
        }
    }
}

impl LastProgress {
    fn report_duration(&self) {
        report(&Report::Phase { name: self.phase.clone(), seconds: self.phase_start.elapsed().as_secs_f64() });
    }
}

impl Observer for Reporter<'_> {
    fn progress(&self, phase: &str, fraction: f64) {
        let Ok(mut last) = self.last.lock() else { return };
        let now = Instant::now();
        let phase_start = match last.as_ref().filter(|last| last.phase == phase) {
            Some(last) if fraction < last.fraction + REPORT_STEP || last.at.elapsed() < REPORT_EVERY => return,
            Some(last) => last.phase_start,
            None => {
                last.iter().for_each(LastProgress::report_duration);
                now
            }
        };
        *last = Some(LastProgress { phase: phase.to_owned(), fraction, at: now, phase_start });
        report(&Report::Progress { phase: phase.to_owned(), fraction });
    }

    fn warn(&self, message: &str) {
        report(&Report::Warning { message: message.to_owned() });
    }

    fn note(&self, message: &str) {
        report(&Report::Log { message: message.to_owned() });
    }

    fn metric(&self, name: &str, value: f64, step: u64) {
        report(&Report::Metric { name: name.to_owned(), value, step: Some(step) });
    }

    fn checkpoints(&self) -> Option<&dyn CheckpointStore> {
        self.checkpoints.as_ref().map(|checkpoints| checkpoints as _)
    }

    fn cancelled(&self) -> bool {
        // The worker kills a run that a user has cancelled.
        self.signals.is_some_and(WorkerSignals::is_interrupted)
    }
}

/// Takes the signals of the worker until the pipe is closed, which happens when the worker dies, and ends the process.
fn end_with_worker(mut stdin: impl Read, signals: &WorkerSignals) {
    let mut bytes = [0; 512];
    while let Ok(read @ 1..) = stdin.read(&mut bytes) {
        signals.receive(&bytes[..read]);
    }
    std::process::exit(ORPHANED);
}

fn report(report: &Report) {
    let mut line = serde_json::to_vec(report).unwrap_or_default();
    line.push(b'\n');
    let mut stdout = io::stdout().lock();
    if stdout.write_all(&line).and_then(|()| stdout.flush()).is_err() {
        std::process::exit(ORPHANED);
    }
}

fn log(message: &str) {
    // An error means that the worker, which reads the log, is gone.
    let _ = writeln!(io::stderr(), "{message}");
}

fn panic_message(panic: &std::panic::PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("no message").replace('\n', " ");
    match panic.location() {
        Some(location) => format!("{message}\nat {location}"),
        None => message,
    }
}
