//! Small random models of every family, for tests.

use serde_json::{Map, Value, json};
use trainyard_domain::Algorithm;
use trainyard_domain::table::CellReading;

use crate::model::{
    Bins, BoostedTrees, CalibratedModel, Calibrator, Categories, CategoryOrder, CategoryStatistic, ColumnEncoder,
    DecisionFunction, DesignMatrixEncoder, Distribution, Distributions, Ensemble, Estimator, Feature, FeatureEncoding,
    FeatureKind, Kernel, LinearModel, Link, Manifest, Member, Model, NodeSplit, Response, Scaling, SelfTest, Signature,
    SvmModel, Task, Tree, TreeEnsemble,
};

/// A seeded random number generator for tests (SplitMix64).
pub(crate) struct Stream(pub(crate) u64);

impl Stream {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    /// A number from 0 to 1, uniformly distributed.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

pub(crate) fn binary() -> Task {
    Task::Binary { negative: "0".into(), positive: "1".into(), boolean: true, numeric: true, threshold: 0.5 }
}

pub(crate) fn three_classes() -> Task {
    Task::MultiClass { classes: ["a", "b", "c"].map(String::from).to_vec(), numeric: false }
}

pub(crate) fn feature(name: &str, kind: FeatureKind) -> Feature {
    Feature { name: name.into(), kind, missing_in_training: 1, reading: CellReading::default() }
}

/// A number, a boolean and a category with three values.
pub(crate) fn signature(task: Task) -> Signature {
    let categories = Categories::new(["S", "C", "Q"].map(String::from).to_vec()).unwrap();
    Signature {
        features: vec![
            feature("age", FeatureKind::Number { median: 28.0, min: 0.17, max: 80.0, scaling: Scaling::IDENTITY }),
            feature("alone", FeatureKind::Boolean { mode: true }),
            feature(
                "embarked",
                FeatureKind::Category { categories, mode: 0, grouped: false, orders: vec![], statistics: vec![] },
            ),
        ],
        target: "survived".into(),
        task,
        dropped: vec![],
        missing: vec![],
    }
}

/// Distributions of the features of [`signature`], and of the predictions of a task.
pub(crate) fn distributions(task: &Task) -> Distributions {
    let predictions = match task {
        Task::Regression => {
            Distribution { bins: Bins::Numbers { edges: vec![-1.0, 0.5, 2.0] }, rows: vec![50, 70, 80, 62, 0] }
        }
        classes => {
            let top: Vec<u32> = (0..).take(classes.labels().len()).collect();
            let rows = (0..).map(|bin| 100 - 20 * bin).take(top.len()).chain([0, 0]).collect();
            Distribution { bins: Bins::Codes { top }, rows }
        }
    };
    Distributions {
        features: vec![
            Distribution { bins: Bins::Numbers { edges: vec![18.5, 28.0, 45.25] }, rows: vec![200, 300, 400, 146, 1] },
            Distribution { bins: Bins::Booleans, rows: vec![446, 600, 1] },
            Distribution { bins: Bins::Codes { top: vec![0, 2] }, rows: vec![700, 200, 146, 1] },
        ],
        predictions,
    }
}

pub(crate) fn model(task: Task, algorithm: Algorithm, estimator: Estimator) -> Model {
    let distributions = distributions(&task);
    let mut signature = signature(task);
    if let (Estimator::Boosting(_), FeatureKind::Category { statistics, .. }) =
        (&estimator, &mut signature.features[2].kind)
    {
        statistics.push(CategoryStatistic { values: vec![0.25, 0.5, 0.75], unseen: 0.4 });
    }
    let mut model = Model {
        manifest: Manifest {
            signature,
            algorithm,
            params: Map::new(),
            seed: 42,
            dataset_sha256: "00".repeat(32),
            library_version: "0.1.0".into(),
            metrics: json!({"accuracy": 0.8}),
            rows: 1_047,
            distributions,
            self_test: vec![],
        },
        estimator,
    };
    record_self_test(&mut model);
    model
}

/// Records the predictions for a few rows, as training does.
fn record_self_test(model: &mut Model) {
    let rows = [json!({"age": 29, "alone": true, "embarked": "Q"}), json!({"age": null, "embarked": "X"}), json!({})];
    for row in rows {
        let Value::Object(features) = row else { unreachable!() };
        let mut raw = crate::model::RawRow::new(model.manifest.signature.width());
        let signature = &model.manifest.signature;
        signature.encode_json(&signature.text_readers(), &features, &mut raw).unwrap();
        let mut expected = vec![0.0; model.manifest.signature.task.outputs()];
        model.estimator.predict(&model.manifest.signature.task, &raw.raw, &raw.unseen, &mut expected);
        model.manifest.self_test.push(SelfTest { features, expected });
    }
}

/// A random tree with depth-first node numbers.
pub(crate) fn tree(random: &mut Stream, features: usize, outputs: usize, splits: usize) -> Tree {
    let mut tree = Tree::default();
    grow(&mut tree, random, features, outputs, splits);
    tree
}

fn grow(tree: &mut Tree, random: &mut Stream, features: usize, outputs: usize, splits: usize) {
    let mut open = vec![(0_usize, splits)];
    tree.push_empty_leaf(100.0);
    while let Some((node, splits)) = open.pop() {
        if splits == 0 {
            let values: Vec<f32> = (0..outputs).map(|_| random.unit() as f32).collect();
            tree.set_values(node, &values);
            continue;
        }
        let split = NodeSplit {
            feature: random.below(features) as u32,
            // Few distinct thresholds, so that values often equal a threshold.
            threshold: random.below(7) as f32 - 2.0,
            missing_right: random.below(2) == 1,
            covers: [(random.unit() as f32 + 0.1) * 10.0, (random.unit() as f32 + 0.1) * 10.0],
        };
        let left = tree.split(node, split);
        let share = random.below(splits);
        open.extend([(left, share), (left + 1, splits - 1 - share)]);
    }
}

pub(crate) fn forest(
    random: &mut Stream,
    features: usize,
    outputs: usize,
    trees: usize,
    splits: usize,
) -> TreeEnsemble {
    let trees = (0..trees)
        .map(|_| {
            let splits = random.below(splits + 1);
            tree(random, features, outputs, splits)
        })
        .collect();
    TreeEnsemble { outputs, trees }
}

/// Boosted trees with nine rounds.
pub(crate) fn boosted(random: &mut Stream, features: usize, task: &Task) -> BoostedTrees {
    let outputs = task.outputs();
    let link = match task {
        Task::Binary { .. } => Link::Logit,
        Task::MultiClass { .. } => Link::Softmax,
        Task::Regression => Link::Identity,
    };
    let scale = if *task == Task::Regression { 12.5 } else { 1.0 };
    let response = Response { baseline: numbers(random, outputs), scale, link };
    BoostedTrees { trees: forest(random, features, 1, 9 * outputs, 12), response }
}

fn encoder() -> DesignMatrixEncoder {
    DesignMatrixEncoder {
        columns: vec![
            ColumnEncoder::ScaledWithLevels {
                impute: 28.0,
                mean: 30.0,
                scale: 14.0,
                missing_indicator: true,
                levels: vec![3.0, 28.0, 29.0],
            },
            ColumnEncoder::Scaled { impute: 1.0, mean: 0.6, scale: 0.5, missing_indicator: false },
            ColumnEncoder::OneHot { categories: 3, impute: 0 },
        ],
    }
}

fn numbers(random: &mut Stream, count: usize) -> Vec<f64> {
    (0..count).map(|_| random.unit() * 4.0 - 2.0).collect()
}

pub(crate) fn linear(random: &mut Stream, outputs: usize) -> LinearModel {
    let encoder = encoder();
    let weights = numbers(random, outputs * encoder.width());
    let means = numbers(random, encoder.width());
    LinearModel { encoder, weights, intercepts: numbers(random, outputs), means }
}

pub(crate) fn svm(random: &mut Stream, classes: u32) -> SvmModel {
    let encoder = encoder();
    let vectors = numbers(random, 5 * encoder.width());
    let mut pairs: Vec<(u32, u32)> =
        (0..classes).flat_map(|second| (second + 1..classes).map(move |first| (first, second))).collect();
    // Regression has one decision function.
    if classes == 0 {
        pairs.push((0, 0));
    }
    let functions = pairs.into_iter().map(|(first, second)| DecisionFunction {
        first,
        second,
        support: vec![0, 3, 4],
        coefficients: numbers(random, 3),
        rho: 0.1,
        platt_a: -1.5,
        platt_b: 0.2,
    });
    let functions = functions.collect();
    SvmModel { encoder, kernel: Kernel::Rbf { gamma: 0.2 }, vectors, functions }
}

/// A member of every family, each with its own encoding of the category.
pub(crate) fn ensemble(random: &mut Stream, task: &Task) -> Ensemble {
    let outputs = task.outputs();
    let member = |weight, category, estimator| {
        let encodings = vec![FeatureEncoding::Select(vec![0]), FeatureEncoding::Select(vec![1]), category];
        Member { weight, encodings, estimator }
    };
    let order = |ranks: [Option<u32>; 3], missing| CategoryOrder { ranks: ranks.to_vec(), missing };
    let orders = vec![order([Some(2), Some(0), None], Some(1)), order([None, Some(1), Some(0)], None)];
    let statistics = vec![CategoryStatistic { values: vec![0.25, 0.5, 0.75], unseen: 0.4 }];
    let code = || FeatureEncoding::Select(vec![2]);
    let members = vec![
        member(0.5, FeatureEncoding::Orders { code: 2, orders }, Estimator::Trees(forest(random, 4, outputs, 9, 12))),
        member(
            0.25,
            FeatureEncoding::Statistics { code: 2, statistics },
            Estimator::Boosting(boosted(random, 3, task)),
        ),
        member(0.125, code(), Estimator::Linear(linear(random, outputs))),
        member(0.125, code(), Estimator::Svm(svm(random, task.labels().len() as u32))),
    ];
    Ensemble { members }
}

/// A function of every kind, one per output.
pub(crate) fn calibrators(outputs: usize) -> Vec<Calibrator> {
    let isotonic = Calibrator::Isotonic { scores: vec![0.1, 0.3, 0.30001, 0.8], shares: vec![0.05, 0.05, 0.4, 0.9] };
    let platt = Calibrator::Platt { a: -1.4, b: 0.3 };
    [isotonic, platt].into_iter().cycle().take(outputs).collect()
}

/// A model with calibrated probabilities and, for two classes, a threshold of 0.375.
fn calibrated(task: Task, algorithm: Algorithm, base: Estimator) -> Model {
    let calibrators = calibrators(task.outputs());
    let calibrated = CalibratedModel { base: Box::new(base), calibrators };
    model(task.with_threshold(0.375), algorithm, Estimator::Calibrated(calibrated))
}

/// One model per family and task, and four calibrated ones.
pub(crate) fn all(seed: u64) -> Vec<Model> {
    let random = &mut Stream(seed);
    let calibrated_forest =
        calibrated(binary(), Algorithm::RandomForest, Estimator::Trees(forest(&mut Stream(seed), 3, 1, 9, 12)));
    let calibrated_linear =
        calibrated(three_classes(), Algorithm::LogisticRegression, Estimator::Linear(linear(&mut Stream(seed), 3)));
    let calibrated_ensemble =
        calibrated(binary(), Algorithm::Auto, Estimator::Ensemble(ensemble(&mut Stream(seed), &binary())));
    let calibrated_machine = calibrated(binary(), Algorithm::Auto, Estimator::Svm(svm(&mut Stream(seed), 2)));
    let mut of = |task: Task, algorithm| {
        let outputs = task.outputs();
        let estimator = match algorithm {
            Algorithm::RandomForest | Algorithm::ExtraTrees | Algorithm::DecisionTree => {
                Estimator::Trees(forest(random, 3, outputs, 9, 12))
            }
            Algorithm::GradientBoosting => Estimator::Boosting(boosted(random, 3, &task)),
            Algorithm::LogisticRegression | Algorithm::Ridge => Estimator::Linear(linear(random, outputs)),
            Algorithm::Svm => Estimator::Svm(svm(random, task.labels().len() as u32)),
            Algorithm::Auto => Estimator::Ensemble(ensemble(random, &task)),
        };
        model(task, algorithm, estimator)
    };
    vec![
        of(binary(), Algorithm::RandomForest),
        of(three_classes(), Algorithm::DecisionTree),
        of(Task::Regression, Algorithm::RandomForest),
        of(binary(), Algorithm::LogisticRegression),
        of(three_classes(), Algorithm::LogisticRegression),
        of(binary(), Algorithm::Svm),
        of(three_classes(), Algorithm::Svm),
        of(Task::Regression, Algorithm::Svm),
        of(Task::Regression, Algorithm::Ridge),
        of(binary(), Algorithm::GradientBoosting),
        of(three_classes(), Algorithm::GradientBoosting),
        of(Task::Regression, Algorithm::GradientBoosting),
        of(binary(), Algorithm::Auto),
        of(three_classes(), Algorithm::Auto),
        of(Task::Regression, Algorithm::Auto),
        calibrated_forest,
        calibrated_linear,
        calibrated_ensemble,
        calibrated_machine,
    ]
}
