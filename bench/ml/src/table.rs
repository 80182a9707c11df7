//! A job: from a CSV to a model file, as a worker trains it. The types of the columns are those that an upload detects.

use std::fs::File;
use std::hint::black_box;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use anyhow::{Context, ensure};
use serde_json::{Map, Value, json};
use trainyard_csv::cell::{Cell, Reader};
use trainyard_csv::{Limits, ReadOptions, Rows, profile};
use trainyard_domain::algorithm::BUDGET_S;
use trainyard_domain::spec::LearningOptions;
use trainyard_domain::table::{ColumnSchema, TableSchema};
use trainyard_domain::{Algorithm, TaskKind, Training};
use trainyard_ml::model::{FeatureKind, Task};
use trainyard_ml::predict::{Column, Columns, Predictor};
use trainyard_ml::train::{Observer, TrainRequest, train};

use crate::measure::{self, Memory};

/// Number of rows that are predicted one by one for the time of a prediction.
const SINGLE_ROWS: usize = 256;

#[derive(Debug, clap::Args)]
pub(crate) struct TableArguments {
    /// The name of the algorithm.
    #[arg(long, value_parser = |name: &str| Algorithm::parse(name).ok_or("unknown algorithm"))]
    algorithm: Algorithm,
    /// Seconds of a search.
    #[arg(long)]
    budget: Option<f64>,
    /// CSV of the training rows.
    #[arg(long)]
    train: PathBuf,
    /// CSV of the rows to predict.
    #[arg(long)]
    test: PathBuf,
    /// The column to predict.
    #[arg(long)]
    target: String,
    /// The task.
    #[arg(long, value_parser = |name: &str| TaskKind::parse(name).ok_or("classification or regression"))]
    task: TaskKind,
    /// Receives the probabilities of all classes, or the predicted number, for each row of `test`, as `f64`.
    #[arg(long)]
    out: PathBuf,
}

pub(crate) fn run(arguments: &TableArguments) -> anyhow::Result<Value> {
    let found = profile(open(&arguments.train)?, &ReadOptions::default(), &Limits::default())?;
    let schema = found.schema();
    let request = request(arguments, schema.clone());
    let memory = Memory::start()?;
    let (start, phases) = (Instant::now(), Phases::default());
    let trained = train(open(&arguments.train)?, &request, &phases)?;
    let job_s = start.elapsed().as_secs_f64();
    let [fit_mb, peak_mb] = memory.peak_mb()?;
    let fit_s = phases.seconds_between("preparing", "measuring").context("the job reported no phases")?;

    let predictor = Predictor::load(&trained.artifact)?;
    let (columns, rows) = read(&arguments.test, &schema, &predictor)?;
    let outputs = predictor.predict_columns(&columns, rows)?;
    let task = &predictor.signature().task;
    match task {
        Task::Binary { .. } => measure::write(&arguments.out, outputs.iter().flat_map(|p| [1.0 - p, *p]))?,
        Task::MultiClass { .. } | Task::Regression => measure::write(&arguments.out, outputs.iter().copied())?,
    }
    let batch_us = measure::microseconds(rows, || {
        black_box(predictor.predict_columns(black_box(&columns), rows)?);
        Ok(())
    })?;
    let single: Vec<Columns<'_>> = (0..rows.min(SINGLE_ROWS)).map(|row| row_of(&columns, row)).collect();
    let row_us = measure::microseconds(single.len(), || {
        for row in &single {
            black_box(predictor.predict_columns(black_box(row), 1)?);
        }
        Ok(())
    })?;
    let search = trained.metrics.get("search");
    Ok(json!({
        "fit_s": fit_s, "job_s": job_s, "fit_mb": fit_mb, "peak_mb": peak_mb, "batch_us": batch_us, "row_us": row_us,
        "classes": task.labels(), "search": search, "artifact_bytes": trained.artifact.len(),
    }))
}

