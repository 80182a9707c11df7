//! The best models of a search, and the ensemble that is selected from them.

use serde::{Deserialize, Serialize};
use trainyard_domain::Algorithm;

use super::bagging::select_bagged;
use super::cost::ModelCost;
use super::plan::Candidate;
use super::search::{Search, Setting};
use super::select::Choice;

/// Maximum number of models from which an ensemble is selected: the best ones.
pub(super) const LIBRARY: usize = 25;

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
    pub(super) cost: ModelCost,
    /// Probable seconds to train this model.
    pub(super) refit_s: f64,
}

/// The number of a trial, its candidate, and the weight of its model in the ensemble.
pub(super) type Member = (usize, Candidate, f64);

/// The trials whose models are combined.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Best {
    /// In the order of the trials.
    pub(super) members: Vec<Member>,
    pub(super) score: f64,
    /// Probable seconds to train each member.
    pub(super) refit_s: Vec<f64>,
    /// Bytes of all members in the model file.
    pub(super) bytes: f64,
    /// The weighted mean of the out-of-fold predictions of the members.
    #[serde(skip)]
    pub(super) predictions: Vec<f64>,
}

/// The best trial alone.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct BestSingle {
    pub(super) trial: usize,
    pub(super) algorithm: Algorithm,
    pub(super) score: f64,
}

impl Search<'_> {
    /// Adds a model to the library, and selects the ensemble again.
    ///
    /// # Errors
    /// If the new ensemble can't be trained in time; then nothing is changed.
    pub(super) fn add(&mut self, model: Model) -> Result<(), String> {
        let Setting { limits, budget, .. } = self.setting;
        let Model { trial, score, cost, .. } = model;
        let candidate = model.candidate.clone();
        if limits.allow(cost) {
            self.library.push(model);
            // Stable, so that the earlier of equal models is kept.
            self.library.sort_by(|a, b| a.score.total_cmp(&b.score));
            if let Some(best) = self.select() {
                let (needed, left) = (self.seconds_of(&best), budget.seconds - budget.used());
                if self.best.is_some() && needed > left {
                    self.library.retain(|model| model.trial != trial);
                    return Err(format!(
                        "training the models that would be chosen with it needs about {needed:.1} s, and {left:.1} s of \
                         the budget are left"
                    ));
                }
                self.improvements.push((budget.used(), best.score));
                self.best = Some(best);
            }
            self.library.truncate(LIBRARY);
            if self.best_single.as_ref().is_none_or(|best| score < best.score) {
                self.best_single = Some(BestSingle { trial, algorithm: candidate.algorithm, score });
            }
        }
        if self.fastest.as_ref().is_none_or(|(.., fastest)| cost.predict_us < fastest.predict_us) {
            self.fastest = Some((trial, candidate, cost));
        }
        Ok(())
    }

    /// The ensemble of the best models of the library, if it is better than the best one so far.
    fn select(&self) -> Option<Best> {
        let library = self.library.iter().take(LIBRARY);
        let choices: Vec<Choice<'_>> =
            library.map(|model| Choice { predictions: &model.predictions, cost: model.cost }).collect();
        let Setting { targets, limits, rows, .. } = self.setting;
        let selection = select_bagged(&choices, *targets, limits, rows.seed)?;
        if self.best.as_ref().is_some_and(|best| selection.score >= best.score) {
            return None;
        }
        let mut chosen: Vec<(&Model, f64)> =
            selection.members.iter().map(|(at, weight)| (&self.library[*at], *weight)).collect();
        chosen.sort_by_key(|(model, _)| model.trial);
        let refit_s = chosen.iter().map(|(model, _)| model.refit_s).collect();
        let bytes = chosen.iter().map(|(model, _)| model.cost.bytes).sum();
        let mut predictions = vec![0.0; chosen.first()?.0.predictions.len()];
        for (model, weight) in &chosen {
            predictions.iter_mut().zip(&model.predictions).for_each(|(sum, prediction)| *sum += weight * prediction);
        }
        let members =
            chosen.into_iter().map(|(model, weight)| (model.trial, model.candidate.clone(), weight)).collect();
        Some(Best { members, score: selection.score, refit_s, bytes, predictions })
    }
}
