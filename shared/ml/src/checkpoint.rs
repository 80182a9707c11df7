//! Checkpoints: the state of a training run, from which another process continues to the same model file.
//!
//! ```text
//! magic "TYCHECK\0" · identity of the run (SHA-256) · kind u32 · state of the algorithm
//! SHA-256 of everything before it
//! ```
//! All numbers are little-endian. The identity covers everything that decides the bytes of the model: the code, the kind of
//! CPU, the dataset and the job specification. A checkpoint with another identity or with damaged bytes is ignored, and the
//! run starts from the beginning.
//!
//! A state contains only finished work: trees, rounds, trials, models of an ensemble. Everything else is computed again.

use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};

use sha2::{Digest, Sha256};
use trainyard_domain::Algorithm;

use crate::artifact::{ArtifactError, Reader, Writer};
use crate::progress::Observer;
use crate::simd;
use crate::train::TrainRequest;

const MAGIC: &[u8; 8] = b"TYCHECK\0";
const DIGEST_BYTES: usize = 32;
/// Bytes that are written and hashed at once.
const BUFFER_BYTES: usize = 64 * 1024;

/// Writes the bytes of a checkpoint.
pub type WriteState<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// Stores the checkpoints of a run, and has that of an earlier run. No method may fail the run.
pub trait CheckpointStore: Sync {
    /// The last checkpoint of an earlier run of the same job; called once.
    fn load(&self) -> Option<Vec<u8>>;

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
    /// that it is not in memory while the table is read.
    pub(crate) fn restore<T>(
        &self,
        kind: Kind,
        decode: impl FnOnce(&mut Reader<'_>) -> Result<T, ArtifactError>,
    ) -> Option<T> {
        if self.is_restored.swap(true, Ordering::Relaxed) {
            return None;
        }
        let bytes = match content(self.store.load()?, &self.identity) {
            Ok(bytes) => bytes,
            Err(reason) => {
                self.ignored(reason);
                return None;
            }
        };
        let mut reader = Reader::new(&bytes);
        let decoded = reader.u32().and_then(|found| {
            if found != kind as u32 {
                return Err(ArtifactError::invalid("the state of another algorithm"));
            }
            let state = decode(&mut reader)?;
            reader.end().map(|()| state)
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
            buffer.write_all(&(kind as u32).to_le_bytes())?;
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

/// Writes numbers through a buffer of their own, which stays small.
pub(crate) fn put(out: &mut dyn Write, numbers: impl FnOnce(&mut Writer)) -> io::Result<()> {
    let mut writer = Writer::default();
    numbers(&mut writer);
    out.write_all(&writer.finish())
}

/// Writes a list of numbers with its length.
pub(crate) fn put_f64s(out: &mut dyn Write, numbers: &[f64]) -> io::Result<()> {
    put(out, |out| out.length(numbers.len()))?;
    numbers.chunks(BUFFER_BYTES / size_of::<f64>()).try_for_each(|chunk| put(out, |out| out.f64s(chunk)))
}

/// Reads a list that [`put_f64s`] wrote.
pub(crate) fn get_f64s(reader: &mut Reader<'_>) -> Result<Vec<f64>, ArtifactError> {
    let count = reader.length()?;
    reader.f64s(count)
}

/// Checks a checkpoint and returns its kind and state.
fn content(mut bytes: Vec<u8>, identity: &[u8; DIGEST_BYTES]) -> Result<Vec<u8>, &'static str> {
    const DAMAGED: &str = "it is damaged";
    let digest = bytes.len().checked_sub(DIGEST_BYTES).map(|at| bytes.split_off(at)).ok_or(DAMAGED)?;
    if Sha256::digest(&bytes)[..] != digest[..] {
        return Err(DAMAGED);
    }
    let head = [&MAGIC[..], &identity[..]].concat();
    if !bytes.starts_with(&head) {
        return Err(
            "it belongs to another dataset, to other parameters, to another kind of CPU or to another version of \
            Trainyard",
        );
    }
    bytes.drain(..head.len());
    Ok(bytes)
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
    use super::*;

    fn checkpoint(identity: &[u8; 32]) -> Vec<u8> {
        let mut bytes = [&MAGIC[..], identity, b"state"].concat();
        let digest = Sha256::digest(&bytes);
        bytes.extend_from_slice(&digest);
        bytes
    }

    #[test]
    fn each_flipped_bit_and_each_lost_byte_is_found() {
        let whole = checkpoint(&[7; 32]);
        assert_eq!(content(whole.clone(), &[7; 32]), Ok(b"state".to_vec()));
        assert!(content(whole.clone(), &[8; 32]).unwrap_err().starts_with("it belongs to another dataset"));
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << (at % 8);
            assert_eq!(content(flipped, &[7; 32]), Err("it is damaged"), "byte {at}");
            assert_eq!(content(whole[..at].to_vec(), &[7; 32]), Err("it is damaged"), "{at} bytes");
        }
    }
}
