//! How many jobs a worker of ours has done, as it tells itself: as the peers do, whose workers count too.

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

const EVERY: Duration = Duration::from_millis(40);
/// Until the worker listens.
const RETRY: Duration = Duration::from_millis(5);
const SERIES: &str = "trainyard_jobs_finished_total{algorithm=\"noop\",status=\"succeeded\"}";

/// Asks a worker's metrics many times a second, from its start on, until it is stopped.
#[derive(Debug)]
pub(crate) struct Counted {
    file: PathBuf,
    stop: Arc<AtomicBool>,
    asking: JoinHandle<u64>,
}

impl Counted {
    /// Asks the worker that is about to listen on `port`, and writes what it says to `file`.
    ///
    /// # Errors
    /// When the file can't be made.
    pub(crate) fn start(port: u16, file: PathBuf) -> std::io::Result<Self> {
        let (mut out, stop) = (File::create(&file)?, Arc::new(AtomicBool::new(false)));
        let (began, stopped) = (Instant::now(), Arc::clone(&stop));
        let mut tell = move |done: u64| writeln!(out, "{done} {:.1}", began.elapsed().as_secs_f64() * 1000.0);
        tell(0)?;
        let asking = std::thread::spawn(move || {
            let (mut connection, mut last) = (None, 0);
            while !stopped.load(Ordering::Relaxed) {
                match ask(&mut connection, port) {
                    Some(done) => {
                        last = done;
                        // A file that can't be written shows no progress, which ends the measurement.
                        let _ = tell(done);
                        pause(EVERY);
                    }
                    None => pause(RETRY),
                }
            }
            last
        });
        Ok(Self { file, stop, asking })
    }

    /// What it has said so far.
    pub(crate) fn progress(&self) -> Progress {
        Progress(self.file.clone())
    }

    /// Stops asking; the last that it said.
    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.asking.join().unwrap_or(0)
    }
}

fn ask(connection: &mut Option<Connection>, port: u16) -> Option<u64> {
    if connection.is_none() {
        *connection = Connection::open(port).ok();
    }
    let answer = connection.as_mut()?.call(&request("GET", "/metrics", "", ""));
    let Ok((200, body)) = answer else {
        *connection = None;
        return None;
    };
    done_in(std::str::from_utf8(body).ok()?)
}

fn done_in(metrics: &str) -> Option<u64> {
    metrics.lines().find_map(|line| line.strip_prefix(SERIES)?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_count_is_that_of_the_no_op_jobs_that_succeeded() {
        let text = "# TYPE trainyard_jobs_finished_total counter\n\
                    trainyard_jobs_finished_total{algorithm=\"noop\",status=\"failed\"} 3\n\
                    trainyard_jobs_finished_total{algorithm=\"noop\",status=\"succeeded\"} 42\n";
        assert_eq!(done_in(text), Some(42));
        assert_eq!(done_in(""), None);
    }
}
