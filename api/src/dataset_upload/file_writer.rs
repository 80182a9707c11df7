//! Writes an upload into a temporary file on a thread of its own: decompression, hashing and disk writes block.

use std::fs::File;
use std::io::{self, Write};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use sha2::{Digest, Sha256};
use tempfile::{NamedTempFile, TempPath};
use tokio::sync::mpsc::Receiver;

use super::growing_file::Written;

/// The first bytes of a gzip stream with the deflate method. No text begins with them.
const GZIP_MAGIC: [u8; 3] = [0x1f, 0x8b, 0x08];
/// Bytes of one write to the disk.
const WRITE_BYTES: usize = 256 << 10;

/// The complete file.
pub(super) struct WrittenFile {
    pub(super) path: TempPath,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// Why the file is incomplete.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    #[error("the file is too large")]
    TooLarge,
    #[error("the gzip stream is broken")]
    BrokenGzip(#[source] io::Error),
    #[error("the work folder can't be written")]
    Disk(#[source] io::Error),
}

/// Writes `chunks` to `file` until the channel is closed, and reports to `written` how far it is. A gzip stream is decompressed.
/// More than `max` bytes after decompression are an error.
pub(super) fn write(
    mut chunks: Receiver<Bytes>,
    file: NamedTempFile,
    max: u64,
    written: Written,
) -> Result<WrittenFile, WriteError> {
    let (file, path) = file.into_parts();
    let buffer = Vec::with_capacity(WRITE_BYTES);
    let hashed = HashedFile { file, buffer, written, hash: Sha256::new(), bytes: 0, left: max };
    let head = read_head(&mut chunks);
    let hashed = if head.starts_with(&GZIP_MAGIC) {
        let mut decoder = MultiGzDecoder::new(hashed);
        copy(head, chunks, &mut decoder).and_then(|()| decoder.finish().map_err(fault))?
    } else {
        let mut plain = hashed;
        copy(head, chunks, &mut plain)?;
        plain
    };
    hashed.complete(path)
}

/// The first chunk with at least the length of the magic bytes.
fn read_head(chunks: &mut Receiver<Bytes>) -> Bytes {
    let mut head = Bytes::new();
    while head.len() < GZIP_MAGIC.len() {
        let Some(chunk) = chunks.blocking_recv() else { break };
        head = if head.is_empty() { chunk } else { [head, chunk].concat().into() };
    }
    head
}

fn copy(head: Bytes, mut chunks: Receiver<Bytes>, target: &mut impl Write) -> Result<(), WriteError> {
    let mut next = Some(head);
    while let Some(chunk) = next {
        target.write_all(&chunk).map_err(fault)?;
        next = chunks.blocking_recv();
    }
    Ok(())
}

/// Errors of [`HashedFile`] pass through the decoder. All others are those of the decoder.
fn fault(error: io::Error) -> WriteError {
    match error.downcast::<WriteError>() {
        Ok(error) => error,
        Err(error) => WriteError::BrokenGzip(error),
    }
}

/// A file whose content is counted and hashed as it is written.
struct HashedFile {
    file: File,
    /// Bytes that are not in the file yet.
    buffer: Vec<u8>,
    written: Written,
    hash: Sha256,
    bytes: u64,
    /// Bytes that still fit.
    left: u64,
}

impl HashedFile {
    fn complete(mut self, path: TempPath) -> Result<WrittenFile, WriteError> {
        self.write_buffer().map_err(WriteError::Disk)?;
        Ok(WrittenFile { path, bytes: self.bytes, sha256: hex::encode(self.hash.finalize()) })
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        self.file.write_all(&self.buffer)?;
        self.buffer.clear();
        self.written.set(self.bytes);
        Ok(())
    }
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len() as u64;
        self.left = self.left.checked_sub(length).ok_or_else(|| io::Error::other(WriteError::TooLarge))?;
        self.bytes += length;
        self.hash.update(bytes);
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= WRITE_BYTES {
            self.write_buffer().map_err(|error| io::Error::other(WriteError::Disk(error)))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
