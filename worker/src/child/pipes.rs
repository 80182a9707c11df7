//! Reads the pipes of a training process within limits: reports from its output, and the tail of its log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{ChildStderr, ChildStdout};
use tokio_util::sync::CancellationToken;

use crate::protocol::{MAX_LINE_BYTES, Report};

/// The size of the tail.
const TAIL_BYTES: usize = 4 * 1024;

/// An error of a process in using its pipes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PipeError {
    /// It wrote more than its limit.
    TooMuchOutput,
    /// It wrote a line that is not a report.
    InvalidReport,
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

    /// Reads the next report; `None` when the pipe is closed. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<Report>, PipeError> {
        let Some(pipe) = &mut self.pipe else { return Ok(None) };
        loop {
            // An unreadable pipe counts as closed. The exit status explains the end of the process.
            let chunk = pipe.fill_buf().await.unwrap_or_default();
            if chunk.is_empty() {
                // An incomplete line is ignored, for the same reason.
                return Ok(None);
            }
            let (taken, ended) = match chunk.iter().position(|byte| *byte == b'\n') {
                Some(end) => (end + 1, true),
                None => (chunk.len(), false),
            };
            self.line.extend_from_slice(&chunk[..taken]);
            pipe.consume(taken);
            let within = self.left.checked_sub(taken as u64).filter(|_| self.line.len() <= MAX_LINE_BYTES);
            self.left = within.ok_or(PipeError::TooMuchOutput)?;
            if ended {
                let report = serde_json::from_slice(&self.line).map(Some).map_err(|_| PipeError::InvalidReport);
                self.line.clear();
                return report;
            }
        }
    }
}

/// Reads the log of a process and keeps its tail.
pub(super) struct StderrTail {
    tail: Arc<Mutex<Vec<u8>>>,
    exceeded: CancellationToken,
    reader: tokio::task::JoinHandle<()>,
}

impl StderrTail {
    /// Starts to read the log, whose limit is in bytes.
    pub(super) fn follow(pipe: Option<ChildStderr>, limit: u64) -> Self {
        let (tail, exceeded) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
        let reader = tokio::spawn(read(pipe, limit, Arc::clone(&tail), exceeded.clone()));
        Self { tail, exceeded, reader }
    }

    /// Waits until the log exceeds its limit.
    pub(super) async fn exceeded(&self) {
        self.exceeded.cancelled().await;
    }

    /// Whether the log exceeds its limit.
    pub(super) fn is_exceeded(&self) -> bool {
        self.exceeded.is_cancelled()
    }

    /// The tail, once the process has ended. A process that inherited the pipe may keep it open, so the wait is short.
    pub(super) async fn finish(&mut self) -> String {
        let _ = tokio::time::timeout(Duration::from_millis(500), &mut self.reader).await;
        self.reader.abort();
        let tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&tail);
        if tail.len() < TAIL_BYTES {
            return text.into_owned();
        }
        // The first word is dropped: it may be the end of a path, which would not be recognised.
        text.split_once(char::is_whitespace).map(|(_, rest)| rest.to_owned()).unwrap_or_default()
    }
}

async fn read(pipe: Option<ChildStderr>, limit: u64, tail: Arc<Mutex<Vec<u8>>>, exceeded: CancellationToken) {
    let Some(mut pipe) = pipe else { return };
    let (mut chunk, mut read) = (vec![0; TAIL_BYTES], 0);
    while let Ok(n @ 1..) = pipe.read(&mut chunk).await {
        read += n as u64;
        let mut tail = tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.extend_from_slice(&chunk[..n]);
        let surplus = tail.len().saturating_sub(TAIL_BYTES);
        tail.drain(..surplus);
        if read > limit {
            exceeded.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn invalid_lines_are_errors_and_the_end_is_none() {
        let text = b"{\"type\":\"progress\",\"phase\":\"a\",\"fraction\":0.1}\nhello\n";
        let mut reports = Reports::new(Some(&text[..]), 1_000);
        assert!(matches!(reports.next().await, Ok(Some(Report::Progress { .. }))));
        assert_eq!(reports.next().await, Err(PipeError::InvalidReport));
        assert_eq!(reports.next().await, Ok(None));
    }

    #[tokio::test]
    async fn a_line_without_end_exceeds_the_limit() {
        let mut reports = Reports::new(Some(tokio::io::repeat(b'x')), u64::MAX);
        assert_eq!(reports.next().await, Err(PipeError::TooMuchOutput));
    }

    #[tokio::test]
    async fn many_valid_reports_exceed_the_limit() {
        let line = "{\"type\":\"progress\",\"phase\":\"a\",\"fraction\":0.1}\n";
        let text = line.repeat(3);
        let mut reports = Reports::new(Some(text.as_bytes()), 2 * line.len() as u64);
        assert!(matches!(reports.next().await, Ok(Some(_))));
        assert!(matches!(reports.next().await, Ok(Some(_))));
        assert_eq!(reports.next().await, Err(PipeError::TooMuchOutput));
    }
}