/// A job with the defaults. The held-out part is as small as possible, because `bench/ml.py` has its own.
fn request(arguments: &TableArguments, schema: TableSchema) -> TrainRequest {
    let names = schema.columns.iter().map(|column| column.name.clone());
    let features = names.filter(|name| *name != arguments.target).collect();
    let mut params = Map::from_iter([("test_size".to_owned(), json!(0.05))]);
    params.extend(arguments.budget.map(|budget| (BUDGET_S.to_owned(), json!(budget))));
    let spec = Training {
        algorithm: arguments.algorithm,
        features,
        target: arguments.target.clone(),
        params,
        learning: LearningOptions { task: Some(arguments.task), ..Default::default() },
        warnings: Vec::new(),
        auto_promote: None,
        seed: 42,
    };
    TrainRequest { spec, schema, dataset_sha256: String::new(), memory_limit: None, artifact_limit: None }
}

/// The features of a model in a CSV, and the number of its rows.
fn read(path: &Path, schema: &TableSchema, predictor: &Predictor) -> anyhow::Result<(Columns<'static>, usize)> {
    let features = &predictor.signature().features;
    let mut inputs = Vec::with_capacity(features.len());
    for feature in features {
        let at = schema.columns.iter().position(|column| column.name == feature.name);
        let at = at.with_context(|| format!("no column '{}'", feature.name))?;
        let column = ColumnSchema { dtype: feature.kind.dtype(), ..schema.columns[at].clone() };
        let values = match feature.kind {
            FeatureKind::Number { .. } => Column::Numbers(Vec::new()),
            FeatureKind::Boolean { .. } => Column::Booleans(Vec::new()),
            FeatureKind::Category { .. } | FeatureKind::Datetime { .. } => Column::Texts(Vec::new()),
        };
        inputs.push((at, Reader::new(&schema.format, &column), values));
    }
    let mut rows = Rows::open(open(path)?, schema)?;
    let mut count = 0;
    while let Some(record) = rows.next()? {
        count += 1;
        for (at, reader, values) in &mut inputs {
            let text = record.get(*at);
            match values {
                Column::Numbers(numbers) => numbers.push(match reader.read(text) {
                    Cell::Number(number) => number,
                    _ => f64::NAN,
                }),
                Column::Booleans(values) => values.push(match reader.read(text) {
                    Cell::Boolean(value) => Some(value),
                    _ => None,
                }),
                Column::Texts(texts) => texts.push(Some(text.to_owned().into())),
            }
        }
    }
    ensure!(count > 0, "{} has no rows", path.display());
    Ok((Columns::Each(inputs.into_iter().map(|(_, _, values)| values).collect()), count))
}

/// One row of columns.
fn row_of(columns: &Columns<'static>, row: usize) -> Columns<'static> {
    let Columns::Each(columns) = columns else { return columns.clone() };
    let of_column = |column: &Column<'static>| match column {
        Column::Numbers(numbers) => Column::Numbers(vec![numbers[row]]),
        Column::Booleans(values) => Column::Booleans(vec![values[row]]),
        Column::Texts(texts) => Column::Texts(vec![texts[row].clone()]),
    };
    Columns::Each(columns.iter().map(of_column).collect())
}

fn open(path: &Path) -> anyhow::Result<BufReader<File>> {
    Ok(BufReader::new(File::open(path).with_context(|| path.display().to_string())?))
}

/// The start of each phase of a job.
#[derive(Default)]
struct Phases {
    starts: Mutex<Vec<(String, Instant)>>,
}

impl Phases {
    /// Seconds from the start of one phase to the start of another one.
    fn seconds_between(&self, from: &str, to: &str) -> Option<f64> {
        let starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        let start = |name: &str| starts.iter().find(|(phase, _)| phase == name).map(|(_, start)| *start);
        Some(start(to)?.saturating_duration_since(start(from)?).as_secs_f64())
    }
}

impl Observer for Phases {
    fn progress(&self, phase: &str, _fraction: f64) {
        let mut starts = self.starts.lock().unwrap_or_else(PoisonError::into_inner);
        if starts.last().is_none_or(|(last, _)| last != phase) {
            starts.push((phase.to_owned(), Instant::now()));
        }
    }

    fn cancelled(&self) -> bool {
        false
    }
}
