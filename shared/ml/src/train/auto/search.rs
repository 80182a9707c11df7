//! The search: works through the plan until the budget or the limit of trials ends, and keeps the best ensemble.
//!
//! The clock only leaves trials out: those that do not fit into the rest of the budget, and those after the end. A trial that
//! is left out has no influence on the others, also if it was stopped. [`Search::skip_trials`] lists them, and a search that
//! leaves out the same trials and ends after the same number of trials has the same result, whatever its clock is.

use std::collections::HashSet;
use std::sync::Mutex;

use trainyard_domain::algorithm::MAX_SKIPPED_TRIALS;

use super::budget::{Budget, Deadline, Durations};
use super::cost::ModelCost;
use super::library::{Best, BestSingle, Model};
use super::plan::{Candidate, HALVING, Plan};
use super::refits::{Refit, Refits, WithoutReports};
use super::report::Record;
use super::saved::SavedSearch;
use super::select::{Limits, Targets};
use super::trial::{Scored, TrialObserver, TrialRows};
use crate::error::TrainError;
use crate::progress::Progress;

/// The search ends after this many trials in a row without a result: the others would have none, either.
const FRUITLESS_TRIALS: usize = 50;
/// Maximum number of entries of the plan, also with the longest budget.
const MAX_ENTRIES: usize = 100_000;
/// The search ends at the first trial that does not fit if less than this share of the budget is left.
const LAST_SHARE: f64 = 0.05;
/// The estimated seconds of a final training are multiplied by this, because estimates are uncertain.
const REFIT_MARGIN: f64 = 1.2;

