//! The models of the algorithm `auto`: ensembles and single models, their predictions and explanations.

use super::*;
use crate::artifact;
use crate::model::{Estimator, FeatureKind, Model};
use crate::predict::{Outcome, Predictor, Row, Scale};
use crate::rng::{Rng, Stream};

const PASSENGER: [&str; 7] = ["sex", "age", "pclass", "sibsp", "parch", "fare", "embarked"];

fn model(trained: &Trained) -> Model {
    artifact::decode(&trained.artifact).unwrap()
}

fn row(value: &Value) -> Row {
    value.as_object().unwrap().clone()
}

/// Rows with present, missing and unseen values.
fn rows(csv: &str) -> Vec<Row> {
    if csv == DIABETES {
        let of = |i: usize| json!({"age": 20 + i, "bmi": 18.5 + i as f64, "s5": 4.0 + i as f64 / 20.0, "bp": null});
        return (0..20).map(|i| row(&of(i))).chain([Row::new()]).collect();
    }
    let mut rows = vec![
        json!({}),
        json!({"sex": "male", "age": null, "pclass": 3, "embarked": "elsewhere"}),
        json!({"sex": "unknown", "age": 4, "fare": 1e6, "sibsp": 9}),
    ];
    rows.extend((0..20).map(|i| {
        let (sex, port) = (["male", "female"][i % 2], ["S", "C", "Q"][i % 3]);
        json!({"sex": sex, "age": 3 * i, "pclass": 1 + i % 3, "sibsp": i % 4, "parch": i % 2, "fare": 5 * i, "embarked": port})
    }));
    rows.iter().map(row).collect()
}

/// A member is exactly the model that a job of its algorithm trains with its parameters and the same seed.
#[test]
fn a_single_model_is_that_of_a_plain_job() {
    let params = json!({"budget_s": 86_400, "max_trials": 6, "ensemble": "off"});
    let trained = run(TITANIC, &request(Algorithm::Auto, &PASSENGER, "survived", 3, params));
    let trials = trained.metrics["trials"].as_array().unwrap();
    let chosen = trials.iter().find(|trial| trial["weight"] == 1.0).unwrap();
    let algorithm = Algorithm::parse(chosen["algorithm"].as_str().unwrap()).unwrap();
    let plain = run(TITANIC, &request(algorithm, &PASSENGER, "survived", 3, chosen["params"].clone()));
    let (found, expected) = (model(&trained), model(&plain));
    assert_eq!(found.estimator, expected.estimator);
    assert_eq!(found.manifest.signature, expected.manifest.signature);
    assert_eq!(found.manifest.self_test, expected.manifest.self_test);
    assert_eq!(trained.metrics["log_loss"], plain.metrics["log_loss"]);
    assert_eq!(found.manifest.algorithm, Algorithm::Auto);
}

#[test]
fn members_of_an_ensemble_are_those_of_plain_jobs() {
    let trained = run(TITANIC, &auto(&PASSENGER, "survived", 3, 6));
    let Estimator::Ensemble(ensemble) = model(&trained).estimator else { panic!("one model has all the weight") };
    let trials = trained.metrics["trials"].as_array().unwrap();
    let chosen: Vec<&Value> = trials.iter().filter(|trial| trial["weight"].as_f64() > Some(0.0)).collect();
    assert_eq!(ensemble.members.len(), chosen.len());
    for (member, trial) in ensemble.members.iter().zip(chosen) {
        // The weights are read from JSON, which may change the last bit.
        assert!((member.weight - trial["weight"].as_f64().unwrap()).abs() < 1e-12, "{} and {trial}", member.weight);
        let algorithm = Algorithm::parse(trial["algorithm"].as_str().unwrap()).unwrap();
        let plain = run(TITANIC, &request(algorithm, &PASSENGER, "survived", 3, trial["params"].clone()));
        assert_eq!(member.estimator, model(&plain).estimator);
    }
}

