//! Writes the access log in the background, so that no request waits for the log output.
//!
//! A line of the access log is added to a buffer in memory. A thread writes the buffer at the latest [`FLUSH_EVERY`] after its
//! first line. All other lines, and warnings, are written at once, after the lines in the buffer. So a crash can lose only lines
//! of the access log.
//! If the log output is too slow, lines that would make the buffer larger than [`MAX_BYTES`] are dropped and counted.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::catalogue::LOG_LINES_DROPPED_TOTAL;

/// The target of the log lines of answered requests.
pub const ACCESS_LOG: &str = "trainyard_http::access";

/// Maximum time that a line stays in the buffer.
const FLUSH_EVERY: Duration = Duration::from_millis(100);
/// A buffer of this size is written early. Larger writes are not faster.
const FLUSH_BYTES: usize = 128 << 10;
/// Maximum size of the buffer.
const MAX_BYTES: usize = 8 << 20;

/// The buffer and its output. Clones share both.
#[derive(Clone)]
pub(crate) struct LogWriter(Arc<Shared>);

struct Shared {
    buffer: Mutex<Buffer>,
    /// Notified by the first line of a buffer, and when the buffer has [`FLUSH_BYTES`].
    grown: Condvar,
    output: Mutex<Output>,
}

#[derive(Default)]
struct Buffer {
    lines: Vec<u8>,
    /// The number of dropped lines that no log line has reported yet.
    dropped: u64,
}

struct Output {
    /// The lines that are being written. Swapped with [`Buffer::lines`], so writing allocates nothing.
    lines: Vec<u8>,
    destination: Box<dyn Write + Send>,
}

impl LogWriter {
    /// Starts the thread that writes to `destination`, which should have no buffer of its own.
    ///
    /// # Errors
    /// If the thread can't be started.
    pub(crate) fn start(destination: impl Write + Send + 'static) -> std::io::Result<Self> {
        let writer = Self::without_thread(destination);
        let background = writer.clone();
        std::thread::Builder::new().name("logs".into()).spawn(move || background.run())?;
        Ok(writer)
    }

    fn without_thread(destination: impl Write + Send + 'static) -> Self {
        let output = Mutex::new(Output { lines: Vec::new(), destination: Box::new(destination) });
        Self(Arc::new(Shared { buffer: Mutex::default(), grown: Condvar::new(), output }))
    }

    /// Adds a line, which ends with a line break. With `at_once` this thread also writes the buffer, with the line at its end.
    pub(crate) fn push(&self, line: &[u8], at_once: bool) {
        let mut buffer = lock(&self.0.buffer);
        let (before, after) = (buffer.lines.len(), buffer.lines.len() + line.len());
        // A line that is written at once is never dropped: its thread waits for the output, so few of them are in the buffer.
        if after > MAX_BYTES && !at_once {
            buffer.dropped += 1;
            drop(buffer);
            metrics::counter!(LOG_LINES_DROPPED_TOTAL).increment(1);
        } else {
            buffer.lines.extend_from_slice(line);
            drop(buffer);
            if !at_once && (before == 0 || (before < FLUSH_BYTES && after >= FLUSH_BYTES)) {
                self.0.grown.notify_one();
            }
        }
        if at_once {
            self.flush();
        }
    }

    /// Writes all lines of the buffer. All lines that were added before the call have been written when it returns.
    pub(crate) fn flush(&self) {
        // Lines are taken from the buffer only under this lock, so their order is kept.
        let mut output = lock(&self.0.output);
        let Output { lines, destination } = &mut *output;
        std::mem::swap(lines, &mut lock(&self.0.buffer).lines);
        // An error of the log output can't be reported anywhere.
        let _ = destination.write_all(lines).and_then(|()| destination.flush());
        lines.clear();
        // After a burst the memory is returned.
        lines.shrink_to(2 * FLUSH_BYTES);
    }

    fn run(&self) {
        loop {
            let mut buffer = lock(&self.0.buffer);
            while buffer.lines.is_empty() {
                buffer = self.0.grown.wait(buffer).unwrap_or_else(PoisonError::into_inner);
            }
            let is_small = |buffer: &mut Buffer| !buffer.lines.is_empty() && buffer.lines.len() < FLUSH_BYTES;
            let waited = self.0.grown.wait_timeout_while(buffer, FLUSH_EVERY, is_small);
            let (mut buffer, _) = waited.unwrap_or_else(PoisonError::into_inner);
            let dropped = std::mem::take(&mut buffer.dropped);
            drop(buffer);
            self.flush();
            if dropped > 0 {
                tracing::warn!(dropped, "log lines were dropped: the log output is too slow");
            }
        }
    }
}

/// A panic while the lock is held leaves whole lines or a part of a line; logging goes on.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc;

    use super::*;

    /// Passes each write to a channel.
    struct Writes(mpsc::SyncSender<Vec<u8>>);

    impl Write for Writes {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    const LIMIT: Duration = Duration::from_secs(20);

    #[test]
    fn lines_are_written_together_and_in_order_without_a_further_line() {
        let (sender, writes) = mpsc::sync_channel(8);
        let writer = LogWriter::start(Writes(sender)).unwrap();
        writer.push(b"first\n", false);
        writer.push(b"second\n", false);
        let mut written = Vec::new();
        while !written.ends_with(b"second\n") {
            written.extend(writes.recv_timeout(LIMIT).unwrap());
        }
        assert_eq!(written, b"first\nsecond\n");
        // The thread waits again for a first line.
        writer.push(b"third\n", false);
        assert_eq!(writes.recv_timeout(LIMIT).unwrap(), b"third\n");
    }

    #[test]
    fn an_urgent_line_is_written_before_the_call_returns_after_all_others() {
        let (sender, writes) = mpsc::sync_channel(8);
        let writer = LogWriter::without_thread(Writes(sender));
        writer.push(b"info\n", false);
        assert!(writes.try_recv().is_err(), "nothing is written by the caller");
        writer.push(b"error\n", true);
        assert_eq!(writes.try_recv().unwrap(), b"info\nerror\n");
    }

    #[test]
    fn a_full_buffer_drops_and_counts_lines_that_are_not_urgent() {
        let (sender, writes) = mpsc::sync_channel(8);
        let writer = LogWriter::without_thread(Writes(sender));
        let line = [b"x".repeat(MAX_BYTES / 4 - 1), b"\n".to_vec()].concat();
        for _ in 0..6 {
            writer.push(&line, false);
        }
        assert_eq!(lock(&writer.0.buffer).dropped, 2);
        writer.push(b"error\n", true);
        let written = writes.try_recv().unwrap();
        assert!(written.len() == MAX_BYTES + 6 && written.ends_with(b"\nerror\n"), "{} bytes", written.len());
        writer.push(b"later\n", true);
        assert_eq!(writes.try_recv().unwrap(), b"later\n");
        assert!(lock(&writer.0.output).lines.capacity() <= 2 * FLUSH_BYTES, "the memory of the burst is returned");
    }
}
