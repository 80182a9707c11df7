//! The search: works through the plan until the budget or the limit of trials ends, and keeps the best ensemble.
//!
//! The clock only decides after which trial the search ends, never which trials come before. A search that ends after the
//! same number of trials for another reason therefore has the same result.

use std::collections::HashSet;
use std::sync::Mutex;

use serde::{Deserialize, Serialize};
use trainyard_domain::Algorithm;

use super::budget::{Budget, Deadline, Durations};
use super::cost::ModelCost;
use super::plan::{Candidate, HALVING, Plan};
use super::report::{Record, score_text};
use super::saved::SavedSearch;
use super::select::{Choice, Limits, Targets, select};
use super::trial::{Scored, TrialObserver, TrialRows};
use crate::error::TrainError;
use crate::progress::Progress;

/// Maximum number of models from which an ensemble is selected: the best ones.
pub(super) const LIBRARY: usize = 25;
/// The search ends after this many trials in a row without a result: the others would have none, either.
const FRUITLESS_TRIALS: usize = 50;
/// Maximum number of entries of the plan, also with the longest budget.
const MAX_ENTRIES: usize = 100_000;
/// The estimated seconds of a final training are multiplied by this, because estimates are uncertain.
const REFIT_MARGIN: f64 = 1.2;

/// A trial on all rows that can be a member of the ensemble.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Model {
    /// The number of the trial, from 1.
    pub(super) trial: usize,
    pub(super) candidate: Candidate,
    pub(super) score: f64,
    #[serde(skip)]
    pub(super) predictions: Vec<f64>,
    /// Of the model that is trained on all rows.
    cost: ModelCost,
    /// Probable seconds to train this model.
    refit_s: f64,
}

/// The trials whose models are combined.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Best {
    /// The number, the candidate and the weight of each member.
    pub(super) members: Vec<(usize, Candidate, f64)>,
    pub(super) score: f64,
    refit_s: f64,
}

/// The best trial alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct BestSingle {
    pub(super) trial: usize,
    pub(super) algorithm: Algorithm,
    pub(super) score: f64,
}

/// Why a candidate does not fit into the memory; `None` if it fits.
pub(super) type MemoryCheck<'a> = &'a dyn Fn(&Candidate) -> Option<String>;

/// The input of a search.
pub(super) struct Setting<'a> {
    pub(super) plan: &'a Plan,
    pub(super) rows: TrialRows<'a>,
    pub(super) targets: Targets<'a>,
    pub(super) limits: Limits,
    pub(super) budget: Budget<'a>,
    pub(super) memory: MemoryCheck<'a>,
    /// The share of a trial's seconds that the training of one model with all rows takes.
    pub(super) refit_share: f64,
    pub(super) progress: &'a Progress<'a>,
}

/// The state of a search.
pub(super) struct Search<'a> {
    pub(super) setting: &'a Setting<'a>,
    pub(super) records: Vec<Record>,
    /// Number of trials with a score.
    pub(super) finished: u64,
    pub(super) library: Vec<Model>,
    pub(super) best: Option<Best>,
    pub(super) best_single: Option<BestSingle>,
    /// The model with the fastest prediction, for the case that none is within the limits.
    pub(super) fastest: Option<(usize, Candidate, ModelCost)>,
    /// The seconds of the run at which the score improved, with the score.
    pub(super) improvements: Vec<(f64, f64)>,
    durations: Durations,
    tried: HashSet<String>,
    fruitless: usize,
    /// Whether all trials are finished.
    pub(super) ended: bool,
    /// Number of records of an earlier run, and how many of them are replayed.
    earlier: usize,
    replayed: usize,
}

/// What became of a candidate.
enum Attempt {
    Scored(f64),
    Skipped,
    /// The search has ended.
    Ended,
}

impl<'a> Search<'a> {
    /// A search without trials.
    pub(super) fn new(setting: &'a Setting<'a>) -> Self {
        Self {
            setting,
            records: Vec::new(),
            finished: 0,
            library: Vec::new(),
            best: None,
            best_single: None,
            fastest: None,
            improvements: Vec::new(),
            durations: Durations::default(),
            tried: HashSet::new(),
            fruitless: 0,
            ended: false,
            earlier: 0,
            replayed: 0,
        }
    }

    /// Runs the whole search, or the rest of an `earlier` one.
    ///
    /// # Errors
    /// [`TrainError::Cancelled`] if the observer cancelled the run.
    pub(super) fn run(setting: &'a Setting<'a>, earlier: Option<SavedSearch>) -> Result<Self, TrainError> {
        let mut search = Self::new(setting);
        if let Some(earlier) = earlier {
            search.restore(earlier);
        }
        if !search.ended {
            search.work_through()?;
            search.ended = true;
            search.save_if_due();
        }
        Ok(search)
    }

