//! The plan of a search: which candidates are tried, with how many rows and folds. The plan is a pure function of the seed
//! and the shape of the table.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use trainyard_domain::Algorithm;
use trainyard_domain::params::Params;

use super::space;
use crate::rng::{Rng, Stream};

/// Of the candidates of a rung, one of this many is tried with more rows (Jamieson and Talwalkar, "Non-stochastic Best Arm
/// Identification and Hyperparameter Optimization", AISTATS 2016).
pub(super) const HALVING: usize = 3;
/// The smallest sample of the rows. Below, the scores of a sample say little about those of all rows.
const MIN_SAMPLE_ROWS: usize = 2_000;
/// Maximum number of rungs.
const MAX_RUNGS: u32 = 3;
/// Training a support vector machine with probabilities on more rows takes longer than all other candidates.
const MAX_SVM_ROWS: usize = 10_000;
/// With more classes the pairs of classes are too many.
const MAX_SVM_CLASSES: usize = 20;

/// The order of the random candidates. Gradient boosting has most parameters, and is most often in the portfolios of TabRepo.
const ROTATION: [Family; 8] = [
    Family::Boosting,
    Family::Forest,
    Family::Boosting,
    Family::ExtraTrees,
    Family::Boosting,
    Family::Linear,
    Family::Boosting,
    Family::Svm,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    Linear,
    Forest,
    ExtraTrees,
    Boosting,
    Svm,
}

/// What a plan depends on, besides the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TableShape {
    /// Rows of the training part.
    pub(super) rows: usize,
    pub(super) features: usize,
    /// 0 for regression.
    pub(super) classes: usize,
}

/// A model to try.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(into = "Drawn", try_from = "Drawn")]
pub(super) struct Candidate {
    pub(super) algorithm: Algorithm,
    pub(super) params: Params,
    /// The parameters that differ from the defaults.
    pub(super) drawn: Map<String, Value>,
}

/// A candidate in a checkpoint: the drawn parameters decide the others.
#[derive(Serialize, Deserialize)]
struct Drawn {
    algorithm: Algorithm,
    drawn: Map<String, Value>,
}

impl From<Candidate> for Drawn {
    fn from(Candidate { algorithm, drawn, .. }: Candidate) -> Self {
        Self { algorithm, drawn }
    }
}

impl TryFrom<Drawn> for Candidate {
    type Error = &'static str;

    fn try_from(Drawn { algorithm, drawn }: Drawn) -> Result<Self, Self::Error> {
        candidate(algorithm, drawn).ok_or("the parameters of a candidate")
    }
}

/// The plan of a search.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Plan {
    shape: TableShape,
    seed: u64,
    /// Number of folds.
    pub(super) folds: usize,
    /// Number of folds that are predicted. Large tables have so many rows in one fold that the others add little.
    pub(super) validated: usize,
    /// The share of the rows in each rung, ascending; the last is 1.
    pub(super) rungs: Vec<f64>,
    /// Maximum number of members of the ensemble. Each takes time to train again, which is a larger share of a trial with
    /// fewer folds.
    pub(super) max_members: usize,
}

impl Plan {
    pub(super) fn new(shape: TableShape, seed: u64) -> Self {
        let (folds, validated, max_members) = match shape.rows {
            0..50_000 => (5, 5, 8),
            50_000..250_000 => (3, 3, 5),
            _ => (5, 1, 3),
        };
        let sample = |rung: u32| shape.rows / HALVING.pow(rung);
        let below = (1..MAX_RUNGS).rev().filter(|rung| sample(*rung) >= MIN_SAMPLE_ROWS);
        let rungs = below.map(|rung| 1.0 / HALVING.pow(rung) as f64).chain([1.0]).collect();
        Self { shape, seed, folds, validated, rungs, max_members }
    }

    /// The suitable algorithms with their defaults; the cheapest first, so that also a small budget has a result.
    pub(super) fn defaults(&self) -> Vec<Candidate> {
        let families = [Family::Linear, Family::Forest, Family::ExtraTrees, Family::Boosting, Family::Svm];
        families.into_iter().filter_map(|family| candidate(self.algorithm(family)?, Map::new())).collect()
    }

    /// Number of random candidates that begin in the first rung together; one of them reaches the last rung.
    pub(super) fn bracket(&self) -> usize {
        HALVING.pow(self.rungs.len() as u32 - 1)
    }

