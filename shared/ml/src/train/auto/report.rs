//! What a search reports: a log line per trial while it runs, and its metrics in the end.
//!
//! The metrics contain seconds, which differ from run to run. They are those of the job and of the model version, and not in
//! the model file, so that a search with the same trials gives the same file.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use trainyard_domain::Algorithm;

use super::library::{Best, BestSingle, Member};
use super::search::Search;

/// Maximum number of trials in the metrics.
const MAX_TRIALS: usize = 500;
/// Maximum number of characters of the reason for a skipped trial.
const MAX_REASON: usize = 300;

/// A trial of the plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Record {
    /// From 1, in the order of the plan.
    pub(super) trial: usize,
    pub(super) algorithm: Algorithm,
    /// The parameters that differ from the defaults.
    pub(super) params: Map<String, Value>,
    /// Rows that were trained on or validated.
    pub(super) rows: usize,
    /// Number of models.
    pub(super) folds: usize,
    pub(super) score: Option<f64>,
    /// The time of the trial, also of one that was stopped.
    pub(super) seconds: f64,
    /// Why there is no score.
    pub(super) skipped: Option<String>,
}

/// A finished search.
pub(super) struct Summary {
    records: Vec<Record>,
    /// The weight of the members, by trial.
    weights: BTreeMap<usize, f64>,
    score_name: &'static str,
    budget_s: f64,
    finished: u64,
    best_single: Option<BestSingle>,
    score: Option<f64>,
    /// The score of the chosen models on each fold.
    pub(super) fold_scores: Vec<f64>,
    last_quarter_gain: Option<f64>,
    /// See [`Search::skip_trials`].
    pub(super) skip_trials: Vec<usize>,
}

/// The metrics of a search.
pub(in crate::train) struct SearchReport {
    pub(super) summary: Summary,
    /// Microseconds that the finished model takes for one row on this machine.
    pub(in crate::train) predict_us: f64,
    /// The time of earlier runs.
    pub(super) before: Duration,
}

impl Record {
    /// A log line. `trainyard train --watch` shows the parts between commas as the columns of a table.
    pub(super) fn message(&self, score_name: &str, best: Option<f64>) -> String {
        let Self { trial, rows, folds, seconds, .. } = self;
        let outcome = match (&self.skipped, self.score) {
            (None, Some(score)) => {
                let best = best.map_or_else(|| "–".to_owned(), score_text);
                format!("{score_name} {}, {seconds:.2} s, best {best}", score_text(score))
            }
            (reason, _) => format!("skipped: {}", reason.as_deref().unwrap_or_default()),
        };
        let (algorithm, params) = (self.algorithm.as_str(), self.params_text());
        format!("trial {trial}: {algorithm}, {rows} rows, {folds} folds, {outcome}, {params}")
    }

    /// The parameters in words.
    fn params_text(&self) -> String {
        if self.params.is_empty() {
            return "defaults".to_owned();
        }
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let params: Vec<_> = self.params.iter().map(|(name, value)| format!("{name} {}", text(value))).collect();
        params.join(" ")
    }

    fn json(&self, weight: f64) -> Value {
        let mut trial = json!({
            "trial": self.trial,
            "algorithm": self.algorithm.as_str(),
            "params": self.params,
            "rows": self.rows,
            "folds": self.folds,
            "score": self.score,
            "seconds": rounded(self.seconds),
            "weight": weight,
        });
        if let Some(reason) = &self.skipped {
            trial["skipped"] = json!(reason.chars().take(MAX_REASON).collect::<String>());
        }
        trial
    }
}

/// Five significant digits.
pub(super) fn score_text(score: f64) -> String {
    if (1e-3..1e5).contains(&score) {
        let digits = 4 - (score.log10().floor() as i32).min(4);
        format!("{score:.*}", digits.max(0) as usize)
    } else {
        format!("{score:.4e}")
    }
}

/// Three decimals.
fn rounded(number: f64) -> f64 {
    (number * 1_000.0).round() / 1_000.0
}

impl Summary {
    /// The summary of a search that ended after `used` seconds of the run.
    pub(super) fn new(search: &mut Search<'_>, score_name: &'static str, budget_s: f64, used: f64) -> Self {
        let (best, skip_trials) = (search.best.as_ref(), search.skip_trials());
        let weights = best.into_iter().flat_map(|best| &best.members).map(|(trial, _, weight)| (*trial, *weight));
        Self {
            weights: weights.collect(),
            score: best.map(|best| best.score),
            fold_scores: Vec::new(),
            records: std::mem::take(&mut search.records),
            score_name,
            budget_s,
            finished: search.finished,
            best_single: search.best_single.clone(),
            last_quarter_gain: last_quarter_gain(&search.improvements, used),
            skip_trials,
        }
    }

    /// The weight of a model that is chosen without a score.
    pub(super) fn set_single(&mut self, trial: usize) {
        self.weights = BTreeMap::from([(trial, 1.0)]);
    }

    /// Leaves out a model that can't be trained on all rows.
    pub(super) fn remove(&mut self, trial: usize) {
        self.weights.remove(&trial);
        let sum: f64 = self.weights.values().sum();
        self.weights.values_mut().for_each(|weight| *weight /= sum);
    }

    /// The listed trials: all of them, or else the members of the ensemble and those with the best scores.
    fn listed(&self) -> Vec<&Record> {
        let mut listed: Vec<&Record> = self.records.iter().collect();
        if listed.len() > MAX_TRIALS {
            let order = |record: &Record| {
                let is_member = self.weights.contains_key(&record.trial);
                (!is_member, record.score.unwrap_or(f64::INFINITY))
            };
            listed.sort_by(|a, b| {
                let (a, b) = (order(a), order(b));
                a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
            });
            listed.truncate(MAX_TRIALS);
            listed.sort_by_key(|record| record.trial);
        }
        listed
    }
}