/// Why a candidate does not fit into the memory besides models with this many bytes in the model file; `None` if it fits.
pub(super) type MemoryCheck<'a> = &'a dyn Fn(&Candidate, f64) -> Option<String>;
/// Trains the model of a candidate on the whole training part.
pub(super) type FitModel<'a> = &'a dyn Fn(&Candidate, &Progress<'_>) -> Result<Refit, TrainError>;

/// The input of a search.
pub(super) struct Setting<'a> {
    pub(super) plan: &'a Plan,
    pub(super) rows: TrialRows<'a>,
    pub(super) targets: Targets<'a>,
    pub(super) limits: Limits,
    pub(super) budget: Budget<'a>,
    pub(super) memory: MemoryCheck<'a>,
    pub(super) fit_model: FitModel<'a>,
    /// Numbers of trials to leave out.
    pub(super) skip_trials: HashSet<usize>,
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
    /// The trials that did not fit into the budget or were left out by request.
    pub(super) left_out: Vec<usize>,
    /// The models of members that are trained ahead.
    pub(super) refits: Refits,
    /// Whether all members of [`Self::best`] are being trained ahead.
    pub(super) training_ahead: bool,
    /// Whether all trials are finished.
    pub(super) ended: bool,
    durations: Durations,
    tried: HashSet<String>,
    fruitless: usize,
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
            left_out: Vec::new(),
            refits: Refits::default(),
            training_ahead: false,
            ended: false,
            durations: Durations::default(),
            tried: HashSet::new(),
            fruitless: 0,
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
        (self.left_out, self.refits, self.training_ahead) = (earlier.left_out, earlier.refits, earlier.training_ahead);
    }

    /// The result of the next candidate of the plan, if an earlier run has tried it.
    fn replay(&mut self, candidate: &Candidate, share: f64) -> Option<Attempt> {
        let record = self.records[..self.earlier].get(self.replayed)?;
        self.replayed += 1;
        let (score, seconds) = (record.score, record.seconds);
        // Later trials are estimated from the seconds of stopped trials, too.
        if seconds > 0.0 {
            self.durations.record(candidate, share, seconds);
        }
        let Some(score) = score else {
            self.fruitless += 1;
            return Some(Attempt::Skipped);
        };
        self.fruitless = 0;
        self.finished += 1;
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
        let Setting { budget, progress, rows, memory, skip_trials, .. } = self.setting;
        progress.check()?;
        if budget.max_trials.is_some_and(|max| self.finished >= max) {
            return Ok(Attempt::Ended);
        }
        if skip_trials.contains(&(self.records.len() + 1)) {
            return Ok(self.leave_out(self.record(candidate, share, 0.0), "it is in skip_trials".to_owned()));
        }
        if let Some(reason) = memory(candidate, self.best.as_ref().map_or(0.0, |best| best.bytes)) {
            return Ok(self.skip(self.record(candidate, share, 0.0), reason));
        }
        if let Some(reason) = self.excess_time(candidate, share)? {
            let is_last = self.left() < LAST_SHARE * budget.seconds || self.left_out.len() >= MAX_SKIPPED_TRIALS;
            let left_out = self.leave_out(self.record(candidate, share, 0.0), reason);
            return Ok(if is_last { Attempt::Ended } else { left_out });
        }
        let (start, reserve) = (budget.used(), self.reserve());
        let deadline = Deadline { start, reserve, refit_share: self.refit_share(share) };
        let observer =
            TrialObserver { progress, budget: *budget, deadline, trials: self.finished, reporting: Mutex::new(()) };
        let trial = Progress::start(&observer, "searching", 0.0, 1.0);
        match trial.and_then(|trial| rows.run(candidate, share, &trial)) {
            Ok(scored) => {
                let seconds = budget.used() - start;
                Ok(self.score(candidate, share, scored, seconds))
            }
            Err(TrainError::Failed { message, .. }) => Ok(self.skip(self.record(candidate, share, 0.0), message)),
            Err(TrainError::Cancelled) => {
                progress.check()?;
                let seconds = budget.used() - start;
                self.durations.record(candidate, share, seconds);
                let reason = "it was stopped, because it did not fit into the budget".to_owned();
                Ok(self.leave_out(self.record(candidate, share, seconds), reason))
            }
        }
    }

    /// Why a trial does not fit into the rest of the budget; `None` if it probably fits. The chosen models are trained ahead
    /// if the seconds that are reserved for them could decide.
    fn excess_time(&mut self, candidate: &Candidate, share: f64) -> Result<Option<String>, TrainError> {
        let estimate = self.durations.estimate(candidate, share).unwrap_or(0.0) * (1.0 + self.refit_share(share));
        let fits = |left: f64| left > 0.0 && estimate <= left;
        let (left, reserve) = (self.left(), self.reserve());
        let decides =
            !fits(left) && reserve > 0.0 && (fits(left + reserve) || left < LAST_SHARE * self.setting.budget.seconds);
        // An earlier run can have been interrupted while it trained the members.
        if decides || self.training_ahead {
            self.train_ahead()?;
        }
        let left = self.left();
        Ok(match left {
            _ if fits(left) => None,
            _ if left <= 0.0 => Some("the budget has ended".to_owned()),
            _ => Some(format!("it needs about {estimate:.1} s, and {left:.1} s of the budget are left for it")),
        })
    }

    /// Trains the members of the best ensemble that are not trained yet, unless the budget has ended.
    fn train_ahead(&mut self) -> Result<(), TrainError> {
        let Setting { budget, progress, fit_model, .. } = self.setting;
        let Some(best) = self.best.as_ref().filter(|_| budget.used() < budget.seconds) else { return Ok(()) };
        self.training_ahead = true;
        self.refits.retain(&best.members);
        let observer = WithoutReports(progress);
        for (trial, candidate, _) in &best.members {
            let fit = || fit_model(candidate, &Progress::start(&observer, "searching", 0.0, 1.0)?);
            if self.refits.train(*trial, fit)? {
                self.save_if_due();
            }
        }
        self.training_ahead = false;
        Ok(())
    }

    /// The trials before the last one with a score that were left out. A job with the same list has the same result.
    pub(super) fn skip_trials(&self) -> Vec<usize> {
        let last = self.records.iter().rev().find(|record| record.score.is_some()).map_or(0, |record| record.trial);
        self.left_out.iter().copied().filter(|trial| *trial < last).collect()
    }

    fn refit_share(&self, share: f64) -> f64 {
        if share < 1.0 { 0.0 } else { self.setting.refit_share * REFIT_MARGIN }
    }

    /// Probable seconds of the final training of the best ensemble.
    fn reserve(&self) -> f64 {
        self.best.as_ref().map_or(0.0, |best| self.seconds_of(best))
    }

    /// Probable seconds to train the members that are not trained ahead.
    pub(super) fn seconds_of(&self, best: &Best) -> f64 {
        let members = best.members.iter().zip(&best.refit_s);
        members.filter(|((trial, ..), _)| !self.refits.contains(*trial)).map(|(_, seconds)| seconds).sum()
    }

    /// Seconds that are left for trials.
    fn left(&self) -> f64 {
        let budget = &self.setting.budget;
        budget.seconds - budget.used() - self.reserve()
    }

    /// A trial without a score that has taken `seconds`.
    fn record(&self, candidate: &Candidate, share: f64, seconds: f64) -> Record {
        let rows = self.setting.rows.folds.sample(share).count();
        Record {
            trial: self.records.len() + 1,
            algorithm: candidate.algorithm,
            params: candidate.drawn.clone(),
            rows,
            folds: self.setting.rows.validated,
            score: None,
            seconds,
            skipped: None,
        }
    }

    fn skip(&mut self, record: Record, reason: String) -> Attempt {
        let record = Record { skipped: Some(reason), ..record };
        self.setting.progress.note(&record.message(self.setting.targets.name(), None));
        self.records.push(record);
        self.fruitless += 1;
        Attempt::Skipped
    }

    /// Skips a trial for a reason that is not the same in each run.
    fn leave_out(&mut self, record: Record, reason: String) -> Attempt {
        self.left_out.push(record.trial);
        self.skip(record, reason)
    }

    fn score(&mut self, candidate: &Candidate, share: f64, scored: Scored, seconds: f64) -> Attempt {
        let Scored { predictions, score, cost } = scored;
        self.durations.record(candidate, share, seconds);
        let record = Record { score: Some(score), ..self.record(candidate, share, seconds) };
        let trial = record.trial;
        if share >= 1.0 {
            let folds = self.setting.plan.folds as f64;
            let cost = cost.grown(folds / (folds - 1.0));
            let refit_s = seconds * self.refit_share(share);
            let model = Model { trial, candidate: candidate.clone(), score, predictions, cost, refit_s };
            if let Err(reason) = self.add(model) {
                return self.leave_out(self.record(candidate, share, seconds), reason);
            }
        }
        self.fruitless = 0;
        self.finished += 1;
        let name = self.setting.targets.name();
        let best = self.best.as_ref().map(|best| best.score);
        self.setting.progress.note(&record.message(name, best));
        self.setting.progress.metric(&format!("trial_{name}"), score, trial as u64);
        self.records.push(record);
        Attempt::Scored(score)
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
