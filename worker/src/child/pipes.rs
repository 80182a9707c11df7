//! Reads a training process's pipes within limits: lines of the protocol from its output, the tail of its log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{ChildStderr, ChildStdout};
use tokio_util::sync::CancellationToken;

use crate::protocol::{MAX_LINE_BYTES, Report};

/// How much of the log's end is kept.
const TAIL_BYTES: usize = 4 * 1024;

/// How a process abused its pipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breach {
    /// It wrote more than it may.
    Flood,
    /// It wrote something that is no report.
    Nonsense,
}

/// The reports of one process.
pub(super) struct Reports<R = ChildStdout> {
    pipe: Option<BufReader<R>>,
    left: u64,
    line: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Reports<R> {
    /// Reads from `pipe`, `limit` bytes at most.
    pub(super) fn new(pipe: Option<R>, limit: u64) -> Self {
        Self { pipe: pipe.map(BufReader::new), left: limit, line: Vec::new() }
    }

    /// The next report; `None` when the pipe is closed.
    ///
    /// # Errors
    /// How the process broke the protocol.
    pub(super) async fn next(&mut self) -> Result<Option<Report>, Breach> {
        let Some(pipe) = &mut self.pipe else { return Ok(None) };
        self.line.clear();
        loop {
            // A pipe that can't be read is a pipe that is closed: the exit status tells the rest.
            let chunk = pipe.fill_buf().await.unwrap_or_default();
            if chunk.is_empty() {
                // A line without its end was cut off by a death; the exit status explains it better than a parser.
                return Ok(None);
            }
            let (taken, ended) = match chunk.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end + 1, true),
                None => (chunk.len(), false),
            };
            self.line.extend_from_slice(&chunk[..taken]);
            pipe.consume(taken);
            let within = self.left.checked_sub(taken as u64).filter(|_| self.line.len() <= MAX_LINE_BYTES);
            self.left = within.ok_or(Breach::Flood)?;
            if ended {
                return serde_json::from_slice(&self.line).map(Some).map_err(|_| Breach::Nonsense);
            }
        }
    }
}

/// Follows a process's log and keeps its end.
pub(super) struct Tail {
    kept: Arc<Mutex<Vec<u8>>>,
    flooded: CancellationToken,
    follower: tokio::task::JoinHandle<()>,
}

impl Tail {
    /// Starts following; past `limit` bytes the log counts as flooded.
    pub(super) fn follow(pipe: Option<ChildStderr>, limit: u64) -> Self {
        let (kept, flooded) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
        let follower = tokio::spawn(follow(pipe, limit, Arc::clone(&kept), flooded.clone()));
        Self { kept, flooded, follower }
    }

    /// Waits until the log has outgrown its limit.
    pub(super) async fn flooded(&self) {
        self.flooded.cancelled().await;
    }

    /// Whether the log has outgrown its limit.
    pub(super) fn is_flooded(&self) -> bool {
        self.flooded.is_cancelled()
    }

    /// The log's end, once the process has ended. Something that inherited the pipe may hold it open, so the wait is short.
    pub(super) async fn finish(&mut self) -> String {
        let _ = tokio::time::timeout(Duration::from_millis(500), &mut self.follower).await;
        self.follower.abort();
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        if kept.len() < TAIL_BYTES {
            return text.into_owned();
        }
        // The cut may have gone through a path, whose end alone would not look like one.
        text.split_once(char::is_whitespace).map(|(_, whole)| whole.to_owned()).unwrap_or_default()
    }
}

async fn follow(pipe: Option<ChildStderr>, limit: u64, kept: Arc<Mutex<Vec<u8>>>, flooded: CancellationToken) {
    let Some(mut pipe) = pipe else { return };
    let (mut chunk, mut read) = (vec![0; TAIL_BYTES], 0);
    while let Ok(n @ 1..) = pipe.read(&mut chunk).await {
        read += n as u64;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&chunk[..n]);
        let surplus = kept.len().saturating_sub(TAIL_BYTES);
        kept.drain(..surplus);
        if read > limit {
            flooded.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reports_are_read_line_by_line_and_nonsense_is_told_apart_from_the_end() {
        let text = b"{\"type\":\"progress\",\"phase\":\"a\",\"fraction\":0.1}\nhello\n";
        let mut reports = Reports::new(Some(&text[..]), 1_000);
        assert!(matches!(reports.next().await, Ok(Some(Report::Progress { .. }))));
        assert_eq!(reports.next().await, Err(Breach::Nonsense));
        assert_eq!(reports.next().await, Ok(None));
    }

    #[tokio::test]
    async fn a_line_without_end_is_given_up_at_the_limit() {
        let mut reports = Reports::new(Some(tokio::io::repeat(b'x')), u64::MAX);
        assert_eq!(reports.next().await, Err(Breach::Flood));
    }

    #[tokio::test]
    async fn many_good_reports_are_a_flood_as_well() {
        let line = "{\"type\":\"progress\",\"phase\":\"a\",\"fraction\":0.1}\n";
        let text = line.repeat(3);
        let mut reports = Reports::new(Some(text.as_bytes()), 2 * line.len() as u64);
        assert!(matches!(reports.next().await, Ok(Some(_))));
        assert!(matches!(reports.next().await, Ok(Some(_))));
        assert_eq!(reports.next().await, Err(Breach::Flood));
    }
}
