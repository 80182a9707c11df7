//! Reads a training process's pipes within limits: lines of the protocol from its output, the tail of its log.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};
use tokio::process::{ChildStderr, ChildStdout};
use tokio_util::sync::CancellationToken;

use crate::protocol::{MAX_LINE_BYTES, MAX_OUTPUT_BYTES, Report};

/// How much of the log's end is kept.
const TAIL_BYTES: usize = 4 * 1024;

/// The reports of one process.
pub(super) struct Reports<R = ChildStdout> {
    pipe: Option<BufReader<R>>,
    read: u64,
    line: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Reports<R> {
    pub(super) fn new(pipe: Option<R>) -> Self {
        Self { pipe: pipe.map(BufReader::new), read: 0, line: Vec::new() }
    }

    /// The next report; `None` when the pipe is closed.
    ///
    /// # Errors
    /// How the process broke the protocol, to complete the sentence "the training process …".
    pub(super) async fn next(&mut self) -> Result<Option<Report>, &'static str> {
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
            self.read += taken as u64;
            if self.line.len() > MAX_LINE_BYTES || self.read > MAX_OUTPUT_BYTES {
                return Err("wrote more than it may");
            }
            if ended {
                return serde_json::from_slice(&self.line).map(Some).map_err(|_| "did not keep to its protocol");
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
    /// Starts following.
    pub(super) fn follow(pipe: Option<ChildStderr>) -> Self {
        let (kept, flooded) = (Arc::new(Mutex::new(Vec::new())), CancellationToken::new());
        let follower = tokio::spawn(follow(pipe, Arc::clone(&kept), flooded.clone()));
        Self { kept, flooded, follower }
    }

    /// Waits until the log has outgrown its limit.
    pub(super) async fn flooded(&self) {
        self.flooded.cancelled().await;
    }

    /// The log's end, once the process has ended. Something that inherited the pipe may hold it open, so the wait is short.
    pub(super) async fn finish(mut self) -> String {
        let _ = tokio::time::timeout(Duration::from_millis(500), &mut self.follower).await;
        self.follower.abort();
        String::from_utf8_lossy(&self.kept.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

async fn follow(pipe: Option<ChildStderr>, kept: Arc<Mutex<Vec<u8>>>, flooded: CancellationToken) {
    let Some(mut pipe) = pipe else { return };
    let (mut chunk, mut read) = (vec![0; TAIL_BYTES], 0);
    while let Ok(n @ 1..) = pipe.read(&mut chunk).await {
        read += n as u64;
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(&chunk[..n]);
        let surplus = kept.len().saturating_sub(TAIL_BYTES);
        kept.drain(..surplus);
        if read > MAX_OUTPUT_BYTES {
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
        let mut reports = Reports::new(Some(&text[..]));
        assert!(matches!(reports.next().await, Ok(Some(Report::Progress { .. }))));
        assert!(reports.next().await.is_err());
        assert_eq!(reports.next().await, Ok(None));
    }

    #[tokio::test]
    async fn a_line_without_end_is_given_up_at_the_limit() {
        let mut reports = Reports::new(Some(tokio::io::repeat(b'x')));
        assert_eq!(reports.next().await, Err("wrote more than it may"));
    }
}