impl Best {
    /// The members in words.
    pub(super) fn message(&self, name: &str) -> String {
        let of_member = |(trial, candidate, weight): &Member| {
            format!("{:.1} % {} (trial {trial})", weight * 100.0, candidate.algorithm.as_str())
        };
        let members: Vec<_> = self.members.iter().map(of_member).collect();
        format!("chosen: {}, validation {name} {}", members.join(", "), score_text(self.score))
    }
}

impl SearchReport {
    /// `trials` and `search`, for a run that has taken `used`.
    pub(in crate::train) fn metrics(&self, used: Duration) -> Map<String, Value> {
        let Self { summary, before, predict_us } = self;
        let weight = |record: &Record| summary.weights.get(&record.trial).copied().unwrap_or(0.0);
        let trials: Vec<Value> = summary.listed().into_iter().map(|record| record.json(weight(record))).collect();
        let best_single = summary.best_single.as_ref().map(
            |BestSingle { trial, algorithm, score }| json!({"trial": trial, "algorithm": algorithm, "score": score}),
        );
        let search = json!({
            "budget_s": summary.budget_s,
            "used_s": rounded((*before + used).as_secs_f64()),
            "trials": summary.finished,
            "skip_trials": summary.skip_trials,
            "predict_us": rounded(*predict_us),
            "metric": summary.score_name,
            "best_single": best_single,
            "score": summary.score,
            "fold_scores": summary.fold_scores,
            "last_quarter_gain": summary.last_quarter_gain,
        });
        [("trials".to_owned(), Value::Array(trials)), ("search".to_owned(), search)].into_iter().collect()
    }
}

/// How much the last quarter of the `used` seconds reduced the score. `None` without a score before.
fn last_quarter_gain(improvements: &[(f64, f64)], used: f64) -> Option<f64> {
    let (_, last) = improvements.last()?;
    let (_, before) = improvements.iter().rev().find(|(seconds, _)| *seconds <= 0.75 * used)?;
    Some(before - last)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(trial: usize, score: Option<f64>) -> Record {
        Record {
            trial,
            algorithm: Algorithm::Ridge,
            params: json!({"alpha": 0.5}).as_object().unwrap().clone(),
            rows: 100,
            folds: 5,
            score,
            seconds: 0.123_456,
            skipped: score.is_none().then(|| "no time".into()),
        }
    }

    fn summary(records: Vec<Record>) -> SearchReport {
        let summary = Summary {
            records,
            weights: BTreeMap::from([(1, 0.25), (900, 0.75)]),
            score_name: "rmse",
            budget_s: 60.0,
            finished: 3,
            best_single: Some(BestSingle { trial: 900, algorithm: Algorithm::Ridge, score: 0.3 }),
            score: Some(0.2),
            fold_scores: vec![0.25, 0.15],
            last_quarter_gain: None,
            skip_trials: vec![2, 5],
        };
        SearchReport { summary, before: Duration::from_millis(1_250), predict_us: 1.234_56 }
    }

    #[test]
    fn a_log_line_has_the_columns_of_a_table() {
        assert_eq!(
            record(3, Some(0.431_249)).message("log_loss", Some(0.43)),
            "trial 3: ridge, 100 rows, 5 folds, log_loss 0.43125, 0.12 s, best 0.43000, alpha 0.5"
        );
        let skipped = record(4, None).message("log_loss", None);
        assert_eq!(skipped, "trial 4: ridge, 100 rows, 5 folds, skipped: no time, alpha 0.5");
    }

    #[test]
    fn scores_have_five_digits() {
        let scores = [0.0123456, 0.43125, 1.0, 54.321_98, 12_345.6, 1e9, 0.0];
        let expected = ["0.012346", "0.43125", "1.0000", "54.322", "12346", "1.0000e9", "0.0000e0"];
        assert_eq!(scores.map(score_text), expected);
    }

    #[test]
    fn the_number_of_listed_trials_is_limited() {
        let scores = |trial: usize| (!trial.is_multiple_of(10)).then(|| 1.0 / trial as f64);
        let report = summary((1..=1_000).map(|trial| record(trial, scores(trial))).collect());
        let metrics = report.metrics(Duration::from_millis(57_000));
        let trials = metrics["trials"].as_array().unwrap();
        assert_eq!(trials.len(), MAX_TRIALS);
        assert!(trials.is_sorted_by(|a, b| a["trial"].as_u64() < b["trial"].as_u64()));
        assert_eq!((&trials[0]["trial"], &trials[0]["weight"]), (&json!(1), &json!(0.25)), "a member is always listed");
        assert!(trials.iter().any(|trial| trial["trial"] == 900 && trial["skipped"] == "no time"));
        let search = &metrics["search"];
        assert_eq!((&search["used_s"], &search["predict_us"]), (&json!(58.25), &json!(1.235)));
        assert_eq!(search["skip_trials"], json!([2, 5]));
        let few = summary((1..=20).map(|trial| record(trial, scores(trial))).collect()).metrics(Duration::ZERO);
        assert_eq!(few["trials"].as_array().unwrap().len(), 20);
    }

    #[test]
    fn the_gain_of_the_last_quarter_is_a_difference_of_scores() {
        let improvements = [(10.0, 0.5), (40.0, 0.4), (50.0, 0.35), (59.0, 0.3)];
        assert!((last_quarter_gain(&improvements, 60.0).unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(last_quarter_gain(&improvements[..2], 60.0), Some(0.0));
        assert_eq!(last_quarter_gain(&improvements[2..], 60.0), None);
    }
}
