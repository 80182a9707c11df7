//! The metrics of all algorithms on the built-in datasets.

use super::*;

/// The columns of a passenger without names and numbers.
const PASSENGER: [&str; 7] = ["sex", "age", "pclass", "sibsp", "parch", "fare", "embarked"];

#[test]
fn titanic_forest() {
    let with = |features: &[&str]| {
        mean("accuracy", 1..=5, |seed| {
            run(TITANIC, &request(Algorithm::RandomForest, features, "survived", seed, none()))
        })
    };
    let (seven, three) = (with(&PASSENGER), with(&PASSENGER[..3]));
    println!("titanic random_forest: seven features {seven:.4}, three {three:.4}");
    assert!(seven >= 0.78, "{seven}");
    assert!(three >= 0.77, "{three}");
}

#[test]
fn titanic_with_the_other_algorithms() {
    for algorithm in [Algorithm::DecisionTree, Algorithm::Svm, Algorithm::LogisticRegression] {
        let accuracy =
            mean("accuracy", 1..=5, |seed| run(TITANIC, &request(algorithm, &PASSENGER, "survived", seed, none())));
        println!("titanic {}: {accuracy:.4}", algorithm.as_str());
        assert!(accuracy >= 0.76, "{}: {accuracy}", algorithm.as_str());
    }
}

#[test]
fn breast_cancer_with_all_algorithms() {
    let features = others(BREAST_CANCER, "target");
    for algorithm in classifiers() {
        let run = |seed| run(BREAST_CANCER, &request(algorithm, &features, "target", seed, none()));
        let accuracy = mean("accuracy", 1..=5, run);
        let area = mean("roc_auc", 1..=5, run);
        println!("breast_cancer {}: accuracy {accuracy:.4}, roc_auc {area:.4}", algorithm.as_str());
        assert!(accuracy >= 0.93, "{}: {accuracy}", algorithm.as_str());
        assert!(area >= 0.93, "{}: {area}", algorithm.as_str());
    }
}

#[test]
fn diabetes_is_a_regression() {
    let features = others(DIABETES, "target");
    let run = |seed| {
        let params = json!({"max_features": "third"});
        run(DIABETES, &request(Algorithm::RandomForest, &features, "target", seed, params))
    };
    let r2 = mean("r2", 1..=5, run);
    println!("diabetes random_forest: r2 {r2:.4}");
    assert!(r2 > 0.35, "{r2}");
    let metrics = run(1).metrics;
    assert!(metrics["rmse"].as_f64().unwrap() > metrics["mae"].as_f64().unwrap());
    assert!(metrics["oob_r2"].as_f64().unwrap() > 0.35);
    assert!(metrics.get("accuracy").is_none());
}

#[test]
fn boosting_reports_its_rounds() {
    let recorder = Recorder::default();
    let request = request(Algorithm::GradientBoosting, &PASSENGER, "survived", 1, none());
    let metrics = attempt(TITANIC, &request, &recorder).unwrap().metrics;
    let rounds = metrics["n_rounds"].as_u64().unwrap();
    assert!((5..500).contains(&rounds), "{rounds}");
    let measured = recorder.measured.into_inner().unwrap();
    assert!(!measured.is_empty() && measured.iter().all(|(name, ..)| name == "validation_loss"), "{measured:?}");
    let noted = recorder.noted.into_inner().unwrap();
    assert!(noted.iter().any(|note| note.starts_with(&format!("{rounds} rounds have the smallest loss"))), "{noted:?}");
    assert!(recorder.reported.into_inner().unwrap().is_sorted_by(|a, b| a.1 <= b.1));
    let params = json!({"n_rounds": 7, "early_stopping_rounds": 0});
    let metrics = run(TITANIC, &super::request(Algorithm::GradientBoosting, &PASSENGER, "survived", 1, params)).metrics;
    assert_eq!(metrics["n_rounds"], 7);
}

#[test]
fn boosting_has_several_losses() {
    let features = others(DIABETES, "target");
    let run =
        |seed, params: Value| run(DIABETES, &request(Algorithm::GradientBoosting, &features, "target", seed, params));
    for params in [none(), json!({"loss": "poisson"}), json!({"loss": "quantile"})] {
        let r2 = mean("r2", 1..=5, |seed| run(seed, params.clone()));
        println!("diabetes gradient_boosting {params}: r2 {r2:.4}");
        assert!(r2 > 0.35, "{params}: {r2}");
    }
    let listed = |quantile: f64| {
        let metrics = run(1, json!({"loss": "quantile", "quantile": quantile})).metrics;
        let numbers = |name: &str| -> Vec<f64> {
            metrics["predictions"][name].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect()
        };
        numbers("actual").iter().zip(numbers("predicted")).filter(|(actual, predicted)| *actual <= predicted).count()
    };
    assert!(listed(0.1) < 25 && listed(0.9) > 65, "of 88 rows: {}, {}", listed(0.1), listed(0.9));
    let csv =
        "x,y\n".to_owned() + &(0..60).map(|row| format!("{row},{}\n", row as f64 / 7.0 - 3.0)).collect::<String>();
    let negative = request(Algorithm::GradientBoosting, &["x"], "y", 1, json!({"loss": "poisson"}));
    assert!(refusal(&csv, &negative).contains("needs targets that are not negative"));
}

