//! Truncated, altered and forged model files.

use proptest::prelude::*;
use serde_json::json;

use super::format::{MAGIC, VERSION};
use super::samples::{self, Stream};
use super::{ArtifactError, decode, encode, rewrite_digest};
use crate::model::distribution::MAX_BINS;
use crate::model::{
    Bins, BoostedTrees, CalibratedModel, Calibrator, CategoryStatistic, Distribution, Distributions, Ensemble,
    Estimator, FeatureEncoding, FeatureKind, LEAF, Link, Model,
};
use crate::predict::{Predictor, Row, RowCounter};

/// Rows with present, missing, unknown and extreme values.
fn rows() -> Vec<Row> {
    let rows = [
        json!({"age": 29, "alone": true, "embarked": "Q"}),
        json!({}),
        json!({"age": 1e300, "alone": 0, "embarked": "nowhere"}),
        json!({"age": -1e300, "embarked": null}),
    ];
    rows.into_iter().map(|row| row.as_object().unwrap().clone()).collect()
}

/// Checks the bins of counted rows.
struct Checked<'a>(&'a Distributions);

impl RowCounter for Checked<'_> {
    fn count(&self, column: usize, bin: usize, rows: u32) {
        let distribution = self.0.features.get(column).unwrap_or(&self.0.predictions);
        assert!(bin < distribution.rows.len() && bin < MAX_BINS && rows > 0 && column <= self.0.features.len());
    }
}

/// Loads the bytes. Every model that loads must predict and count without a panic.
fn load_and_predict(bytes: &[u8]) -> bool {
    let Ok(predictor) = Predictor::load(bytes) else { return false };
    let _ = predictor.predict(&rows());
    let _ = predictor.counted_by(&Checked(&predictor.manifest().distributions)).predict_many(&rows());
    let _ = predictor.predict_one(&rows()[0]);
    true
}

#[test]
fn decoding_inverts_encoding() {
    for seed in 0..20 {
        for model in samples::all(seed) {
            let bytes = encode(&model);
            assert_eq!(decode(&bytes).unwrap(), model);
            assert_eq!(encode(&decode(&bytes).unwrap()), bytes);
            assert!(load_and_predict(&bytes));
        }
    }
}

#[test]
fn truncated_files_are_refused() {
    for model in samples::all(1) {
        let bytes = encode(&model);
        for length in 0..bytes.len() {
            assert!(decode(&bytes[..length]).is_err());
            let mut truncated = bytes[..length].to_vec();
            rewrite_digest(&mut truncated);
            assert!(decode(&truncated).is_err(), "{length} of {} bytes", bytes.len());
        }
    }
}

#[test]
fn errors_name_the_reason() {
    let bytes = encode(&samples::all(1)[0]);
    assert!(matches!(decode(b"PK\x03\x04 something else"), Err(ArtifactError::NotAModel)));
    for version in [5_u8, 9] {
        let mut other = bytes.clone();
        other[8] = version;
        assert!(matches!(decode(&other), Err(ArtifactError::UnknownVersion { found }) if found == u32::from(version)));
    }
    let mut flipped = bytes.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    assert!(matches!(decode(&flipped), Err(ArtifactError::Damaged)));
}

#[test]
fn a_model_that_fails_its_self_test_is_not_loaded() {
    let mut model = samples::all(1).swap_remove(0);
    model.manifest.self_test[0].expected[0] += 1e-5;
    assert!(matches!(Predictor::load(&encode(&model)), Err(ArtifactError::SelfTest { row: 0, .. })));
}

/// Without validation, prediction would read out of bounds or loop forever.
#[test]
fn forged_trees_are_refused() {
    type Forgery = fn(&mut crate::model::Tree);
    let forgeries: [(&str, Forgery); 10] = [
        ("a child past the end", |tree| tree.left[0] = tree.len() as u32),
        ("a right child past the end", |tree| tree.left[0] = tree.len() as u32 - 1),
        ("a loop", |tree| tree.left[0] = 0),
        ("a feature that isn't there", |tree| tree.feature[0] = 3),
        ("a threshold of NaN", |tree| tree.threshold[0] = f32::NAN),
        ("a leaf without values", |tree| {
            tree.feature[0] = LEAF;
            tree.left[0] = 1 << 30;
        }),
        ("a feature that isn't there, beside the flag", |tree| {
            tree.feature[0] = LEAF >> 1;
            tree.missing_right[0] = false;
        }),
        ("unreachable nodes", |tree| {
            tree.push_empty_leaf(1.0);
        }),
        ("a probability of 2", |tree| tree.values[0] = 2.0),
        ("no nodes", |tree| *tree = crate::model::Tree::default()),
    ];
    for (what, forge) in forgeries {
        let mut model = samples::all(3).swap_remove(0);
        let Estimator::Trees(ensemble) = &mut model.estimator else { unreachable!() };
        let tree = ensemble.trees.iter_mut().find(|tree| tree.len() > 3).unwrap();
        forge(tree);
        assert!(matches!(decode(&encode(&model)), Err(ArtifactError::Invalid(_))), "{what} was accepted");
    }
}

