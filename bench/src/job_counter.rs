//! Counts the finished jobs of a Trainyard worker from its metrics. The peers' workers count their jobs themselves.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::http::{Connection, request};
use crate::load::pause;
use crate::servers::Progress;

const INTERVAL: Duration = Duration::from_millis(40);
/// Interval until the worker listens.
const RETRY: Duration = Duration::from_millis(5);
const SERIES: &str = "trainyard_jobs_finished_total{";
const SUCCEEDED: &str = "status=\"succeeded\"";

/// Polls the metrics of a worker until it is stopped.
#[derive(Debug)]
pub(crate) struct JobCounter {
    file: PathBuf,
    stop: Arc<AtomicBool>,
    poller: JoinHandle<u64>,
}

impl JobCounter {
    /// Polls the worker that is about to listen on `port`, and writes the counts to `file`.
    ///
    /// # Errors
    /// If the file can't be created.
    pub(crate) fn start(port: u16, file: PathBuf) -> std::io::Result<Self> {
        let (mut out, stop) = (File::create(&file)?, Arc::new(AtomicBool::new(false)));
        let (began, stopped) = (Instant::now(), Arc::clone(&stop));
        let mut write = move |done: u64| writeln!(out, "{done} {:.1}", began.elapsed().as_secs_f64() * 1000.0);
        write(0)?;
        let poller = std::thread::spawn(move || {
            let (mut connection, mut last) = (None, 0);
            while !stopped.load(Ordering::Relaxed) {
                match poll(&mut connection, port) {
                    Some(done) => {
                        last = done;
                        // A file that can't be written shows no progress, which ends the measurement.
                        let _ = write(done);
                        pause(INTERVAL);
                    }
                    None => pause(RETRY),
                }
            }
            last
        });
        Ok(Self { file, stop, poller })
    }

    /// The counts so far.
    pub(crate) fn progress(&self) -> Progress {
        Progress(self.file.clone())
    }

    /// Stops polling and returns the last count.
    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.poller.join().unwrap_or(0)
    }
}

fn poll(connection: &mut Option<Connection>, port: u16) -> Option<u64> {
    if connection.is_none() {
        *connection = Connection::open(port).ok();
    }
    let answer = connection.as_mut()?.call(&request("GET", "/metrics", "", ""));
    let Ok((200, body)) = answer else {
        *connection = None;
        return None;
    };
    parse_count(std::str::from_utf8(body).ok()?)
}

/// The succeeded jobs of all algorithms; `None` if there is no such series yet.
fn parse_count(metrics: &str) -> Option<u64> {
    let series = metrics.lines().filter(|line| line.starts_with(SERIES) && line.contains(SUCCEEDED));
    series.map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok()).reduce(|sum, next| Some(sum? + next?))?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_succeeded_jobs_are_counted() {
        let text = "# TYPE trainyard_jobs_finished_total counter\n\
                    trainyard_jobs_finished_total{algorithm=\"svm\",status=\"failed\"} 3\n\
                    trainyard_jobs_finished_total{algorithm=\"svm\",status=\"succeeded\"} 42\n\
                    trainyard_jobs_finished_total{algorithm=\"random_forest\",status=\"succeeded\"} 7\n";
        assert_eq!(parse_count(text), Some(49));
        assert_eq!(parse_count(""), None);
    }
}
