//! Compiled estimators: from raw rows to output vectors.

use super::boosted::CompiledBoosting;
use super::ensemble::{CompiledEnsemble, MemberRows};
use super::flat::FlatForest;
use super::keys::Keys;
use super::machine::{CompiledSvm, SvmScratch};
use crate::model::calibration::calibrate;
use crate::model::{Calibrator, ColumnEncoder, DesignMatrixEncoder, Estimator, LinearModel, Task};

/// A compiled [`Estimator`].
#[derive(Debug)]
pub(crate) enum Engine {
    Trees(FlatForest),
    Boosting(CompiledBoosting),
    Svm(CompiledSvm),
    /// Linear models are used without compilation.
    Linear(LinearModel),
    Ensemble(CompiledEnsemble),
    /// The compiled model before the calibration, and a function per output.
    Calibrated(Box<Engine>, Vec<Calibrator>),
}

/// Buffers that a thread reuses between calls, to avoid allocations.
#[derive(Debug, Default)]
pub struct Scratch {
    keys: Keys,
    sums: Vec<f64>,
    svm: SvmScratch,
    /// For ensembles.
    member: Option<Box<(MemberRows, Scratch)>>,
}

impl Engine {
    /// Compiles an estimator for raw rows of `width` numbers.
    ///
    /// # Panics
    /// If the estimator is invalid according to [`crate::artifact::check`].
    pub(crate) fn compile(estimator: &Estimator, width: usize) -> Self {
        match estimator {
            Estimator::Trees(trees) => Self::Trees(FlatForest::compile(trees, width)),
            Estimator::Boosting(boosted) => Self::Boosting(CompiledBoosting::new(boosted, width)),
            Estimator::Svm(svm) => Self::Svm(CompiledSvm::new(svm)),
            Estimator::Linear(linear) => Self::Linear(linear.clone()),
            Estimator::Ensemble(ensemble) => Self::Ensemble(CompiledEnsemble::new(ensemble, width)),
            Estimator::Calibrated(calibrated) => {
                Self::Calibrated(Box::new(Self::compile(&calibrated.base, width)), calibrated.calibrators.clone())
            }
        }
    }

    /// The approximate memory size, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        match self {
            Self::Trees(forest) => forest.memory_bytes(),
            Self::Boosting(boosted) => boosted.memory_bytes(),
            Self::Svm(svm) => svm.memory_bytes(),
            Self::Linear(linear) => {
                let numbers = linear.weights.len() + linear.intercepts.len() + linear.means.len();
                numbers * size_of::<f64>() + encoder_bytes(&linear.encoder)
            }
            Self::Ensemble(ensemble) => ensemble.memory_bytes(),
            Self::Calibrated(base, calibrators) => {
                base.memory_bytes() + calibrators.iter().map(Calibrator::memory_bytes).sum::<usize>()
            }
        }
    }

    /// Writes the output vectors of consecutive raw rows to `outputs`. `raw` and `unseen` have `width` entries per row.
    pub(crate) fn predict(
        &self,
        task: &Task,
        width: usize,
        (raw, unseen): (&[f32], &[bool]),
        scratch: &mut Scratch,
        outputs: &mut [f64],
    ) {
        let per_row = task.outputs();
        let rows = raw.chunks_exact(width).zip(unseen.chunks_exact(width));
        match self {
            Self::Trees(forest) => forest.predict(raw, &mut scratch.keys, outputs),
            Self::Boosting(boosted) => boosted.predict(raw, &mut scratch.keys, &mut scratch.sums, outputs),
            Self::Svm(svm) => {
                for ((raw, unseen), outputs) in rows.zip(outputs.chunks_exact_mut(per_row)) {
                    svm.predict(task, raw, unseen, &mut scratch.svm, outputs);
                }
            }
            Self::Linear(linear) => {
                scratch.sums.resize(linear.encoder.width(), 0.0);
                for ((raw, unseen), outputs) in rows.zip(outputs.chunks_exact_mut(per_row)) {
                    linear.encoder.encode(raw, unseen, &mut scratch.sums);
                    linear.predict(task, &scratch.sums, outputs);
                }
            }
            Self::Ensemble(ensemble) => {
                let (rows, scratch) = &mut **scratch.member.get_or_insert_default();
                ensemble.predict(task, (raw, unseen), rows, scratch, outputs);
            }
            Self::Calibrated(base, calibrators) => {
                base.predict(task, width, (raw, unseen), scratch, outputs);
                outputs.chunks_exact_mut(per_row).for_each(|outputs| calibrate(calibrators, outputs));
            }
        }
    }

    /// The name of an algorithm in the model whose predictions have no explanation.
    pub(super) fn unexplained(&self) -> Option<&'static str> {
        match self {
            Self::Svm(_) => Some("svm"),
            Self::Ensemble(ensemble) => ensemble.engines().find_map(Self::unexplained),
            Self::Calibrated(base, _) => base.unexplained(),
            Self::Trees(_) | Self::Boosting(_) | Self::Linear(_) => None,
        }
    }
}

fn encoder_bytes(encoder: &DesignMatrixEncoder) -> usize {
    let levels = |column: &ColumnEncoder| match column {
        ColumnEncoder::ScaledWithLevels { levels, .. } => levels.len() * size_of::<f64>(),
        ColumnEncoder::Scaled { .. } | ColumnEncoder::OneHot { .. } => 0,
    };
    encoder.columns.iter().map(|column| size_of::<ColumnEncoder>() + levels(column)).sum()
}
