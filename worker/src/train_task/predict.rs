//! Predicts a dataset and writes the parts of the result to files. At most [`MAX_WAITING_PARTS`] of them wait for the worker.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};

use sha2::{Digest, Sha256};
use trainyard_domain::FailureCode;
use trainyard_ml::batch::{self, BatchError, BatchRequest, Part, PartSink};
use trainyard_ml::predict::Predictor;
use trainyard_ml::train::Observer;

use super::signals::WorkerSignals;
use super::{Failure, Reporter, disk, failure, log, report};
use crate::folder::part_name;
use crate::protocol::{MAX_WAITING_PARTS, PartDone, PredictTask, Report};

/// Predicts the dataset of `task`. Returns the last report.
pub(super) fn run(task: &PredictTask, signals: &WorkerSignals) -> Result<Report, Failure> {
    let model = std::fs::read(&task.model_path).map_err(|error| disk("the model can't be read", &error))?;
    let predictor = Predictor::load(&model).map_err(|error| {
        log(&format!("the model does not load: {error}"));
        (FailureCode::ModelCorrupt, "the model can't be loaded by this version of Trainyard".to_owned())
    })?;
    drop(model);
    let csv = File::open(&task.dataset_path).map_err(|error| disk("the dataset can't be read", &error))?;
    let reporter = Reporter::default();
    let warnings = batch::missing_columns(&predictor, &task.schema);
    warnings.iter().for_each(|warning| reporter.warn(warning));
    let request = BatchRequest {
        schema: task.schema.clone(),
        columns: task.columns,
        rows: task.rows,
        part_rows: task.part_rows,
        done_rows: task.done_rows,
        header: task.first_part == 0,
    };
    let mut parts = PartFiles { number: task.first_part, written: 0, open: None, signals };
    let predicted = batch::predict(BufReader::new(csv), &predictor, &request, &mut parts, &reporter);
    let rows = predicted.map_err(|error| match error {
        BatchError::Failed(error) => failure(error),
        BatchError::Output(error) => disk("the result can't be written to the work folder", &error),
    })?;
    signals.wait_for(parts.written);
    reporter.end_phase();
    Ok(Report::Predicted { rows, warnings })
}

/// Writes the parts to files.
struct PartFiles<'s> {
    number: u64,
    /// Number of finished parts.
    written: u64,
    open: Option<OpenFile>,
    signals: &'s WorkerSignals,
}

struct OpenFile {
    file: BufWriter<File>,
    digest: Sha256,
    size: u64,
}

impl PartFiles<'_> {
    /// The file of the current part.
    fn current(&mut self) -> io::Result<&mut OpenFile> {
        if self.open.is_none() {
            let file = BufWriter::new(File::create(part_name(self.number))?);
            self.open = Some(OpenFile { file, digest: Sha256::new(), size: 0 });
        }
        self.open.as_mut().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl PartSink for PartFiles<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let open = self.current()?;
        open.file.write_all(bytes)?;
        open.digest.update(bytes);
        open.size += bytes.len() as u64;
        Ok(())
    }

    fn finish(&mut self, part: Part) -> io::Result<()> {
        let Some(OpenFile { mut file, digest, size }) = self.open.take() else { return Ok(()) };
        file.flush()?;
        drop(file);
        let Part { rows, counts } = part;
        let sha256 = hex::encode(digest.finalize());
        report(&Report::Part(PartDone { number: self.number, rows, size, sha256, counts }));
        self.number += 1;
        self.written += 1;
        self.signals.wait_for(self.written.saturating_sub(MAX_WAITING_PARTS - 1));
        Ok(())
    }
}
