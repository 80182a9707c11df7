//! Starting and stopping processes of contenders.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use trainyard_testkit::{ChildGuard, send_signal};

use crate::http::{Connection, request};
use crate::load::pause;
use crate::usage;

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(40);
const STEP: Duration = Duration::from_millis(20);

/// Waits until `GET /health/ready` is answered with 200.
///
/// # Errors
/// The end of `log` if the process ends or is not ready within a minute.
pub(crate) fn wait_ready(process: &mut ChildGuard, port: u16, log: &Path) -> anyhow::Result<()> {
    wait_answered(process, port, log, &request("GET", "/health/ready", "", ""))
}

/// Waits until `request` is answered with 200.
///
/// # Errors
/// The end of `log` if the process ends or does not answer so within a minute.
pub(crate) fn wait_answered(process: &mut ChildGuard, port: u16, log: &Path, request: &[u8]) -> anyhow::Result<()> {
    let deadline = Instant::now() + START_LIMIT;
    loop {
        let answer =
            Connection::open(port).and_then(|mut connection| connection.call(request).map(|(status, _)| status));
        if matches!(answer, Ok(200)) {
            return Ok(());
        }
        let ended = process.0.try_wait()?;
        ensure!(ended.is_none() && Instant::now() < deadline, "not ready ({ended:?}): {}", tail(log));
        pause(STEP);
    }
}

/// Sends SIGTERM, waits, and kills the process and its descendants if they do not end.
pub(crate) fn stop(process: ChildGuard) {
    stop_within(process, STOP_LIMIT);
}

/// [`stop`] with another time limit.
pub(crate) fn stop_within(mut process: ChildGuard, limit: Duration) {
    let tree = usage::descendants(process.0.id());
    process.signal(libc::SIGTERM);
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline && matches!(process.0.try_wait(), Ok(None)) {
        pause(STEP);
    }
    // Some servers end without their children.
    for child in tree {
        if child.is_running() {
            send_signal(child.pid, libc::SIGKILL);
        }
    }
}

/// The last lines of a log.
pub(crate) fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
