//! A search in a checkpoint: the finished trials, the models from which an ensemble is selected, and the models of members
//! that are already trained again. A run that continues replays the plan with the recorded trials, so the plan itself is not saved.

use std::io::{self, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cost::ModelCost;
use super::library::{Best, BestSingle, Model};
use super::plan::Candidate;
use super::refits::{Refit, Refits};
use super::report::Record;
use super::search::Search;
use crate::artifact::{ArtifactError, Reader, Section, Writer, decode_single, encode_estimator};
use crate::checkpoint::{Checkpoints, Frames, Kind, get_f64s, put, put_f64s};
use crate::model::Feature;
use crate::train::engine::Fitted;

/// The state of a search.
#[derive(Deserialize)]
pub(super) struct SavedSearch {
    /// The time of all runs.
    pub(super) used: Duration,
    /// Whether all trials are finished.
    pub(super) ended: bool,
    pub(super) records: Vec<Record>,
    pub(super) library: Vec<Model>,
    pub(super) best: Option<Best>,
    pub(super) best_single: Option<BestSingle>,
    pub(super) fastest: Option<(usize, Candidate, ModelCost)>,
    pub(super) improvements: Vec<(f64, f64)>,
    pub(super) left_out: Vec<usize>,
    pub(super) training_ahead: bool,
    #[serde(skip)]
    pub(super) refits: Refits,
}

/// As [`SavedSearch`], of a search that continues, without predictions and trained models.
#[derive(Serialize)]
struct SearchState<'s> {
    used: Duration,
    ended: bool,
    records: &'s [Record],
    library: &'s [Model],
    best: &'s Option<Best>,
    best_single: &'s Option<BestSingle>,
    fastest: &'s Option<(usize, Candidate, ModelCost)>,
    improvements: &'s [(f64, f64)],
    left_out: &'s [usize],
    training_ahead: bool,
}

/// The numbers of a trained model besides its estimator.
#[derive(Serialize, Deserialize)]
struct FittedNumbers {
    importances: Option<Vec<f64>>,
    out_of_bag_score: Option<f64>,
    n_rounds: Option<usize>,
    warning: Option<String>,
}

/// The search that an earlier run has saved, with its trained models.
pub(super) fn restore(checkpoints: Option<&Checkpoints<'_>>) -> Option<SavedSearch> {
    let checkpoints = checkpoints?;
    let search = checkpoints.restore(Kind::Search, read)?;
    let trials = search.records.iter().filter(|record| record.score.is_some()).count();
    let used = search.used.as_secs_f64();
    let (trials, models) = (counted(trials, "trial"), counted(search.refits.iter().len(), "trained model"));
    checkpoints.resumed(&format!("{trials} and {models}, after {used:.1} s of the budget"));
    Some(search)
}

/// A number of things in words.
fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

fn read(frames: &mut Frames<'_>) -> Result<SavedSearch, ArtifactError> {
    let mut search: SavedSearch = frames.next(read_json)?;
    for model in &mut search.library {
        model.predictions = get_f64s(frames)?;
    }
    if let Some(best) = &mut search.best {
        best.predictions = get_f64s(frames)?;
    }
    for _ in 0..frames.next(|reader| reader.length())? {
        let (trial, refit) = frames.next(|reader| Ok((reader.length()?, read_refit(reader)?)))?;
        search.refits.insert(trial, refit);
    }
    Ok(search)
}

impl Search<'_> {
    /// Saves the finished trials and trained models, if a checkpoint is due.
    pub(super) fn save_if_due(&self) {
        let Some(due) = self.setting.progress.checkpoints().and_then(|checkpoints| checkpoints.due()) else { return };
        due.save(Kind::Search, &counted(self.finished as usize, "trial"), &|out: &mut dyn Write| {
            self.write(out)?;
            write_refits(out, &self.refits)
        });
    }

    /// The bytes of a search that has ended, without its trained models. Its library is not needed any more.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to memory can't fail.
        let _ = self.write(&mut bytes);
        bytes
    }

    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let library = if self.ended { &[] } else { &self.library[..] };
        let state = SearchState {
            used: Duration::from_secs_f64(self.setting.budget.used()),
            ended: self.ended,
            records: &self.records,
            library,
            best: &self.best,
            best_single: &self.best_single,
            fastest: &self.fastest,
            improvements: &self.improvements,
            left_out: &self.left_out,
            training_ahead: self.training_ahead,
        };
        put(out, |out| write_json(out, &state))?;
        library.iter().try_for_each(|model| put_f64s(out, &model.predictions))?;
        self.best.iter().try_for_each(|best| put_f64s(out, &best.predictions))
    }
}

/// The checkpoints while the chosen models are trained again.
pub(super) struct RefitCheckpoints<'a> {
    pub(super) checkpoints: Option<&'a Checkpoints<'a>>,
    /// See [`Search::encode`].
    pub(super) search: Vec<u8>,
}

impl RefitCheckpoints<'_> {
    /// Saves the trained models, if a checkpoint is due.
    pub(super) fn save_if_due(&self, refits: &Refits) {
        let Some(due) = self.checkpoints.and_then(|checkpoints| checkpoints.due()) else { return };
        let done = format!("the search and {}", counted(refits.iter().len(), "trained model"));
        due.save(Kind::Search, &done, &|out: &mut dyn Write| {
            out.write_all(&self.search)?;
            write_refits(out, refits)
        });
    }
}

fn write_refits(out: &mut dyn Write, refits: &Refits) -> io::Result<()> {
    put(out, |out| out.length(refits.iter().len()))?;
    refits.iter().try_for_each(|(trial, refit)| {
        put(out, |out| {
            out.length(*trial);
            write_refit(out, refit);
        })
    })
}

fn write_refit(out: &mut Writer, refit: &Result<Refit, String>) {
    write_json(out, &refit.as_ref().map(|(features, _)| features));
    if let Ok((_, Fitted { estimator, importances, out_of_bag_score, n_rounds, warning })) = refit {
        let (importances, warning) = (importances.clone(), warning.clone());
        let numbers = FittedNumbers { importances, out_of_bag_score: *out_of_bag_score, n_rounds: *n_rounds, warning };
        write_json(out, &numbers);
        out.section(&encode_estimator(estimator));
    }
}

fn read_refit(reader: &mut Reader<'_>) -> Result<Result<Refit, String>, ArtifactError> {
    let features: Vec<Feature> = match read_json(reader)? {
        Ok(features) => features,
        Err(message) => return Ok(Err(message)),
    };
    let FittedNumbers { importances, out_of_bag_score, n_rounds, warning } = read_json(reader)?;
    let section: Section<&[u8]> = reader.section()?;
    let fitted = Fitted { estimator: decode_single(&section)?, importances, out_of_bag_score, n_rounds, warning };
    Ok(Ok((features, fitted)))
}

/// Writes a value as JSON, whose numbers are read as they were written.
fn write_json(out: &mut Writer, value: &impl Serialize) {
    // Serialization of string keys and numbers can't fail. Reading would refuse an empty text.
    let text = serde_json::to_vec(value).unwrap_or_default();
    out.length(text.len());
    out.raw(&text);
}

fn read_json<T: for<'de> Deserialize<'de>>(reader: &mut Reader<'_>) -> Result<T, ArtifactError> {
    let length = reader.length()?;
    serde_json::from_slice(reader.take(length)?).map_err(|error| ArtifactError::invalid(error.to_string()))
}
