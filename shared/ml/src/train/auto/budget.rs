//! The time budget: how much is left, and how long trials and the final trainings probably take.

use trainyard_domain::Algorithm;

use super::plan::Candidate;
use crate::train::Elapsed;

/// Seconds of a run, and the limit of its trials.
#[derive(Clone, Copy)]
pub(super) struct Budget<'a> {
    pub(super) elapsed: Elapsed<'a>,
    pub(super) seconds: f64,
    pub(super) max_trials: Option<u64>,
}

/// When a running trial stops: the rest of the budget must be enough to train the chosen models again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deadline {
    /// Seconds of the run at which the trial started.
    pub(super) start: f64,
    /// Seconds that are reserved for other models.
    pub(super) reserve: f64,
    /// Seconds that are reserved for the model of the trial, per second of the trial.
    pub(super) refit_share: f64,
}

impl Budget<'_> {
    /// Seconds since the start of the run.
    pub(super) fn used(&self) -> f64 {
        (self.elapsed)().as_secs_f64()
    }

    /// The share of the budget that the search has used.
    pub(super) fn share(&self, trials: u64) -> f64 {
        let of_trials = self.max_trials.map_or(0.0, |max| trials as f64 / max as f64);
        (self.used() / self.seconds).max(of_trials)
    }

    pub(super) fn is_over(&self, deadline: Deadline) -> bool {
        let now = self.used();
        now + deadline.reserve + (now - deadline.start) * deadline.refit_share > self.seconds
    }
}

/// The seconds of finished trials, from which those of further ones are estimated.
#[derive(Debug, Default)]
pub(super) struct Durations {
    finished: Vec<(Algorithm, f64)>,
}

impl Durations {
    /// Records a trial with a share of the rows.
    pub(super) fn record(&mut self, candidate: &Candidate, share: f64, seconds: f64) {
        self.finished.push((candidate.algorithm, seconds / work(candidate, share)));
    }

    /// The probable seconds of a trial; `None` without a finished trial of the algorithm.
    pub(super) fn estimate(&self, candidate: &Candidate, share: f64) -> Option<f64> {
        let of_algorithm = self.finished.iter().filter(|(algorithm, _)| *algorithm == candidate.algorithm);
        let slowest = of_algorithm.map(|(_, seconds)| *seconds).max_by(f64::total_cmp)?;
        Some(slowest * work(candidate, share))
    }
}

/// The work of a trial, in a unit per algorithm.
fn work(candidate: &Candidate, share: f64) -> f64 {
    let number = |name: &str| candidate.params.float(name).filter(|number| *number > 0.0);
    match candidate.algorithm {
        Algorithm::RandomForest | Algorithm::ExtraTrees => {
            let features = match candidate.params.choice("max_features") {
                "all" => 3.0,
                "half" => 2.0,
                _ => 1.0,
            };
            share * features * number("n_trees").unwrap_or(100.0)
        }
        // The number of rounds is in inverse proportion to the learning rate, and half of the time of a round does not depend
        // on the leaves.
        Algorithm::GradientBoosting => {
            let leaves = number("max_leaves").unwrap_or(31.0);
            share * (1.0 + leaves / 31.0) / number("learning_rate").unwrap_or(0.05)
        }
        Algorithm::Svm => share * share,
        Algorithm::LogisticRegression | Algorithm::Ridge | Algorithm::DecisionTree | Algorithm::Auto => share,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::{Value, json};
    use trainyard_domain::params::Params;

    use super::*;

    fn candidate(algorithm: Algorithm, drawn: Value) -> Candidate {
        let Value::Object(drawn) = drawn else { unreachable!() };
        Candidate { algorithm, params: Params::parse(algorithm, &drawn).unwrap(), drawn }
    }

    #[test]
    fn estimates_follow_the_rows_and_the_parameters() {
        let mut durations = Durations::default();
        let boosting = |rate: f64| candidate(Algorithm::GradientBoosting, json!({"learning_rate": rate}));
        assert_eq!(durations.estimate(&boosting(0.05), 1.0), None);
        durations.record(&boosting(0.05), 1.0, 2.0);
        let close = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-9;
        assert!(close(durations.estimate(&boosting(0.05), 1.0), 2.0));
        assert!(close(durations.estimate(&boosting(0.01), 1.0), 10.0));
        assert!(close(durations.estimate(&boosting(0.05), 0.5), 1.0));
        let svm = candidate(Algorithm::Svm, json!({}));
        assert_eq!(durations.estimate(&svm, 1.0), None, "each algorithm has its own estimate");
        durations.record(&svm, 0.5, 1.0);
        assert!(close(durations.estimate(&svm, 1.0), 4.0));
    }

    #[test]
    fn a_trial_stops_while_the_final_trainings_still_fit() {
        let over = |seconds: f64| {
            let elapsed = move || Duration::from_secs_f64(seconds);
            let budget = Budget { elapsed: &elapsed, seconds: 60.0, max_trials: Some(10) };
            budget.is_over(Deadline { start: 20.0, reserve: 10.0, refit_share: 0.5 })
        };
        // 40 + 10 + 20 · 0.5 = 60.
        assert!(!over(40.0) && over(40.1));
    }
}
