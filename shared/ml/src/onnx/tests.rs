//! Exported models in onnxruntime: the answers are those of the predictor.

mod cases;
mod refusals;
mod tables;

use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};

use self::cases::Case;
use super::{ModelIdentity, export};
use crate::artifact;
use crate::artifact::samples::{self, Stream};
use crate::model::{Estimator, Kernel, Link, Model, NodeSplit, Task, Tree, TreeEnsemble};

const IDENTITY: ModelIdentity<'_> = ModelIdentity { name: "demo", version: 7, artifact_sha256: "ab" };
const MAX_BYTES: usize = 64 << 20;

/// Exports the models and compares onnxruntime with the predictor on the rows of all cases.
fn compare(cases: &[Case]) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join("target/tools/onnxruntime/bin/python");
    assert!(python.exists(), "onnxruntime is not installed: run scripts/ensure onnxruntime");
    let folder = tempfile::tempdir().unwrap();
    let described: Vec<Value> = cases
        .iter()
        .enumerate()
        .map(|(number, case)| {
            let file = format!("{number}.onnx");
            std::fs::write(folder.path().join(&file), export(&case.artifact, &IDENTITY, MAX_BYTES).unwrap()).unwrap();
            case.describe(&file)
        })
        .collect();
    std::fs::write(folder.path().join("cases.json"), json!(described).to_string()).unwrap();
    let mut command = Command::new(python);
    command.env("PYTHONDONTWRITEBYTECODE", "1").arg(root.join("tests/onnxruntime/check.py")).arg(folder.path());
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}\n{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(text(&output.stderr), "", "onnxruntime has a warning about a model");
}

/// Models with random numbers, of every family and task.
#[test]
fn random_models_answer_as_in_the_service() {
    let mut models = Vec::new();
    for seed in [3, 4, 5] {
        models.extend(samples::all(seed));
    }
    for kernel in [Kernel::Linear, Kernel::Polynomial { constant: 0.5, degree: 3 }, Kernel::Rbf { gamma: 1e-3 }] {
        for mut model in samples::all(6) {
            if let Estimator::Svm(svm) = &mut model.estimator {
                svm.kernel = kernel;
                models.push(without_self_test(model));
            }
        }
    }
    for mut model in samples::all(7) {
        if let (Task::Regression, Estimator::Boosting(boosted)) = (&model.manifest.signature.task, &mut model.estimator)
        {
            (boosted.response.link, boosted.response.scale) = (Link::Log, 0.5);
            models.push(without_self_test(model));
        }
    }
    let cases: Vec<_> = models
        .iter()
        .enumerate()
        .map(|(number, model)| {
            let name = format!("random model {number}, {}", model.manifest.algorithm.as_str());
            Case::new(name, artifact::encode(model), &mut Stream(number as u64))
        })
        .collect();
    compare(&cases);
}

fn without_self_test(mut model: Model) -> Model {
    model.manifest.self_test.clear();
    model
}

#[test]
fn a_tree_of_great_depth_answers_as_in_the_service() {
    let mut tree = Tree::default();
    let mut last = tree.push_empty_leaf(20.0);
    for level in 0..3_000_u32 {
        // The left child is a leaf, the right child the next split.
        let threshold = level as f32 / 100.0;
        let split = NodeSplit { feature: 0, threshold, missing_right: level < 10, covers: [1.0; 2] };
        let left = tree.split(last, split);
        tree.set_values(left, &[level as f32 / 4_000.0]);
        last = left + 1;
    }
    tree.set_values(last, &[0.75]);
    let mut model = without_self_test(samples::all(8).swap_remove(0));
    model.estimator = Estimator::Trees(TreeEnsemble { outputs: 1, trees: vec![tree; 3] });
    compare(&[Case::new("deep tree".into(), artifact::encode(&model), &mut Stream(1))]);
}

/// Forests with an even number of trees whose shares are often exactly one half, in sums that `f32` would round.
#[test]
fn ties_have_the_same_label() {
    let mut cases = Vec::new();
    for (number, task) in [samples::binary(), samples::three_classes()].into_iter().enumerate() {
        let mut models = samples::all(9 + number as u64);
        let model = models
            .iter_mut()
            .find(|model| model.manifest.signature.task == task && matches!(model.estimator, Estimator::Trees(_)));
        let model = model.unwrap();
        let random = &mut Stream(number as u64);
        let outputs = task.outputs();
        let mut forest = samples::forest(random, 3, outputs, 150, 9);
        // Each tree has a twin with the complement of its shares, which f32 rounds in another direction.
        for tree in forest.trees.clone() {
            let mut twin = tree;
            for shares in twin.values.chunks_exact_mut(outputs) {
                match shares {
                    [share] => *share = 1.0 - *share,
                    shares => shares.rotate_left(1),
                }
            }
            forest.trees.push(twin);
        }
        model.estimator = Estimator::Trees(forest);
        let model = without_self_test(model.clone());
        cases.push(Case::new(format!("ties {number}"), artifact::encode(&model), random));
    }
    compare(&cases);
}

/// Trained models of every algorithm and task.
#[test]
fn trained_models_answer_as_in_the_service() {
    compare(&tables::trained());
}

#[test]
fn equal_models_have_equal_files() {
    for model in samples::all(1) {
        let artifact = artifact::encode(&model);
        assert_eq!(export(&artifact, &IDENTITY, MAX_BYTES).unwrap(), export(&artifact, &IDENTITY, MAX_BYTES).unwrap());
    }
}