#[test]
fn forged_boosting_is_refused() {
    type Forgery = fn(&mut BoostedTrees);
    let forgeries: [(&str, Forgery); 9] = [
        ("no baseline", |boosted| boosted.response.baseline.clear()),
        ("a baseline that is not finite", |boosted| boosted.response.baseline[0] = f64::NAN),
        ("a scale of 0", |boosted| boosted.response.scale = 0.0),
        ("a scale that is not finite", |boosted| boosted.response.scale = f64::INFINITY),
        ("the link of another task", |boosted| boosted.response.link = Link::Identity),
        ("a round without one of its trees", |boosted| drop(boosted.trees.trees.pop())),
        ("no trees", |boosted| boosted.trees.trees.clear()),
        ("several values per leaf", |boosted| boosted.trees.outputs = 3),
        ("a leaf value that is not finite", |boosted| boosted.trees.trees[0].values[0] = f32::INFINITY),
    ];
    for (what, forge) in forgeries {
        let mut model = samples::all(3).swap_remove(10);
        let Estimator::Boosting(boosted) = &mut model.estimator else { unreachable!() };
        forge(boosted);
        assert!(matches!(decode(&encode(&model)), Err(ArtifactError::Invalid(_))), "{what} was accepted");
    }
    type Statistics = fn(&mut Vec<CategoryStatistic>);
    let forgeries: [(&str, Statistics); 3] = [
        ("a code without a value", |statistics| statistics[0].values.truncate(2)),
        ("a value that is not finite", |statistics| statistics[0].values[1] = f64::NAN),
        ("too many statistics", |statistics| *statistics = vec![statistics[0].clone(); 9]),
    ];
    for (what, forge) in forgeries {
        let mut model = samples::all(3).swap_remove(10);
        let FeatureKind::Category { statistics, .. } = &mut model.manifest.signature.features[2].kind else {
            unreachable!()
        };
        forge(statistics);
        assert!(decode(&encode(&model)).is_err(), "{what} was accepted");
    }
}

/// Without validation, a row could be counted in the bin of another feature, and shares could be wrong.
#[test]
fn forged_distributions_are_refused() {
    /// Replaces the edges; the first bin then has all rows.
    fn forge_edges(distribution: &mut Distribution, edges: &[f64]) {
        let rows = distribution.rows.iter().sum();
        distribution.bins = Bins::Numbers { edges: edges.to_vec() };
        distribution.rows = std::iter::once(rows).chain(std::iter::repeat_n(0, edges.len() + 1)).collect();
    }
    const TEN: [f64; 10] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0];
    type Forgery = fn(&mut Distributions);
    let forgeries: [(&str, Forgery); 15] = [
        ("an edge that is not finite", |all| forge_edges(&mut all.features[0], &[1.0, f64::INFINITY])),
        ("edges that do not ascend", |all| forge_edges(&mut all.features[0], &[1.0, 1.0])),
        ("too many edges", |all| forge_edges(&mut all.features[0], &TEN)),
        ("a bin without rows", |all| all.features[0].rows.truncate(2)),
        ("rows without a bin", |all| all.features[1].rows.push(0)),
        ("more rows than training had", |all| all.features[0].rows[0] += 1),
        ("more rows than fit into a number", |all| all.features[0].rows[0] = u64::MAX),
        ("more predictions than fit into a number", |all| all.predictions.rows[0] = u64::MAX),
        ("bins of another type", |all| all.features.swap(0, 1)),
        ("a feature without a distribution", |all| drop(all.features.pop())),
        ("a distribution without a feature", |all| all.features.push(all.features[0].clone())),
        ("a code without a category", |all| all.features[2].bins = Bins::Codes { top: vec![0, 3] }),
        ("a code with two bins", |all| all.features[2].bins = Bins::Codes { top: vec![2, 2] }),
        ("a code without a class", |all| all.predictions.bins = Bins::Codes { top: vec![0, 2] }),
        ("numbers instead of classes", |all| all.predictions = all.features[0].clone()),
    ];
    for (what, forge) in forgeries {
        let mut model = samples::all(3).swap_remove(0);
        forge(&mut model.manifest.distributions);
        assert!(decode(&encode(&model)).is_err(), "{what} was accepted");
    }
    let mut regression = samples::all(3).swap_remove(2);
    forge_edges(&mut regression.manifest.distributions.predictions, &TEN);
    assert!(matches!(decode(&encode(&regression)), Err(ArtifactError::Invalid(_))));
}

