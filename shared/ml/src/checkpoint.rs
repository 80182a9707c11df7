//! Checkpoints: the state of a training run, from which another process continues to the same model file.
//!
//! ```text
//! magic "TYCHECK\x01" · identity of the run (SHA-256)
//! frames, each with its length u64 before it: the kind u32, then the state of the algorithm
//! SHA-256 of everything before it
//! ```
//! All numbers are little-endian. The identity covers everything that decides the bytes of the model: the code, the kind of
//! CPU, the dataset and the job specification. A checkpoint with another identity or with damaged bytes is ignored, and the
//! run starts from the beginning.
//!
//! A state contains only finished work: trees, rounds, trials, models of an ensemble. Everything else is computed again.

use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Take, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use sha2::{Digest, Sha256};
use trainyard_domain::Algorithm;

use crate::artifact::{ArtifactError, Reader, Writer};
use crate::progress::Observer;
use crate::simd;
use crate::train::TrainRequest;

/// The last byte is the number of the format.
const MAGIC: &[u8; 8] = b"TYCHECK\x01";
const DIGEST_BYTES: usize = 32;
/// Bytes that are written and hashed at once.
const BUFFER_BYTES: usize = 64 * 1024;
/// Numbers of a list in one frame.
const FRAME_NUMBERS: usize = 8 * 1024;

/// Writes the bytes of a checkpoint.
pub type WriteState<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// The bytes of a checkpoint, which are read twice: to check their digest, and to decode them.
pub trait CheckpointSource: Read + Seek {}

impl<S: Read + Seek> CheckpointSource for S {}

/// Stores the checkpoints of a run, and has that of an earlier run. No method may fail the run.
pub trait CheckpointStore: Sync {
    /// The last checkpoint of an earlier run of the same job; called once.
    fn load(&self) -> Option<Box<dyn CheckpointSource>>;

    /// Whether a checkpoint must be saved now; called often, from several threads.
    fn is_due(&self) -> bool;

    /// Saves a checkpoint by calling `write` once. `done` describes the finished work, such as `120 of 500 trees`.
    fn save(&self, done: &str, write: WriteState<'_>);

    /// Reports that the run continues after the work `done` of an earlier run.
    fn resumed(&self, done: &str);

    /// Reports that the checkpoint of the earlier run is not used.
    fn ignored(&self, reason: &str);
}

/// The algorithm that a state belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Forest = 1,
    Boosting = 2,
    Search = 3,
}

/// Whether runs of an algorithm save checkpoints. The others train one model in steps that can't be continued.
pub fn is_supported(algorithm: Algorithm) -> bool {
    matches!(algorithm, Algorithm::RandomForest | Algorithm::ExtraTrees | Algorithm::GradientBoosting | Algorithm::Auto)
}

/// The checkpoints of one run.
pub(crate) struct Checkpoints<'a> {
    store: &'a dyn CheckpointStore,
    identity: [u8; DIGEST_BYTES],
    /// Whether the state of the earlier run was read.
    is_restored: AtomicBool,
    /// Locked while a thread saves a checkpoint.
    saving: Mutex<()>,
}

impl<'a> Checkpoints<'a> {
    /// The checkpoints of a run. `None` if the observer stores none, or if the algorithm has none.
    pub(crate) fn open(observer: &'a dyn Observer, request: &TrainRequest) -> Option<Self> {
        let store = observer.checkpoints().filter(|_| is_supported(request.spec.algorithm))?;
        let is_restored = AtomicBool::new(false);
        Some(Self { store, identity: identity(request), is_restored, saving: Mutex::new(()) })
    }

    /// The state that an earlier run has saved, the first time. A state that can't be decoded is ignored. It is read only now, so
    /// that it is not in memory while the table is read, and frame by frame, so that its bytes are never in memory together.
    pub(crate) fn restore<T>(
        &self,
        kind: Kind,
        decode: impl FnOnce(&mut Frames<'_>) -> Result<T, ArtifactError>,
    ) -> Option<T> {
        if self.is_restored.swap(true, Ordering::Relaxed) {
            return None;
        }
        let mut source = self.store.load()?;
        let mut frames = match verify(&mut *source, &self.identity) {
            Ok(frames) => frames,
            Err(reason) => {
                self.ignored(reason);
                return None;
            }
        };
        let decoded = frames.next(|reader| reader.u32()).and_then(|found| {
            if found != kind as u32 {
                return Err(ArtifactError::invalid("the state of another algorithm"));
            }
            let state = decode(&mut frames)?;
            frames.end().map(|()| state)
        });
        if decoded.is_err() {
            self.ignored("its state does not belong to this run");
        }
        decoded.ok()
    }

    /// Reports that the run continues after the work `done`.
    pub(crate) fn resumed(&self, done: &str) {
        self.store.resumed(done);
    }

    /// Reports that the earlier run's state is not used.
    pub(crate) fn ignored(&self, reason: &str) {
        self.store.ignored(reason);
    }

    /// The right to save a checkpoint now, if one is due and no other thread saves one.
    pub(crate) fn due(&self) -> Option<Due<'_>> {
        if !self.store.is_due() {
            return None;
        }
        let guard = self.saving.try_lock().ok()?;
        // Another thread may have saved one since the first check.
        self.store.is_due().then_some(Due { checkpoints: self, _saving: guard })
    }
}

