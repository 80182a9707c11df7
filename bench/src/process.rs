//! Starting and stopping processes of contenders.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use trainyard_testkit::ChildGuard;

use crate::http::{Connection, request};
use crate::load::pause;

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(40);
const STEP: Duration = Duration::from_millis(20);

/// Waits until `GET /health/ready` is answered with 200.
///
/// # Errors
/// The end of `log` if the process ends or is not ready within a minute.
pub(crate) fn wait_ready(process: &mut ChildGuard, port: u16, log: &Path) -> anyhow::Result<()> {
    let deadline = Instant::now() + START_LIMIT;
    let ready = request("GET", "/health/ready", "", "");
    loop {
        let answer =
            Connection::open(port).and_then(|mut connection| connection.call(&ready).map(|(status, _)| status));
        if matches!(answer, Ok(200)) {
            return Ok(());
        }
        let ended = process.0.try_wait()?;
        ensure!(ended.is_none() && Instant::now() < deadline, "not ready ({ended:?}): {}", tail(log));
        pause(STEP);
    }
}

/// Sends SIGTERM, waits, and kills the process if it does not end.
pub(crate) fn stop(mut process: ChildGuard) {
    process.signal(libc::SIGTERM);
    let deadline = Instant::now() + STOP_LIMIT;
    while Instant::now() < deadline && matches!(process.0.try_wait(), Ok(None)) {
        pause(STEP);
    }
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
