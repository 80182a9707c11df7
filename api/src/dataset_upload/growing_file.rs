//! A file that one thread writes while another reads it: the profile of an upload begins before its last byte has arrived.

use std::fs::File;
use std::io::{self, Read};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// How far a file is written.
#[derive(Debug, Clone, Default)]
pub(super) struct Written(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Clone, Copy, Default)]
struct State {
    bytes: u64,
    end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Complete,
    Aborted,
}

impl Written {
    /// The first `bytes` bytes of the file can be read.
    pub(super) fn set(&self, bytes: u64) {
        self.update(|state| state.bytes = bytes);
    }

    /// The file is complete.
    pub(super) fn complete(&self) {
        self.update(|state| state.end = Some(End::Complete));
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.0.1.notify_all();
    }

    /// Waits until more than `read` bytes are written, or the file has ended.
    fn wait(&self, read: u64) -> State {
        let state = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.0.1.wait_while(state, |state| state.bytes <= read && state.end.is_none());
        *waited.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the wait of the reader with an error if the file does not become complete.
#[derive(Debug)]
pub(super) struct AbortOnDrop(pub(super) Written);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.update(|state| state.end = state.end.or(Some(End::Aborted)));
    }
}

/// Reads a file up to where it is written, and waits for the rest.
#[derive(Debug)]
pub(super) struct GrowingFile {
    file: File,
    written: Written,
    read: u64,
}

impl GrowingFile {
    /// A reader of `file` from its start.
    pub(super) fn new(file: File, written: Written) -> Self {
        Self { file, written, read: 0 }
    }
}

impl Read for GrowingFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.written.wait(self.read);
        if state.end == Some(End::Aborted) {
            return Err(io::Error::other("the upload was aborted"));
        }
        let available = usize::try_from(state.bytes - self.read).unwrap_or(usize::MAX).min(buffer.len());
        let count = self.file.read(&mut buffer[..available])?;
        self.read += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    /// A file with a writer, and its reader.
    fn open() -> (File, GrowingFile, Written) {
        let file = tempfile::NamedTempFile::new().unwrap();
        let written = Written::default();
        let reader = GrowingFile::new(file.reopen().unwrap(), written.clone());
        (file.into_file(), reader, written)
    }

    #[test]
    fn a_reader_gets_every_byte_of_a_file_that_is_still_written() {
        let (mut file, mut reader, written) = open();
        let all: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        let expected = all.clone();
        let writer = std::thread::spawn(move || {
            let mut bytes = 0;
            for part in all.chunks(7_777) {
                file.write_all(part).unwrap();
                bytes += part.len() as u64;
                written.set(bytes);
            }
            written.complete();
        });
        let mut found = Vec::new();
        reader.read_to_end(&mut found).unwrap();
        writer.join().unwrap();
        assert_eq!(found, expected);
    }

    #[test]
    fn an_abandoned_file_is_an_error_for_its_reader() {
        let (mut file, mut reader, written) = open();
        file.write_all(b"a,b\n1,2\n").unwrap();
        written.set(8);
        let writer = AbortOnDrop(written);
        let mut head = [0; 8];
        reader.read_exact(&mut head).unwrap();
        assert_eq!(&head, b"a,b\n1,2\n");
        drop(writer);
        assert!(reader.read(&mut head).is_err());
    }
}