/// The right to save a checkpoint.
pub(crate) struct Due<'c> {
    checkpoints: &'c Checkpoints<'c>,
    _saving: MutexGuard<'c, ()>,
}

impl Due<'_> {
    /// Saves a state that `write` writes.
    pub(crate) fn save(self, kind: Kind, done: &str, write: WriteState<'_>) {
        let Checkpoints { store, identity, .. } = self.checkpoints;
        store.save(done, &|out| {
            let mut hashing = Hashing { out, digest: Sha256::new() };
            let mut buffer = BufWriter::with_capacity(BUFFER_BYTES, &mut hashing);
            buffer.write_all(MAGIC)?;
            buffer.write_all(identity)?;
            put(&mut buffer, |out| out.u32(kind as u32))?;
            write(&mut buffer)?;
            buffer.flush()?;
            drop(buffer);
            let Hashing { out, digest } = hashing;
            out.write_all(&digest.finalize())
        });
    }
}

/// Hashes what it passes on.
struct Hashing<'o> {
    out: &'o mut dyn Write,
    digest: Sha256,
}

impl Write for Hashing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.digest.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Writes a frame: its length, and numbers, which should be few, because a frame is in memory as a whole.
pub(crate) fn put(out: &mut dyn Write, numbers: impl FnOnce(&mut Writer)) -> io::Result<()> {
    let mut writer = Writer::default();
    numbers(&mut writer);
    let frame = writer.finish();
    out.write_all(&(frame.len() as u64).to_le_bytes())?;
    out.write_all(&frame)
}

/// Writes a list of numbers with its length, in several frames.
pub(crate) fn put_f64s(out: &mut dyn Write, numbers: &[f64]) -> io::Result<()> {
    put(out, |out| out.length(numbers.len()))?;
    numbers.chunks(FRAME_NUMBERS).try_for_each(|chunk| put(out, |out| out.f64s(chunk)))
}

/// Reads a list that [`put_f64s`] wrote.
pub(crate) fn get_f64s(frames: &mut Frames<'_>) -> Result<Vec<f64>, ArtifactError> {
    let count = frames.next(|reader| reader.length())?;
    // Allocated only if all numbers exist.
    if count as u64 > frames.source.limit() / size_of::<f64>() as u64 {
        return Err(ArtifactError::invalid("the length of a list"));
    }
    let mut numbers = Vec::with_capacity(count);
    while numbers.len() < count {
        let chunk = FRAME_NUMBERS.min(count - numbers.len());
        numbers.extend(frames.next(|reader| reader.f64s(chunk))?);
    }
    Ok(numbers)
}

/// The state of a checkpoint, frame by frame.
pub(crate) struct Frames<'s> {
    source: Take<BufReader<&'s mut dyn CheckpointSource>>,
    /// The last frame.
    bytes: Vec<u8>,
}

impl Frames<'_> {
    /// Reads a frame that [`put`] wrote. `read` must read all of it.
    pub(crate) fn next<T>(
        &mut self,
        read: impl FnOnce(&mut Reader<'_>) -> Result<T, ArtifactError>,
    ) -> Result<T, ArtifactError> {
        let failed = |error: io::Error| ArtifactError::invalid(format!("a frame can't be read: {error}"));
        let mut length = [0; size_of::<u64>()];
        self.source.read_exact(&mut length).map_err(failed)?;
        let length = u64::from_le_bytes(length);
        if length > self.source.limit() {
            return Err(ArtifactError::invalid("the length of a frame"));
        }
        self.bytes.clear();
        let length = usize::try_from(length).map_err(|_| ArtifactError::invalid("the length of a frame"))?;
        self.bytes.resize(length, 0);
        self.source.read_exact(&mut self.bytes).map_err(failed)?;
        let mut reader = Reader::new(&self.bytes);
        let value = read(&mut reader)?;
        reader.end().map(|()| value)
    }

    /// Checks that all frames were read.
    fn end(&self) -> Result<(), ArtifactError> {
        if self.source.limit() == 0 { Ok(()) } else { Err(ArtifactError::invalid("unexpected frames at the end")) }
    }
}

