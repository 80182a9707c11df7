//! An engine alone: from a matrix to a model, by linfa's traits.
//!
//! A matrix is a file of little-endian `f64` numbers, row by row; the last number of a row is its class, 0 or 1.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::ValueEnum;
use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2, s};
use serde_json::{Value, json};
use trainyard_ml::boosting::BoostingClassifierParams;
use trainyard_ml::forest::{Classes, RandomForestParams};
use trainyard_ml::linear::LogisticParams;
use trainyard_ml::svm::SvmClassifierParams;

use crate::measure::{self, Memory};

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Model {
    Svm,
    SvmCalibrated,
    Logistic,
    Forest,
    /// 100 rounds with 31 leaves, without early stopping: the work is the same for every library.
    BoostingEqual,
    /// With the defaults.
    Boosting,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MatrixArguments {
    /// The model to train.
    #[arg(long)]
    model: Model,
    /// Matrix of the training rows.
    #[arg(long)]
    train: PathBuf,
    /// Matrix of the rows to predict.
    #[arg(long)]
    test: PathBuf,
    /// Numbers per row, with the class.
    #[arg(long)]
    columns: usize,
    /// Receives the probabilities of both classes for each row of `test`, as `f64`.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(arguments: &MatrixArguments) -> anyhow::Result<Value> {
    let (rows, classes) = read(&arguments.train, arguments.columns)?;
    let (queried, _) = read(&arguments.test, arguments.columns)?;
    let dataset = DatasetBase::new(rows, classes);
    // The peak of the fit alone, above the memory of the matrix.
    let memory = Memory::start()?;
    let start = Instant::now();
    let (seconds, probabilities) = match arguments.model {
        Model::Svm | Model::SvmCalibrated => {
            let calibrated = matches!(arguments.model, Model::SvmCalibrated);
            let model = SvmClassifierParams::default().calibrated(calibrated).check()?.fit(&dataset)?;
            (start.elapsed(), model.predict_probabilities(&queried))
        }
        Model::Logistic => {
            let model = LogisticParams::default().check()?.fit(&dataset)?;
            (start.elapsed(), model.predict_probabilities(&queried))
        }
        Model::Forest => {
            let model = RandomForestParams::<Classes>::default().check()?.fit(&dataset)?;
            (start.elapsed(), model.predict_probabilities(&queried))
        }
        Model::BoostingEqual | Model::Boosting => {
            let mut params = BoostingClassifierParams::default();
            if matches!(arguments.model, Model::BoostingEqual) {
                params = params.n_rounds(100).learning_rate(0.1).max_leaves(31).early_stopping_rounds(None);
                params = params.min_samples_leaf(20).feature_fraction(1.0).subsample(1.0);
            }
            let model = params.check()?.fit(&dataset)?;
            (start.elapsed(), model.predict_probabilities(&queried))
        }
    };
    let [fit_mb, peak_mb] = memory.peak_mb()?;
    measure::write(&arguments.out, probabilities.iter().copied())?;
    let fit_s = seconds.as_secs_f64();
    Ok(json!({"fit_s": fit_s, "fit_mb": fit_mb, "peak_mb": peak_mb, "classes": ["0", "1"]}))
}

fn read(path: &Path, columns: usize) -> anyhow::Result<(Array2<f64>, Array1<usize>)> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    ensure!(columns > 1 && bytes.len().is_multiple_of(8 * columns), "{} is not a matrix", path.display());
    let numbers: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect();
    let table = Array2::from_shape_vec((numbers.len() / columns, columns), numbers)?;
    let rows = table.slice(s![.., ..columns - 1]).as_standard_layout().into_owned();
    Ok((rows, table.column(columns - 1).mapv(|class| class as usize)))
}