    /// The random candidate with this index. `None` if the algorithm does not suit the table.
    pub(super) fn candidate(&self, index: u64) -> Option<Candidate> {
        let algorithm = self.algorithm(ROTATION[(index % ROTATION.len() as u64) as usize])?;
        let mut rng = Rng::new(self.seed, Stream::Candidate(index));
        candidate(algorithm, space::draw(algorithm, &self.shape, &mut rng))
    }

    /// The algorithm of a family, if it suits the table.
    fn algorithm(&self, family: Family) -> Option<Algorithm> {
        let TableShape { rows, classes, .. } = self.shape;
        let algorithm = match family {
            Family::Linear if classes == 0 => Algorithm::Ridge,
            Family::Linear => Algorithm::LogisticRegression,
            Family::Forest => Algorithm::RandomForest,
            Family::ExtraTrees => Algorithm::ExtraTrees,
            Family::Boosting => Algorithm::GradientBoosting,
            Family::Svm if rows > MAX_SVM_ROWS || classes > MAX_SVM_CLASSES => return None,
            Family::Svm => Algorithm::Svm,
        };
        (classes as u64 <= algorithm.max_classes()).then_some(algorithm)
    }
}

/// The candidate with these parameters. `None` only if a range is outside the bounds of a parameter.
fn candidate(algorithm: Algorithm, drawn: Map<String, Value>) -> Option<Candidate> {
    let params = Params::parse(algorithm, &drawn).ok()?;
    Some(Candidate { algorithm, params, drawn })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(rows: usize, classes: usize) -> TableShape {
        TableShape { rows, features: 7, classes }
    }

    fn names(candidates: &[Candidate]) -> Vec<&'static str> {
        candidates.iter().map(|candidate| candidate.algorithm.as_str()).collect()
    }

    const WITH_SVM: [&str; 5] = ["logistic_regression", "random_forest", "extra_trees", "gradient_boosting", "svm"];

    #[test]
    fn the_defaults_are_those_that_suit_the_table() {
        let defaults = |rows, classes| names(&Plan::new(shape(rows, classes), 1).defaults());
        assert_eq!(defaults(1_000, 2), WITH_SVM);
        assert_eq!(defaults(1_000, 0), ["ridge", "random_forest", "extra_trees", "gradient_boosting", "svm"]);
        assert_eq!(defaults(50_000, 30), WITH_SVM[..4]);
        assert_eq!(defaults(1_000, 500), WITH_SVM[..3]);
        assert!(Plan::new(shape(1_000, 2), 1).defaults().iter().all(|candidate| candidate.drawn.is_empty()));
    }

    #[test]
    fn the_seed_and_the_shape_decide_the_candidates() {
        let plan = |seed| Plan::new(shape(1_000, 2), seed);
        let of = |plan: &Plan| (0..64).filter_map(|index| plan.candidate(index)).collect::<Vec<_>>();
        assert_eq!(of(&plan(1)), of(&plan(1)));
        assert_ne!(of(&plan(1)), of(&plan(2)));
        let found = of(&plan(1));
        assert_eq!(found.len(), 64, "every range is within the bounds of its parameter");
        let of_boosting = found.iter().filter(|found| found.algorithm == Algorithm::GradientBoosting).count();
        assert_eq!(of_boosting, 32);
        let regression = of(&Plan::new(shape(1_000, 0), 1));
        assert!(regression.len() == 64 && regression.iter().any(|found| found.algorithm == Algorithm::Ridge));
        let large = of(&Plan::new(shape(50_000, 2), 1));
        assert_eq!(large.len(), 56, "no support vector machine");
    }

    #[test]
    fn large_tables_have_more_rungs_and_fewer_folds() {
        let plan = |rows| Plan::new(shape(rows, 2), 1);
        let rungs = |rows| plan(rows).rungs.iter().map(|share| (share * rows as f64).round()).collect::<Vec<_>>();
        assert_eq!((rungs(1_047), plan(1_047).bracket()), (vec![1_047.0], 1));
        assert_eq!((rungs(9_000), plan(9_000).bracket()), (vec![3_000.0, 9_000.0], 3));
        assert_eq!((rungs(90_000), plan(90_000).bracket()), (vec![10_000.0, 30_000.0, 90_000.0], 9));
        assert_eq!([plan(1_000).validated, plan(100_000).validated, plan(1_000_000).validated], [5, 3, 1]);
    }
}