/// Checks the digest of a checkpoint and what it belongs to, and returns the frames of its state.
fn verify<'s>(source: &'s mut dyn CheckpointSource, identity: &[u8; DIGEST_BYTES]) -> Result<Frames<'s>, &'static str> {
    const DAMAGED: &str = "it is damaged";
    const UNREADABLE: &str = "it can't be read";
    let head = [&MAGIC[..], &identity[..]].concat();
    let length = source.seek(SeekFrom::End(0)).map_err(|_| UNREADABLE)?;
    let hashed = length.checked_sub(DIGEST_BYTES as u64).ok_or(DAMAGED)?;
    source.rewind().map_err(|_| UNREADABLE)?;
    let mut digest = Sha256::new();
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, &mut *source);
    io::copy(&mut reader.by_ref().take(hashed), &mut digest).map_err(|_| UNREADABLE)?;
    let mut found = Vec::with_capacity(DIGEST_BYTES);
    reader.read_to_end(&mut found).map_err(|_| UNREADABLE)?;
    if digest.finalize()[..] != found[..] {
        return Err(DAMAGED);
    }
    let state = hashed.checked_sub(head.len() as u64).ok_or(DAMAGED)?;
    source.rewind().map_err(|_| UNREADABLE)?;
    let mut reader = BufReader::with_capacity(BUFFER_BYTES, source);
    let mut found = vec![0; head.len()];
    reader.read_exact(&mut found).map_err(|_| UNREADABLE)?;
    if found != head {
        return Err(
            "it belongs to another dataset, to other parameters, to another kind of CPU or to another version of \
            Trainyard",
        );
    }
    Ok(Frames { source: reader.take(state), bytes: Vec::new() })
}

/// The digest of everything that decides the bytes of the model.
fn identity(request: &TrainRequest) -> [u8; DIGEST_BYTES] {
    let TrainRequest { spec, schema, dataset_sha256, memory_limit, artifact_limit } = request;
    // The limits decide which models a search tries and combines, and nothing else.
    let limits = (spec.algorithm == Algorithm::Auto).then_some((memory_limit, artifact_limit));
    let code = (env!("CARGO_PKG_VERSION"), env!("TRAINING_CODE_DIGEST"), std::env::consts::ARCH, simd::has_fma());
    // Serialization of string keys and numbers can't fail.
    let text = serde_json::to_vec(&(code, spec, schema, dataset_sha256, limits)).unwrap_or_default();
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn checkpoint(identity: &[u8; 32]) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], identity].concat();
        put(&mut bytes, |out| out.raw(b"state")).unwrap();
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        bytes
    }

    #[test]
    fn each_flipped_bit_and_each_lost_byte_is_found() {
        let whole = checkpoint(&[7; 32]);
        let content = |bytes: Vec<u8>, identity: &[u8; 32]| {
            let mut source = Cursor::new(bytes);
            let mut frames = verify(&mut source, identity)?;
            let state = frames.next(|reader| reader.take(5).map(<[u8]>::to_vec)).unwrap();
            frames.end().map(|()| state).map_err(|_| "the end")
        };
        assert_eq!(content(whole.clone(), &[7; 32]), Ok(b"state".to_vec()));
        assert!(content(whole.clone(), &[8; 32]).unwrap_err().starts_with("it belongs to another dataset"));
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            assert_eq!(content(flipped, &[7; 32]), Err("it is damaged"), "byte {at}");
            assert_eq!(content(whole[..at].to_vec(), &[7; 32]), Err("it is damaged"), "{at} bytes");
        }
    }

    /// Remembers the largest number of bytes that were asked for at once.
    struct Measured(Cursor<Vec<u8>>, usize);

    impl Read for Measured {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            self.1 = self.1.max(out.len());
            self.0.read(out)
        }
    }

    impl Seek for Measured {
        fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
            self.0.seek(to)
        }
    }

    #[test]
    fn a_checkpoint_is_never_in_memory_as_a_whole() {
        let numbers: Vec<f64> = (0..1_000_000).map(f64::from).collect();
        let mut bytes = [&MAGIC[..], &[7; 32]].concat();
        put_f64s(&mut bytes, &numbers).unwrap();
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        let mut source = Measured(Cursor::new(bytes), 0);
        assert!(get_f64s(&mut verify(&mut source, &[7; 32]).unwrap()).unwrap() == numbers);
        assert!(source.1 <= BUFFER_BYTES, "{} bytes at once", source.1);
    }
}