/// The prediction is the weighted mean of the predictions of plain models with the same parameters.
#[test]
fn predictions_are_the_weighted_mean_of_the_members() {
    let mut rng = Rng::new(5, Stream::Split);
    let dates = (0..400_u32).fold("d,u,x,y\n".to_owned(), |csv, row| {
        let (month, category, x, noise) = (rng.below(12), rng.below(5), rng.below(100), rng.below(20));
        let u = if row % 11 == 0 { String::new() } else { format!("u{category}") };
        let day = format!("20{:02}-{:02}-{:02}", 10 + rng.below(9), 1 + month, 1 + rng.below(28));
        let class = ["a", "b", "c"][((2 * month + 5 * category + x / 10 + noise) / 25) as usize];
        format!("{csv}{day},{u},{x},{class}\n")
    });
    let features = ["d", "u", "x"];
    let trained = run(&dates, &auto(&features, "y", 1, 6));
    let ensemble = Predictor::load(&trained.artifact).unwrap();
    assert!(ensemble.signature().features[0].kind.width() > 5, "all parts of a date");
    let members: Vec<(f64, Predictor)> = trained.metrics["trials"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|trial| trial["weight"].as_f64() > Some(0.0))
        .map(|trial| {
            let algorithm = Algorithm::parse(trial["algorithm"].as_str().unwrap()).unwrap();
            let plain = run(&dates, &request(algorithm, &features, "y", 1, trial["params"].clone()));
            (trial["weight"].as_f64().unwrap(), Predictor::load(&plain.artifact).unwrap())
        })
        .collect();
    assert!(members.len() > 1);
    for value in [
        json!({"d": "2014-06-30", "u": "u1", "x": 5}),
        json!({"d": null, "u": null}),
        json!({"d": "2031-12-01", "u": "never seen", "x": -3.5}),
        json!({"u": "u4"}),
    ] {
        let shares = |predictor: &Predictor| match predictor.predict_one(&row(&value)).unwrap().outcome {
            Outcome::Class { probabilities, .. } => {
                probabilities.into_iter().map(|(_, share)| share).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        let found = shares(&ensemble);
        // The leaves of forests have shares in f32.
        assert!((found.iter().sum::<f64>() - 1.0).abs() < 1e-6, "{found:?}");
        for (class, found) in found.iter().enumerate() {
            let expected: f64 = members.iter().map(|(weight, member)| weight * shares(member)[class]).sum();
            assert!((found - expected).abs() < 1e-9, "{found} instead of {expected} for {value}");
        }
        let warnings = |predictor: &Predictor| predictor.predict_one(&row(&value)).unwrap().warnings;
        assert_eq!(warnings(&ensemble), warnings(&members[0].1));
    }
}

#[test]
fn a_copy_of_the_file_predicts_the_same_bits() {
    for (csv, features, target) in
        [(TITANIC, PASSENGER.to_vec(), "survived"), (DIABETES, others(DIABETES, "target"), "target")]
    {
        let trained = run(csv, &auto(&features, target, 2, 5));
        let copy = artifact::encode(&model(&trained));
        assert!(copy == trained.artifact);
        let (one, other) = (Predictor::load(&trained.artifact).unwrap(), Predictor::load(&copy).unwrap());
        for mut row in rows(csv) {
            row.retain(|name, _| one.signature().position(name).is_some());
            assert_eq!(one.predict_one(&row).unwrap(), other.predict_one(&row).unwrap());
        }
    }
}

/// The defaults without the support vector machine, which is the fifth trial.
#[test]
fn explanations_add_up_to_the_prediction() {
    for (csv, features, target, top) in [
        (TITANIC, PASSENGER.to_vec(), "survived", vec!["sex"]),
        (TITANIC, vec!["age", "sex", "fare", "survived"], "pclass", vec!["fare"]),
        (DIABETES, others(DIABETES, "target"), "target", vec!["bmi", "s5"]),
    ] {
        let trained = run(csv, &auto(&features, target, 3, 4));
        let predictor = Predictor::load(&trained.artifact).unwrap();
        assert!(predictor.explains());
        let Estimator::Ensemble(ensemble) = model(&trained).estimator else { panic!("{target}: one model alone") };
        println!("{target}: {} members", ensemble.members.len());
        let names: Vec<String> = predictor.signature().features.iter().map(|feature| feature.name.clone()).collect();
        let mut sums = vec![0.0; names.len()];
        for mut row in rows(csv) {
            row.retain(|name, _| names.contains(name));
            let explanation = predictor.explain(&row).unwrap();
            let (expected, scale) = match predictor.predict_one(&row).unwrap().outcome {
                Outcome::Binary { prob, .. } => (prob, Scale::Probability),
                Outcome::Class { probabilities, label } => {
                    (probabilities.iter().find(|(class, _)| *class == label).unwrap().1, Scale::Probability)
                }
                Outcome::Number(number) => (number, Scale::Number),
            };
            let sum = explanation.baseline + explanation.contributions.iter().sum::<f64>();
            let tolerance = 1e-6 * expected.abs().max(1.0);
            assert_eq!(explanation.scale, scale);
            assert!((explanation.value - expected).abs() < tolerance, "{target}: {explanation:?}, {expected}");
            assert!((sum - expected).abs() < tolerance, "{target}: {explanation:?}");
            sums.iter_mut().zip(&explanation.contributions).for_each(|(sum, part)| *sum += part.abs());
        }
        if target != "target" {
            let largest = (0..names.len()).max_by(|a, b| sums[*a].total_cmp(&sums[*b])).unwrap();
            assert!(top.contains(&names[largest].as_str()), "{target}: {names:?} {sums:?}");
        }
        let ranked = &trained.metrics["feature_importances"];
        assert!(top.contains(&ranked[0]["feature"].as_str().unwrap()), "{ranked}");
        let total: f64 = ranked.as_array().unwrap().iter().map(|entry| entry["importance"].as_f64().unwrap()).sum();
        assert!((total - 1.0).abs() < 1e-9, "{ranked}");
    }
}

#[test]
fn an_ensemble_with_a_support_vector_machine_names_it() {
    // Two rings, which a support vector machine separates best.
    let csv = (0..300_u32).fold("x,z,y\n".to_owned(), |csv, row| {
        let (angle, radius) = (f64::from(row) * 0.7, [1.0, 1.6][(row % 2) as usize] + f64::from(row * 7 % 10) / 50.0);
        format!("{csv}{:.4},{:.4},{}\n", radius * angle.cos(), radius * angle.sin(), ["a", "b"][(row % 2) as usize])
    });
    let trained = run(&csv, &auto(&["x", "z"], "y", 1, 5));
    let trials = trained.metrics["trials"].as_array().unwrap();
    assert!(trials[4]["algorithm"] == "svm" && trials[4]["weight"].as_f64() > Some(0.0), "{trials:?}");
    let predictor = Predictor::load(&trained.artifact).unwrap();
    assert_eq!(predictor.unexplained(), Some("svm"));
    assert!(predictor.explain(&row(&json!({"x": 1.0, "z": 0.0}))).is_none());
}

#[test]
fn categories_and_dates_are_stored_once() {
    let trained = run(TITANIC, &auto(&PASSENGER, "survived", 3, 6));
    let signature = model(&trained).manifest.signature;
    let kinds: Vec<&FeatureKind> = signature.features.iter().map(|feature| &feature.kind).collect();
    assert!(kinds.iter().all(|kind| kind.width() == 1), "{kinds:?}");
}
