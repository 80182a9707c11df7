//! The training process: reads one task from its standard input, trains, writes the model to a file and reports on its
//! standard output. Knows neither database nor queue nor object store; ends itself when its worker is gone.

mod threads;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use trainyard_domain::FailureCode;
use trainyard_ml::predict::Predictor;
use trainyard_ml::train::{Observer, TrainError, TrainRequest, Trained, train};

use crate::protocol::{Done, MAX_LINE_BYTES, PANIC_PREFIX, Report, Task};
use crate::sandbox::{self, MissingLayer};

/// Exit status after a task that can't be read.
const BAD_TASK: u8 = 2;
/// Exit status after a panic: that of a Rust program whose main thread panicked.
const PANICKED: u8 = 101;
/// Exit status when the worker is gone.
const ORPHANED: i32 = 3;
/// Progress is reported at most this often within a phase.
const REPORT_EVERY: Duration = Duration::from_millis(100);
/// The smallest step within a phase that is reported.
const REPORT_STEP: f64 = 0.001;

/// Runs one training task to its end: the whole life of a `train-task` process.
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(|panic| log(&format!("{PANIC_PREFIX}{}", panic_message(panic)))));
    // Nothing of the task is read before the process can do no harm with it.
    if let Err(missing) = sandbox::enter() {
        report(&Report::Failed { code: FailureCode::Internal, message: not_confined(&missing) });
        return ExitCode::SUCCESS;
    }
    report(&Report::Started);
    let mut stdin = BufReader::new(io::stdin());
    let mut line = Vec::new();
    let read = stdin.by_ref().take(MAX_LINE_BYTES as u64).read_until(b'\n', &mut line);
    let task: Task = match read.map_err(|error| error.to_string()).and_then(|_| parse(&line)) {
        Ok(task) => task,
        Err(error) => {
            log(&format!("the task can't be read: {error}"));
            return ExitCode::from(BAD_TASK);
        }
    };
    let started = threads::start_waiting(move || end_with_worker(stdin));
    let last = match started.and_then(|()| threads::train_with(move || run(&task))) {
        Ok(Ok(Ok(done))) => Report::Done(done),
        Ok(Ok(Err((code, message)))) | Err((code, message)) => Report::Failed { code, message },
        // The panic hook has logged it.
        Ok(Err(_panic)) => return ExitCode::from(PANICKED),
    };
    report(&last);
    ExitCode::SUCCESS
}

fn not_confined(missing: &[MissingLayer]) -> String {
    let missing: Vec<_> = missing.iter().map(ToString::to_string).collect();
    format!("the training process can't be confined: {}", missing.join("; "))
}

fn parse(line: &[u8]) -> Result<Task, String> {
    serde_json::from_slice(line).map_err(|error| error.to_string())
}

type Failure = (FailureCode, String);

fn run(task: &Task) -> Result<Done, Failure> {
    let csv = File::open(&task.dataset_path).map_err(|error| disk("the data set can't be read", &error))?;
    let request = TrainRequest { spec: task.spec.clone(), dataset_sha256: task.dataset_sha256.clone() };
    let reporter = Reporter::default();
    let trained = train(BufReader::new(csv), &request, &reporter).map_err(failure)?;
    reporter.finish(&trained.metrics);
    check(&trained.artifact, task.max_artifact_bytes)?;
    std::fs::write(&task.artifact_path, &trained.artifact)
        .map_err(|error| disk("the model can't be written to the work folder", &error))?;
    let Trained { artifact, metrics, .. } = trained;
    Ok(Done { metrics, size: artifact.len() as u64, sha256: hex::encode(Sha256::digest(&artifact)) })
}

/// A model is handed over only if it is of a size that will be taken and loads as it will be served.
fn check(artifact: &[u8], max_bytes: u64) -> Result<(), Failure> {
    let size = artifact.len() as u64;
    if size > max_bytes {
        let message =
            format!("the model has {size} bytes, more than the {max_bytes} allowed: use fewer or smaller trees");
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
        // Not reached: this observer never asks for a stop.
        TrainError::Cancelled => (FailureCode::Internal, error.to_string()),
    }
}

fn disk(what: &str, error: &io::Error) -> Failure {
    log(&format!("{what}: {error}"));
    let full = if error.kind() == io::ErrorKind::StorageFull { ": the disk is full" } else { "" };
    (FailureCode::DiskFull, format!("{what}{full}"))
}

/// Tells the worker how training goes, without flooding it.
#[derive(Default)]
struct Reporter {
    last: Mutex<Option<Reached>>,
}

/// Where training was when it was last reported.
struct Reached {
    phase: String,
    fraction: f64,
    at: Instant,
    /// When the phase began.
    since: Instant,
}

impl Reporter {
    /// Tells how long the last phase took and what was measured in the end.
    fn finish(&self, metrics: &serde_json::Value) {
        if let Some(last) = self.last.lock().ok().and_then(|mut last| last.take()) {
            last.tell_duration();
        }
        for (name, value) in metrics.as_object().into_iter().flatten() {
            if let Some(value) = value.as_f64() {
                report(&Report::Metric { name: name.clone(), value, step: None });
            }
        }
    }
}

impl Reached {
    fn tell_duration(&self) {
        report(&Report::Phase { name: self.phase.clone(), seconds: self.since.elapsed().as_secs_f64() });
    }
}

impl Observer for Reporter {
    fn progress(&self, phase: &str, fraction: f64) {
        let Ok(mut last) = self.last.lock() else { return };
        let now = Instant::now();
        let since = match last.as_ref().filter(|last| last.phase == phase) {
            Some(last) if fraction < last.fraction + REPORT_STEP || last.at.elapsed() < REPORT_EVERY => return,
            Some(last) => last.since,
            None => {
                last.iter().for_each(Reached::tell_duration);
                now
            }
        };
        *last = Some(Reached { phase: phase.to_owned(), fraction, at: now, since });
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

    fn cancelled(&self) -> bool {
        // A cancelled run is killed: there is nothing in it worth saving.
        false
    }
}

/// Blocks until the worker closes the pipe, which it does only by dying.
fn end_with_worker(mut stdin: impl Read) {
    let mut scrap = [0; 512];
    while matches!(stdin.read(&mut scrap), Ok(1..)) {}
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
    // Standard error is the worker's copy of the log; if it is gone, so is the reader.
    let _ = writeln!(io::stderr(), "{message}");
}

fn panic_message(panic: &std::panic::PanicHookInfo<'_>) -> String {
    let payload = panic.payload();
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let message = text.unwrap_or("no message").replace('\n', " ");
    match panic.location() {
        Some(place) => format!("{message}\nat {place}"),
        None => message,
    }
}