#[test]
fn forged_ensembles_are_refused() {
    fn encoding(ensemble: &mut Ensemble, member: usize) -> &mut FeatureEncoding {
        &mut ensemble.members[member].encodings[2]
    }
    type Forgery = fn(&mut Ensemble);
    let forgeries: [(&str, Forgery); 15] = [
        ("no members", |ensemble| ensemble.members.clear()),
        ("a negative weight", |ensemble| {
            ensemble.members[0].weight = -ensemble.members[0].weight;
            ensemble.members[1].weight += 1.0;
        }),
        ("weights above 1", |ensemble| ensemble.members[0].weight += 0.1),
        ("a weight that is not a number", |ensemble| ensemble.members[0].weight = f64::NAN),
        ("too many members", |ensemble| {
            let mut member = ensemble.members[0].clone();
            member.weight = 1.0 / 128.0;
            ensemble.members = vec![member; 128];
        }),
        ("a feature without an encoding", |ensemble| drop(ensemble.members[0].encodings.pop())),
        ("a position past the end", |ensemble| *encoding(ensemble, 2) = FeatureEncoding::Select(vec![3])),
        ("a position of another feature", |ensemble| *encoding(ensemble, 2) = FeatureEncoding::Select(vec![0])),
        ("no position", |ensemble| *encoding(ensemble, 2) = FeatureEncoding::Select(vec![])),
        ("more positions than raw values", |ensemble| *encoding(ensemble, 2) = FeatureEncoding::Select(vec![2, 2])),
        ("orders of a number", |ensemble| ensemble.members[0].encodings.swap(0, 2)),
        ("a code without a rank", |ensemble| {
            let FeatureEncoding::Orders { orders, .. } = encoding(ensemble, 0) else { unreachable!() };
            orders[0].ranks.pop();
        }),
        ("a statistic that is not finite", |ensemble| {
            let FeatureEncoding::Statistics { statistics, .. } = encoding(ensemble, 1) else { unreachable!() };
            statistics[0].unseen = f64::INFINITY;
        }),
        ("a feature of the signature that the member does not have", |ensemble| {
            let Estimator::Trees(trees) = &mut ensemble.members[0].estimator else { unreachable!() };
            trees.trees.iter_mut().find(|tree| tree.len() > 3).unwrap().feature[0] = 4;
        }),
        ("an ensemble in an ensemble", |ensemble| {
            let inner = Estimator::Ensemble(ensemble.clone());
            ensemble.members[0].estimator = inner;
        }),
    ];
    for (what, forge) in forgeries {
        let mut model = samples::all(3).swap_remove(12);
        let Estimator::Ensemble(ensemble) = &mut model.estimator else { unreachable!() };
        forge(ensemble);
        assert!(matches!(decode(&encode(&model)), Err(ArtifactError::Invalid(_))), "{what} was accepted");
    }
    let mut model = samples::all(3).swap_remove(12);
    let FeatureKind::Category { orders, .. } = &mut model.manifest.signature.features[2].kind else { unreachable!() };
    orders.push(crate::model::CategoryOrder { ranks: vec![Some(0); 3], missing: None });
    assert!(decode(&encode(&model)).is_err(), "the raw value of a category with an order is no code");
}

#[test]
fn forged_calibrations_are_refused() {
    fn points(calibrated: &mut CalibratedModel) -> (&mut Vec<f64>, &mut Vec<f64>) {
        let Calibrator::Isotonic { scores, shares } = &mut calibrated.calibrators[0] else { unreachable!() };
        (scores, shares)
    }
    type Forgery = fn(&mut CalibratedModel);
    let forgeries: [(&str, Forgery); 11] = [
        ("no function", |calibrated| calibrated.calibrators.clear()),
        ("a function without an output", |calibrated| {
            calibrated.calibrators.push(Calibrator::Platt { a: -1.0, b: 0.0 });
        }),
        ("no points", |calibrated| {
            points(calibrated).0.clear();
            points(calibrated).1.clear();
        }),
        ("a score without a share", |calibrated| points(calibrated).1.truncate(3)),
        ("scores that do not ascend", |calibrated| points(calibrated).0.swap(0, 1)),
        ("shares that fall", |calibrated| points(calibrated).1.swap(0, 3)),
        ("a probability of 2", |calibrated| points(calibrated).1[3] = 2.0),
        ("a share that is not a number", |calibrated| points(calibrated).1[0] = f64::NAN),
        ("a falling sigmoid", |calibrated| calibrated.calibrators = vec![Calibrator::Platt { a: 0.1, b: 0.0 }]),
        ("an offset that is not finite", |calibrated| {
            calibrated.calibrators = vec![Calibrator::Platt { a: -1.0, b: f64::NAN }];
        }),
        ("a calibrated model in a calibrated one", |calibrated| {
            let inner = Estimator::Calibrated(calibrated.clone());
            *calibrated.base = inner;
        }),
    ];
    for (what, forge) in forgeries {
        let mut model = samples::all(3).swap_remove(15);
        let Estimator::Calibrated(calibrated) = &mut model.estimator else { unreachable!() };
        forge(calibrated);
        assert!(matches!(decode(&encode(&model)), Err(ArtifactError::Invalid(_))), "{what} was accepted");
    }
}

