//! `make bench-ml`: trains one model with our own engines and prints the seconds and the memory as JSON. `bench/ml.py`
//! starts one process per measurement, as for the other libraries.
//!
//! A table is a file of little-endian `f64` numbers, row by row; the last number of a row is its class.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use clap::{Parser, ValueEnum};
use linfa::traits::Fit;
use linfa::{DatasetBase, ParamGuard};
use ndarray::{Array1, Array2, s};
use trainyard_domain::spec::LearningOptions;
use trainyard_domain::table::{ColumnSchema, TableSchema};
use trainyard_domain::{Algorithm, Dtype, TaskKind, Training};
use trainyard_ml::boosting::BoostingClassifierParams;
use trainyard_ml::forest::RandomForestParams;
use trainyard_ml::linear::LogisticParams;
use trainyard_ml::predict::{Columns, Predictor};
use trainyard_ml::svm::SvmClassifierParams;
use trainyard_ml::train::{Observer, TrainRequest, train};

/// Seconds of a search, also in `bench/ml_peer.py`.
const BUDGET_S: u64 = 60;

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Model {
    Svm,
    SvmCalibrated,
    Logistic,
    Forest,
    /// 100 rounds with 31 leaves, without early stopping: the work is the same for every library.
    BoostingEqual,
    /// With the defaults.
    Boosting,
    /// A search with a time budget.
    Auto,
}

#[derive(Debug, Parser)]
struct Arguments {
    /// The model to train.
    #[arg(long)]
    model: Model,
    /// Table of the training rows.
    #[arg(long)]
    train: PathBuf,
    /// Table of the rows to predict.
    #[arg(long)]
    test: PathBuf,
    /// Numbers per row, with the class.
    #[arg(long)]
    columns: usize,
    /// Number of threads.
    #[arg(long)]
    threads: usize,
    /// Receives the probability of class 1 of each row of `test`, as `f64`.
    #[arg(long)]
    out: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    rayon::ThreadPoolBuilder::new().num_threads(arguments.threads).build_global()?;
    let (rows, classes) = read(&arguments.train, arguments.columns)?;
    let (queried, _) = read(&arguments.test, arguments.columns)?;
    let dataset = DatasetBase::new(rows, classes);
    // The peak of the fit alone, above the memory of the table.
    std::fs::write("/proc/self/clear_refs", "5").context("cannot reset the peak memory")?;
    let before = status_mb("VmRSS:")?;
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
            let model = RandomForestParams::<trainyard_ml::forest::Classes>::default().check()?.fit(&dataset)?;
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
        Model::Auto => {
            let artifact = search(&dataset)?;
            (start.elapsed(), predict(&artifact, &queried)?)
        }
    };
    let peak = status_mb("VmHWM:")?;
    let bytes: Vec<u8> = probabilities.column(1).iter().flat_map(|probability| probability.to_le_bytes()).collect();
    std::fs::write(&arguments.out, bytes)?;
    let answer =
        serde_json::json!({"fit_s": seconds.as_secs_f64(), "fit_mb": (peak - before).max(0.0), "peak_mb": peak});
    write_line(&answer.to_string())
}

struct Quiet;

impl Observer for Quiet {
    fn progress(&self, _phase: &str, _fraction: f64) {}

    fn cancelled(&self) -> bool {
        false
    }
}

/// Searches as a job does, from a table in CSV. The held-out part is as small as possible, because `bench/ml.py` has its own.
fn search(dataset: &DatasetBase<Array2<f64>, Array1<usize>>) -> anyhow::Result<Vec<u8>> {
    let columns = dataset.records.ncols();
    let names: Vec<String> = (0..columns).map(|column| format!("x{column}")).collect();
    let mut csv = format!("{},y\n", names.join(","));
    for (row, class) in dataset.records.rows().into_iter().zip(&dataset.targets) {
        for number in row {
            let text = if number.is_nan() { String::new() } else { number.to_string() };
            write!(csv, "{text},")?;
        }
        writeln!(csv, "{class}")?;
    }
    let column = |name: &str| ColumnSchema { name: name.to_owned(), dtype: Dtype::Number, reading: Default::default() };
    let columns = names.iter().map(String::as_str).chain(["y"]).map(column).collect();
    let params = serde_json::json!({"budget_s": BUDGET_S, "test_size": 0.05});
    let spec = Training {
        algorithm: Algorithm::Auto,
        features: names,
        target: "y".to_owned(),
        params: params.as_object().cloned().unwrap_or_default(),
        learning: LearningOptions { task: Some(TaskKind::Classification), ..Default::default() },
        warnings: Vec::new(),
        auto_promote: None,
        seed: 42,
    };
    let schema = TableSchema { columns, ..Default::default() };
    let (dataset_sha256, memory_limit, artifact_limit) = Default::default();
    let request = TrainRequest { spec, schema, dataset_sha256, memory_limit, artifact_limit };
    Ok(train(csv.as_bytes(), &request, &Quiet)?.artifact)
}

/// The probabilities of both classes.
fn predict(artifact: &[u8], queried: &Array2<f64>) -> anyhow::Result<Array2<f64>> {
    let predictor = Predictor::load(artifact)?;
    let rows = Columns::Matrix(queried.iter().copied().collect());
    let positive = predictor.predict_columns(&rows, queried.nrows())?;
    Ok(Array2::from_shape_fn((positive.len(), 2), |(row, class)| match class {
        1 => positive[row],
        _ => 1.0 - positive[row],
    }))
}

fn read(path: &Path, columns: usize) -> anyhow::Result<(Array2<f64>, Array1<usize>)> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    ensure!(columns > 1 && bytes.len().is_multiple_of(8 * columns), "{} is not a table", path.display());
    let numbers: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|chunk| f64::from_le_bytes(*chunk)).collect();
    let table = Array2::from_shape_vec((numbers.len() / columns, columns), numbers)?;
    let rows = table.slice(s![.., ..columns - 1]).as_standard_layout().into_owned();
    Ok((rows, table.column(columns - 1).mapv(|class| class as usize)))
}

/// A line of the process status, in MB. The peak is that since its reset.
fn status_mb(name: &str) -> anyhow::Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kilobytes / 1024.0)
}

fn write_line(text: &str) -> anyhow::Result<()> {
    use std::io::Write;
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}