    fn restore(&mut self, earlier: SavedSearch) {
        let SavedSearch { ended, records, library, best, best_single, fastest, improvements, .. } = earlier;
        // The replay counts the trials of a search that goes on.
        self.finished = if ended { records.iter().filter(|record| record.score.is_some()).count() as u64 } else { 0 };
        self.earlier = records.len();
        (self.ended, self.records, self.library) = (ended, records, library);
        (self.best, self.best_single, self.fastest, self.improvements) = (best, best_single, fastest, improvements);
    }

    /// The result of the next candidate of the plan, if an earlier run has tried it.
    fn replay(&mut self, candidate: &Candidate, share: f64) -> Option<Attempt> {
        let record = self.records[..self.earlier].get(self.replayed)?;
        self.replayed += 1;
        let (score, seconds) = (record.score, record.seconds);
        let Some(score) = score else {
            self.fruitless += 1;
            return Some(Attempt::Skipped);
        };
        self.fruitless = 0;
        self.finished += 1;
        self.durations.record(candidate, share, seconds);
        Some(Attempt::Scored(score))
    }

    fn work_through(&mut self) -> Result<(), TrainError> {
        let plan = self.setting.plan;
        for candidate in plan.defaults() {
            self.tried.insert(key(&candidate));
            if let Attempt::Ended = self.attempt(&candidate, 1.0)? {
                return Ok(());
            }
        }
        let mut next = 0;
        while self.fruitless < FRUITLESS_TRIALS && next < MAX_ENTRIES as u64 {
            let mut bracket = Vec::with_capacity(plan.bracket());
            while bracket.len() < plan.bracket() && next < MAX_ENTRIES as u64 {
                bracket.extend(plan.candidate(next).filter(|candidate| self.tried.insert(key(candidate))));
                next += 1;
            }
            for share in &plan.rungs {
                let mut scored: Vec<(f64, Candidate)> = Vec::new();
                for candidate in bracket {
                    match self.attempt(&candidate, *share)? {
                        Attempt::Scored(score) => scored.push((score, candidate)),
                        Attempt::Skipped => {}
                        Attempt::Ended => return Ok(()),
                    }
                }
                // Equal scores keep the order of the plan.
                scored.sort_by(|a, b| a.0.total_cmp(&b.0));
                scored.truncate(scored.len().div_ceil(HALVING));
                bracket = scored.into_iter().map(|(_, candidate)| candidate).collect();
            }
        }
        Ok(())
    }

    fn attempt(&mut self, candidate: &Candidate, share: f64) -> Result<Attempt, TrainError> {
        if let Some(attempt) = self.replay(candidate, share) {
            return Ok(attempt);
        }
        let attempt = self.try_candidate(candidate, share);
        // The record of a candidate that ends the search must not be replayed.
        if !matches!(attempt, Ok(Attempt::Ended)) {
            self.save_if_due();
        }
        attempt
    }

    fn try_candidate(&mut self, candidate: &Candidate, share: f64) -> Result<Attempt, TrainError> {
        let Setting { budget, progress, rows, memory, .. } = self.setting;
        progress.check()?;
        if budget.max_trials.is_some_and(|max| self.finished >= max) {
            return Ok(Attempt::Ended);
        }
        if let Some(reason) = memory(candidate) {
            return Ok(self.skip(candidate, share, reason));
        }
        let reserve = self.reserve();
        let start = budget.used();
        let left = budget.seconds - start - reserve;
        let estimate =
            self.durations.estimate(candidate, share).map(|seconds| seconds * (1.0 + self.refit_share(share)));
        let reason = match estimate {
            _ if left <= 0.0 => Some("the budget has ended".to_owned()),
            Some(estimate) if estimate > left => {
                Some(format!("it needs about {estimate:.1} s, and {left:.1} s of the budget are left for it"))
            }
            _ => None,
        };
        if let Some(reason) = reason {
            self.skip(candidate, share, reason);
            return Ok(Attempt::Ended);
        }
        let deadline = Deadline { start, reserve, refit_share: self.refit_share(share) };
        let observer =
            TrialObserver { progress, budget: *budget, deadline, trials: self.finished, reporting: Mutex::new(()) };
        let trial = Progress::start(&observer, "searching", 0.0, 1.0);
        match trial.and_then(|trial| rows.run(candidate, share, &trial)) {
            Ok(scored) => {
                let seconds = budget.used() - start;
                Ok(self.score(candidate, share, scored, seconds))
            }
            Err(TrainError::Failed { message, .. }) => Ok(self.skip(candidate, share, message)),
            Err(TrainError::Cancelled) => {
                progress.check()?;
                self.skip(candidate, share, "it was stopped at the end of the budget".into());
                Ok(Attempt::Ended)
            }
        }
    }

    fn refit_share(&self, share: f64) -> f64 {
        if share < 1.0 { 0.0 } else { self.setting.refit_share * REFIT_MARGIN }
    }