#[test]
fn a_forged_threshold_is_refused() {
    for threshold in [-0.1, 1.1, f64::INFINITY] {
        let mut model = samples::all(3).swap_remove(0);
        model.manifest.signature.task = model.manifest.signature.task.clone().with_threshold(threshold);
        assert!(decode(&encode(&model)).is_err(), "{threshold} was accepted");
    }
}

/// Each level of a nested ensemble takes a few bytes of the file and a frame of the stack.
#[test]
fn a_deeply_nested_ensemble_is_refused() {
    let mut model = samples::all(3).swap_remove(12);
    for _ in 0..200 {
        let Estimator::Ensemble(ensemble) = &mut model.estimator else { unreachable!() };
        let mut member = ensemble.members[0].clone();
        (member.weight, member.estimator) = (1.0, model.estimator.clone());
        model.estimator = Estimator::Ensemble(Ensemble { members: vec![member] });
    }
    assert!(matches!(decode(&encode(&model)), Err(ArtifactError::Invalid(_))));
}

/// With shared children a small file could represent a tree of exponential size.
#[test]
fn shared_children_are_refused() {
    let mut model = samples::all(3).swap_remove(0);
    let Estimator::Trees(ensemble) = &mut model.estimator else { unreachable!() };
    let mut tree = crate::model::Tree {
        feature: vec![0; 8],
        threshold: vec![0.0; 8],
        missing_right: vec![false; 8],
        left: vec![1, 2, 3, 4, 5, 6, 0, 0],
        cover: vec![1.0; 8],
        values: vec![0.5],
    };
    tree.feature[6..].fill(LEAF);
    ensemble.trees = vec![tree];
    assert!(decode(&encode(&model)).is_err());
}

fn sample(seed: u64, which: usize) -> Model {
    let mut models = samples::all(seed);
    let which = which % models.len();
    models.swap_remove(which)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        let mut sealed = [MAGIC.as_slice(), &VERSION.to_le_bytes()].concat();
        sealed.extend_from_slice(&bytes);
        rewrite_digest(&mut sealed);
        prop_assert!(!load_and_predict(&bytes) && !load_and_predict(&sealed));
    }

    /// Forged bytes with a valid digest are refused or harmless.
    #[test]
    fn altered_files_with_a_right_digest_never_panic(
        seed in 0..50_u64,
        which in 0..17_usize,
        // Counted from the end, where the fitted numbers are.
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<bool>()), 1..6),
    ) {
        let mut bytes = encode(&sample(seed, which));
        for (at, value, flip) in changes {
            let at = at.index(bytes.len() - 32);
            bytes[at] = if flip { bytes[at] ^ (1 << (value % 8)) } else { value };
        }
        rewrite_digest(&mut bytes);
        load_and_predict(&bytes);
    }

    /// Forged 32-bit words in the estimator section, where lengths, indices and numbers are.
    #[test]
    fn altered_words_never_panic(seed in 0..50_u64, which in 0..17_usize, changes in 1..4_usize, random in any::<u64>()) {
        let model = sample(seed, which);
        let mut bytes = encode(&model);
        let section = super::estimator::encode(&model.estimator).bytes.len();
        let start = bytes.len() - 32 - section;
        let random = &mut Stream(random);
        for _ in 0..changes {
            let at = start + 4 * random.below(section / 4);
            let words = [0, 1, 2, 3, u32::MAX, u32::MAX - 1, 1 << 31, 0x7F80_0000, 0x7FC0_0000, random.next() as u32];
            bytes[at..at + 4].copy_from_slice(&words[random.below(words.len())].to_le_bytes());
        }
        rewrite_digest(&mut bytes);
        load_and_predict(&bytes);
    }
}
