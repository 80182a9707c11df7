//! A search in a checkpoint: the finished trials, the models from which an ensemble is selected, and the models that are
//! already trained again. A run that continues replays the plan with the recorded trials, so the plan itself is not saved.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::cost::ModelCost;
use super::plan::Candidate;
use super::report::Record;
use super::search::{Best, BestSingle, Model, Search};
use crate::artifact::{ArtifactError, Reader, Section, Writer, decode_single, encode_estimator};
use crate::checkpoint::{Checkpoints, Due, Kind, get_f64s, put, put_f64s};
use crate::model::Feature;
use crate::train::engine::Fitted;

/// The state of a search without the predictions of its models.
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
}

/// As [`SavedSearch`], of a search that continues.
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
}

/// The numbers of a trained model besides its estimator.
#[derive(Serialize, Deserialize)]
struct FittedNumbers {
    importances: Option<Vec<f64>>,
    out_of_bag_score: Option<f64>,
    n_rounds: Option<usize>,
    warning: Option<String>,
}

/// The trained models, by their position among the chosen ones.
type Refits = BTreeMap<usize, Fitted>;

/// The search and the models that an earlier run has saved.
pub(super) fn restore(checkpoints: Option<&Checkpoints<'_>>) -> Option<(SavedSearch, Refits)> {
    let checkpoints = checkpoints?;
    let (search, refits) = checkpoints.restore(Kind::Search, read)?;
    let trials = search.records.iter().filter(|record| record.score.is_some()).count();
    let used = search.used.as_secs_f64();
    let (trials, models) = (counted(trials, "trial"), counted(refits.len(), "trained model"));
    checkpoints.resumed(&format!("{trials} and {models}, after {used:.1} s of the budget"));
    Some((search, refits))
}

/// A number of things in words.
fn counted(count: usize, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

fn read(reader: &mut Reader<'_>) -> Result<(SavedSearch, Refits), ArtifactError> {
    let mut search: SavedSearch = read_json(reader)?;
    for model in &mut search.library {
        model.predictions = get_f64s(reader)?;
    }
    let mut refits = Refits::new();
    for _ in 0..reader.length()? {
        refits.insert(reader.length()?, read_fitted(reader)?);
    }
    Ok((search, refits))
}

impl Search<'_> {
    /// Saves the finished trials, if a checkpoint is due.
    pub(super) fn save_if_due(&self) {
        let Some(due) = self.setting.progress.checkpoints().and_then(|checkpoints| checkpoints.due()) else { return };
        due.save(Kind::Search, &counted(self.finished as usize, "trial"), &|out: &mut dyn Write| {
            self.write(out)?;
            put(out, |out| out.length(0))
        });
    }

    /// The bytes of a search that has ended. Its models are not needed any more.
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
        };
        put(out, |out| write_json(out, &state))?;
        library.iter().try_for_each(|model| put_f64s(out, &model.predictions))
    }
}

/// The checkpoints while the chosen models are trained again.
pub(super) struct RefitCheckpoints<'a> {
    checkpoints: Option<&'a Checkpoints<'a>>,
    /// The search, encoded.
    search: Vec<u8>,
    earlier: Refits,
}

impl<'a> RefitCheckpoints<'a> {
    pub(super) fn new(checkpoints: Option<&'a Checkpoints<'a>>, search: Vec<u8>, earlier: Refits) -> Self {
        Self { checkpoints, search, earlier }
    }

    /// The model at this position, if an earlier run has trained it.
    pub(super) fn take(&mut self, position: usize) -> Option<Fitted> {
        self.earlier.remove(&position)
    }

    /// Saves the models at the first positions, if a checkpoint is due. A model that can't be trained has a message.
    pub(super) fn save_if_due(&self, models: &[Result<(Vec<Feature>, Fitted), String>]) {
        let Some(due) = self.checkpoints.and_then(|checkpoints| checkpoints.due()) else { return };
        let trained = models.iter().enumerate().filter_map(|(at, model)| Some((at, &model.as_ref().ok()?.1)));
        // Those of the earlier run that were not needed yet.
        let trained: Vec<(usize, &Fitted)> =
            trained.chain(self.earlier.iter().map(|(at, model)| (*at, model))).collect();
        self.save(due, &trained);
    }

    fn save(&self, due: Due<'_>, trained: &[(usize, &Fitted)]) {
        due.save(
            Kind::Search,
            &format!("the search and {}", counted(trained.len(), "trained model")),
            &|out: &mut dyn Write| {
                out.write_all(&self.search)?;
                put(out, |out| out.length(trained.len()))?;
                trained.iter().try_for_each(|(at, fitted)| {
                    put(out, |out| {
                        out.length(*at);
                        write_fitted(out, fitted);
                    })
                })
            },
        );
    }
}

fn write_fitted(out: &mut Writer, fitted: &Fitted) {
    let Fitted { estimator, importances, out_of_bag_score, n_rounds, warning } = fitted;
    let (importances, warning) = (importances.clone(), warning.clone());
    let numbers = FittedNumbers { importances, out_of_bag_score: *out_of_bag_score, n_rounds: *n_rounds, warning };
    write_json(out, &numbers);
    out.section(&encode_estimator(estimator));
}

fn read_fitted(reader: &mut Reader<'_>) -> Result<Fitted, ArtifactError> {
    let FittedNumbers { importances, out_of_bag_score, n_rounds, warning } = read_json(reader)?;
    let section: Section<&[u8]> = reader.section()?;
    Ok(Fitted { estimator: decode_single(&section)?, importances, out_of_bag_score, n_rounds, warning })
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