#[test]
fn monotone_constraints_hold() {
    let predictions = |params: Value| {
        let mut job = request(Algorithm::GradientBoosting, &["bmi", "s5", "bp"], "target", 1, params);
        job.spec.learning.task = Some(trainyard_domain::TaskKind::Regression);
        let predictor = crate::predict::Predictor::load(&run(DIABETES, &job).artifact).unwrap();
        let of = |bmi: u32, s5: f64| {
            let row = json!({"bmi": f64::from(bmi) / 4.0, "s5": s5, "bp": 95.0});
            match predictor.predict_one(row.as_object().unwrap()).unwrap().outcome {
                crate::predict::Outcome::Number(number) => number,
                other => panic!("{other:?}"),
            }
        };
        [3.8, 4.6, 5.4].map(|s5| (60..180).map(|bmi| of(bmi, s5)).collect::<Vec<_>>())
    };
    let params = |signs: Value| json!({"n_rounds": 60, "early_stopping_rounds": 0, "monotone_constraints": signs});
    let free = predictions(params(json!({})));
    assert!(free.iter().any(|series| !series.is_sorted()), "the constraint is needed");
    let rising = predictions(params(json!({"bmi": 1})));
    assert!(rising.iter().all(|series| series.is_sorted() && series[0] < series[series.len() - 1]), "{rising:?}");
    let falling = predictions(params(json!({"bmi": -1})));
    assert!(falling.iter().all(|series| series.is_sorted_by(|a, b| a >= b)), "{falling:?}");
}

#[test]
fn monotone_constraints_need_numbers_and_an_order() {
    let refused = |features: &[&str], target: &str, signs: Value| {
        let params = json!({"n_rounds": 3, "monotone_constraints": signs});
        refusal(TITANIC, &request(Algorithm::GradientBoosting, features, target, 1, params))
    };
    let category = refused(&["embarked", "age"], "survived", json!({"embarked": 1}));
    assert!(category.contains("cannot contain 'embarked'"), "{category}");
    let classes = refused(&["fare", "age"], "pclass", json!({"fare": -1}));
    assert!(classes.contains("two classes, or a regression"), "{classes}");
}

#[test]
fn all_algorithms_support_several_classes() {
    for algorithm in classifiers() {
        let features = ["fare", "age", "embarked", "sibsp", "parch", "sex"];
        let request = request(algorithm, &features, "pclass", 1, none());
        let metrics = run(TITANIC, &request).metrics;
        let (accuracy, area) = (metrics["accuracy"].as_f64().unwrap(), metrics["roc_auc"].as_f64().unwrap());
        println!("titanic pclass {}: accuracy {accuracy:.4}, roc_auc {area:.4}", algorithm.as_str());
        assert!(accuracy > 0.62, "{}: {accuracy}; the largest class has 54 %", algorithm.as_str());
        assert!(area > 0.7, "{}: {area}", algorithm.as_str());
        assert_eq!(metrics["confusion_matrix"]["labels"], json!([1, 2, 3]));
        assert!(metrics.get("positive_class").is_none());
    }
}

#[test]
fn every_kernel_and_criterion_works() {
    let accuracy = |algorithm, params| {
        let request = request(algorithm, &PASSENGER, "survived", 1, params);
        run(TITANIC, &request).metrics["accuracy"].as_f64().unwrap()
    };
    for kernel in ["rbf", "linear", "polynomial"] {
        let accuracy = accuracy(Algorithm::Svm, json!({"kernel": kernel}));
        assert!(accuracy > 0.74, "{kernel}: {accuracy}");
    }
    let entropy = accuracy(Algorithm::DecisionTree, json!({"criterion": "entropy", "max_depth": 5}));
    assert!(entropy > 0.74, "{entropy}");
    let balanced = accuracy(Algorithm::RandomForest, json!({"class_weight": "balanced", "max_features": "all"}));
    assert!(balanced > 0.74, "{balanced}");
}

#[test]
fn the_most_important_feature_is_listed_first() {
    for algorithm in classifiers() {
        let metrics = run(TITANIC, &request(algorithm, &PASSENGER, "survived", 1, none())).metrics;
        let importances = metrics["feature_importances"].as_array().unwrap();
        assert_eq!(importances.len(), 7);
        let top: Vec<&str> = importances[..2].iter().map(|entry| entry["feature"].as_str().unwrap()).collect();
        assert!(top.contains(&"sex"), "{}: {top:?}", algorithm.as_str());
        let sum: f64 = importances.iter().map(|entry| entry["importance"].as_f64().unwrap()).sum();
        assert!((sum - 1.0).abs() < 1e-9, "{}: {sum}", algorithm.as_str());
    }
}
