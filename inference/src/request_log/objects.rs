//! Compresses the lines of entries into objects of a limited size.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

use super::Entry;
use super::line::write_lines;

/// An object that is ready to be written.
#[derive(Debug)]
pub(super) struct Object {
    /// Compressed JSON lines.
    pub(super) bytes: Bytes,
    /// Number of lines.
    pub(super) rows: u64,
}

/// Entries as objects.
#[derive(Debug, Default)]
pub(super) struct Objects {
    pub(super) objects: Vec<Object>,
    /// Rows that are larger than an object may be.
    pub(super) too_large: u64,
}

/// Compresses entries. The lines of each object have at most `object_bytes` before compression.
pub(super) fn compress(entries: &[Entry], object_bytes: usize, max_rows: usize) -> Objects {
    let mut found = Objects::default();
    let mut open = OpenObject::new();
    for entry in entries {
        write_lines(entry, max_rows, |line| {
            let bytes = line.len() + 1;
            if bytes > object_bytes {
                found.too_large += 1;
                return;
            }
            if open.bytes + bytes > object_bytes {
                found.objects.extend(std::mem::replace(&mut open, OpenObject::new()).close());
            }
            open.push(line);
        });
    }
    found.objects.extend(open.close());
    found
}

/// An object that still has room.
struct OpenObject {
    encoder: GzEncoder<Vec<u8>>,
    /// Size of the lines before compression.
    bytes: usize,
    rows: u64,
}

impl OpenObject {
    fn new() -> Self {
        Self { encoder: GzEncoder::new(Vec::new(), Compression::fast()), bytes: 0, rows: 0 }
    }

    /// Adds a line. Writing to memory can't fail.
    fn push(&mut self, line: &[u8]) {
        let _ = self.encoder.write_all(line).and_then(|()| self.encoder.write_all(b"\n"));
        self.bytes += line.len() + 1;
        self.rows += 1;
    }

    /// The object; `None` without lines.
    fn close(self) -> Option<Object> {
        let bytes = self.encoder.finish().ok().filter(|_| self.rows > 0)?;
        Some(Object { bytes: bytes.into(), rows: self.rows })
    }
}