    /// Seconds that training the members of the best ensemble again takes at most, also if the next trial changes them.
    fn reserve(&self) -> f64 {
        let mut seconds: Vec<f64> = self.library.iter().map(|model| model.refit_s).collect();
        seconds.sort_by(|a, b| b.total_cmp(a));
        let members = if self.setting.limits.combine { self.setting.plan.max_members } else { 1 };
        let of_library: f64 = seconds.iter().take(members).sum();
        of_library.max(self.best.as_ref().map_or(0.0, |best| best.refit_s))
    }

    fn record(&self, candidate: &Candidate, share: f64) -> Record {
        let rows = self.setting.rows.folds.sample(share).count();
        Record {
            trial: self.records.len() + 1,
            algorithm: candidate.algorithm,
            params: candidate.drawn.clone(),
            rows,
            folds: self.setting.rows.validated,
            score: None,
            seconds: 0.0,
            skipped: None,
        }
    }

    fn skip(&mut self, candidate: &Candidate, share: f64, reason: String) -> Attempt {
        let record = Record { skipped: Some(reason), ..self.record(candidate, share) };
        self.setting.progress.note(&record.message(self.setting.targets.name(), None));
        self.records.push(record);
        self.fruitless += 1;
        Attempt::Skipped
    }

    fn score(&mut self, candidate: &Candidate, share: f64, scored: Scored, seconds: f64) -> Attempt {
        let Scored { predictions, score, cost } = scored;
        self.fruitless = 0;
        self.finished += 1;
        self.durations.record(candidate, share, seconds);
        let record = Record { score: Some(score), seconds, ..self.record(candidate, share) };
        let trial = record.trial;
        if share >= 1.0 {
            let folds = self.setting.plan.folds as f64;
            let cost = cost.grown(folds / (folds - 1.0));
            let refit_s = seconds * self.refit_share(share);
            self.add(Model { trial, candidate: candidate.clone(), score, predictions, cost, refit_s });
        }
        let name = self.setting.targets.name();
        let best = self.best.as_ref().map(|best| best.score);
        self.setting.progress.note(&record.message(name, best));
        self.setting.progress.metric(&format!("trial_{name}"), score, trial as u64);
        self.records.push(record);
        Attempt::Scored(score)
    }

    /// Adds a model to the library, and selects the ensemble again.
    fn add(&mut self, model: Model) {
        if self.fastest.as_ref().is_none_or(|(.., cost)| model.cost.predict_us < cost.predict_us) {
            self.fastest = Some((model.trial, model.candidate.clone(), model.cost));
        }
        let Setting { limits, targets, budget, .. } = self.setting;
        if !limits.allow(model.cost) {
            return;
        }
        if self.best_single.as_ref().is_none_or(|best| model.score < best.score) {
            let algorithm = model.candidate.algorithm;
            self.best_single = Some(BestSingle { trial: model.trial, algorithm, score: model.score });
        }
        self.library.push(model);
        // Stable, so that the earlier of equal models is kept.
        self.library.sort_by(|a, b| a.score.total_cmp(&b.score));
        self.library.truncate(LIBRARY);
        let choices: Vec<Choice<'_>> =
            self.library.iter().map(|model| Choice { predictions: &model.predictions, cost: model.cost }).collect();
        let Some(selection) = select(&choices, *targets, limits) else { return };
        if self.best.as_ref().is_some_and(|best| selection.score >= best.score) {
            return;
        }
        let mut chosen: Vec<(&Model, f64)> =
            selection.members.iter().map(|(at, weight)| (&self.library[*at], *weight)).collect();
        chosen.sort_by_key(|(model, _)| model.trial);
        let refit_s = chosen.iter().map(|(model, _)| model.refit_s).sum();
        let members =
            chosen.into_iter().map(|(model, weight)| (model.trial, model.candidate.clone(), weight)).collect();
        self.best = Some(Best { members, score: selection.score, refit_s });
        self.improvements.push((budget.used(), selection.score));
    }
}

/// The same for candidates with the same parameters.
fn key(candidate: &Candidate) -> String {
    format!("{} {}", candidate.algorithm.as_str(), serde_json::Value::Object(candidate.params.as_map().clone()))
}

impl Targets<'_> {
    /// The name of the score, as in the metrics.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Classes => "log_loss",
            Self::Numbers(_) => "rmse",
        }
    }
}

impl Best {
    /// The members in words.
    pub(super) fn message(&self, name: &str) -> String {
        let of_member = |(trial, candidate, weight): &(usize, Candidate, f64)| {
            format!("{:.1} % {} (trial {trial})", weight * 100.0, candidate.algorithm.as_str())
        };
        let members: Vec<_> = self.members.iter().map(of_member).collect();
        format!("chosen: {}, validation {name} {}", members.join(", "), score_text(self.score))
    }
}
