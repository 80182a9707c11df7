//! Little-endian numbers in byte strings. Reading past the end is an error, never a panic.

use super::error::ArtifactError;

/// Bytes with the number of their format.
pub(crate) struct Section<B> {
    pub(crate) id: u32,
    pub(crate) bytes: B,
}

/// Reads numbers from a slice. A list is allocated only if all its bytes exist.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], ArtifactError> {
        let (head, tail) =
            self.0.split_at_checked(length).ok_or_else(|| ArtifactError::invalid("unexpected end of file"))?;
        self.0 = tail;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], ArtifactError> {
        let mut out = [0; N];
        out.copy_from_slice(self.take(N)?);
        Ok(out)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, ArtifactError> {
        self.array().map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self) -> Result<u64, ArtifactError> {
        self.array().map(u64::from_le_bytes)
    }

    pub(crate) fn f64(&mut self) -> Result<f64, ArtifactError> {
        self.array().map(f64::from_le_bytes)
    }

    /// Reads a count that [`Writer::length`] wrote.
    pub(crate) fn length(&mut self) -> Result<usize, ArtifactError> {
        Ok(self.u32()? as usize)
    }

    /// Reads a section that [`Writer::section`] wrote.
    pub(crate) fn section(&mut self) -> Result<Section<&'a [u8]>, ArtifactError> {
        let id = self.u32()?;
        let length = usize::try_from(self.u64()?).map_err(|_| ArtifactError::invalid("a section's length"))?;
        Ok(Section { id, bytes: self.take(length)? })
    }

    fn list<T, const N: usize>(&mut self, count: usize, read: fn([u8; N]) -> T) -> Result<Vec<T>, ArtifactError> {
        let length = count.checked_mul(N).ok_or_else(|| ArtifactError::invalid("the length of a list"))?;
        let (chunks, _) = self.take(length)?.as_chunks::<N>();
        Ok(chunks.iter().map(|chunk| read(*chunk)).collect())
    }

    pub(crate) fn u32s(&mut self, count: usize) -> Result<Vec<u32>, ArtifactError> {
        self.list(count, u32::from_le_bytes)
    }

    pub(crate) fn f32s(&mut self, count: usize) -> Result<Vec<f32>, ArtifactError> {
        self.list(count, f32::from_le_bytes)
    }

    pub(crate) fn f64s(&mut self, count: usize) -> Result<Vec<f64>, ArtifactError> {
        self.list(count, f64::from_le_bytes)
    }

    /// Checks that all bytes were read.
    pub(crate) fn end(&self) -> Result<(), ArtifactError> {
        if self.0.is_empty() { Ok(()) } else { Err(ArtifactError::invalid("unexpected bytes at the end")) }
    }
}

/// Appends numbers.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    pub(crate) fn u64(&mut self, value: u64) {
        self.raw(&value.to_le_bytes());
    }

    pub(crate) fn f64(&mut self, value: f64) {
        self.raw(&value.to_le_bytes());
    }

    /// Writes a count. A count above u32 exceeds every limit, so decoding refuses the file.
    pub(crate) fn length(&mut self, value: usize) {
        self.u32(u32::try_from(value).unwrap_or(u32::MAX));
    }

    pub(crate) fn u32s(&mut self, values: &[u32]) {
        values.iter().for_each(|value| self.u32(*value));
    }

    pub(crate) fn f32s(&mut self, values: &[f32]) {
        values.iter().for_each(|value| self.raw(&value.to_le_bytes()));
    }

    pub(crate) fn f64s(&mut self, values: &[f64]) {
        values.iter().for_each(|value| self.f64(*value));
    }

    /// Writes a section with its id and its length.
    pub(crate) fn section(&mut self, section: &Section<Vec<u8>>) {
        self.u32(section.id);
        self.u64(section.bytes.len() as u64);
        self.raw(&section.bytes);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.0
    }
}
