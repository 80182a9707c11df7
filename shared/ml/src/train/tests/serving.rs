//! A model answers requests with the types of its training table.

use super::*;
use crate::model::Task;
use crate::predict::{Outcome, Prediction, Predictor, Row};

fn serve(csv: &str, request: &TrainRequest) -> Predictor {
    Predictor::load(&run(csv, request).artifact).unwrap()
}

fn predict(predictor: &Predictor, row: &Value) -> Prediction {
    let row: Row = row.as_object().unwrap().clone();
    predictor.predict_one(&row).unwrap_or_else(|refused| panic!("{refused:?}"))
}

/// The predicted label as in a response.
fn label(predictor: &Predictor, row: &Value) -> Value {
    let task = &predictor.signature().task;
    match predict(predictor, row).outcome {
        Outcome::Binary { label, .. } | Outcome::Class { label, .. } => task.label_value(&label),
        Outcome::Number(number) => json!(number),
    }
}

fn plain(algorithm: Algorithm, features: &[&str]) -> TrainRequest {
    request(algorithm, features, "y", 1, none())
}

#[test]
fn numbers_that_f32_would_merge_stay_different() {
    let tables = [
        [100_000_001_i64, 100_000_002, 100_000_003, 100_000_004],
        [20_240_101, 20_240_102, 20_240_103, 20_240_104],
        [1_700_000_000_001, 1_700_000_000_002, 1_700_000_000_003, 1_700_000_000_004],
    ];
    for values in tables {
        let csv = (0..80)
            .fold("account,y\n".to_owned(), |csv, row| format!("{csv}{},{}\n", values[row % 4], ["a", "b"][row % 2]));
        for algorithm in classifiers() {
            let predictor = serve(&csv, &plain(algorithm, &["account"]));
            let found = values.map(|account| label(&predictor, &json!({"account": account})));
            assert_eq!(found, ["a", "b", "a", "b"], "{}", algorithm.as_str());
        }
    }
}

#[test]
fn milliseconds_since_1970_are_learned() {
    let csv = (0..100).fold("ts,y\n".to_owned(), |csv, row| {
        let ms = row * 222 % 601 * 100;
        format!("{csv}{},{}\n", 1_700_000_000_000_i64 + ms, if ms < 30_000 { "a" } else { "b" })
    });
    for algorithm in classifiers() {
        let area = run(&csv, &plain(algorithm, &["ts"])).metrics["roc_auc"].as_f64().unwrap();
        assert!(area >= 0.99, "{}: {area}", algorithm.as_str());
    }
}

#[test]
fn labels_are_answered_as_in_the_table() {
    let cases: [([&str; 3], [Value; 3]); 4] = [
        (["1", "2", "3"], [json!(1), json!(2), json!(3)]),
        (["001", "007", "010"], [json!("001"), json!("007"), json!("010")]),
        (["1E3", "1000", "7X"], [json!("1E3"), json!("1000"), json!("7X")]),
        (
            ["9007199254740992", "9007199254740993", "9007199254740996"],
            [json!("9007199254740992"), json!("9007199254740993"), json!("9007199254740996")],
        ),
    ];
    for (labels, expected) in cases {
        let csv = (0..60).fold("x,y\n".to_owned(), |csv, row| format!("{csv}{},{}\n", row % 3 * 11, labels[row % 3]));
        let mut with_types = plain(Algorithm::DecisionTree, &["x"]);
        if expected[0].is_string() {
            // The upload decides this for the whole column.
            with_types.spec.learning.column_types = [("y".to_owned(), trainyard_domain::Dtype::Category)].into();
        }
        let trained = run(&csv, &with_types);
        assert_eq!(trained.metrics["confusion_matrix"]["labels"], json!(expected));
        let predictor = Predictor::load(&trained.artifact).unwrap();
        for (x, expected) in [0, 11, 22].into_iter().zip(expected) {
            assert_eq!(label(&predictor, &json!({"x": x})), expected);
        }
    }
}

#[test]
fn the_positive_class_can_be_chosen_and_is_named() {
    let csv = (0..40)
        .fold("x,y\n".to_owned(), |csv, row| format!("{csv}{row},{}\n", if row < 30 { "healthy" } else { "ill" }));
    let mut job = plain(Algorithm::DecisionTree, &["x"]);
    assert_eq!(run(&csv, &job).metrics["positive_class"], "ill");
    job.spec.learning.positive_class = Some(json!("healthy"));
    let trained = run(&csv, &job);
    assert_eq!(trained.metrics["positive_class"], "healthy");
    let predictor = Predictor::load(&trained.artifact).unwrap();
    let Outcome::Binary { prob, label, .. } = predict(&predictor, &json!({"x": 1})).outcome else { panic!() };
    assert!(prob > 0.9 && label == "healthy");
    let numbers = csv.replace("healthy", "0").replace("ill", "1");
    job.spec.learning.positive_class = Some(json!(0));
    let trained = run(&numbers, &job);
    assert_eq!(trained.metrics["positive_class"], 0);
    let predictor = Predictor::load(&trained.artifact).unwrap();
    assert!(matches!(predictor.signature().task, Task::Binary { boolean: true, .. }));
    let Outcome::Binary { prob, label, .. } = predict(&predictor, &json!({"x": 1})).outcome else { panic!() };
    assert!(prob > 0.9 && label == "0");
}

#[test]
fn counts_and_yes_no_columns_accept_other_values() {
    let csv = (0..60).fold("x,children,default,y\n".to_owned(), |csv, row| {
        format!("{csv}{row},{},{},{}\n", row % 2, if row % 3 == 0 { "yes" } else { "no" }, ["a", "b"][row / 4 % 2])
    });
    for algorithm in classifiers() {
        let predictor = serve(&csv, &plain(algorithm, &["x", "children", "default"]));
        assert!(predict(&predictor, &json!({"x": 1, "children": 2, "default": "no"})).warnings.is_empty());
        let unseen = predict(&predictor, &json!({"x": 1, "children": "2", "default": "unknown"})).warnings;
        assert_eq!(unseen, ["'default' has the category 'unknown', which did not occur in training"]);
    }
}

#[test]
fn a_number_finds_its_category() {
    let csv = (0..60).fold("size,y\n".to_owned(), |csv, row| {
        format!("{csv}{},{}\n", ["1.50", "2.00", "XL"][row % 3], ["a", "b", "a"][row % 3])
    });
    for algorithm in classifiers() {
        let predictor = serve(&csv, &plain(algorithm, &["size"]));
        for two in [json!(2), json!(2.0), json!("2.00"), json!("2")] {
            let row = json!({"size": two});
            assert_eq!((label(&predictor, &row), predict(&predictor, &row).warnings.len()), (json!("b"), 0), "{row}");
        }
    }
}

#[test]
fn dates_are_learned_and_served() {
    // The class depends on the day of the week.
    let date = |day: i64| {
        chrono::DateTime::from_timestamp(1_704_067_200 + day * 86_400, 0).unwrap().format("%Y-%m-%d").to_string()
    };
    let weekend = (0..400)
        .fold("d,y\n".to_owned(), |csv, day| format!("{csv}{},{}\n", date(day), ["a", "b"][usize::from(day % 7 >= 5)]));
    for algorithm in [Algorithm::RandomForest, Algorithm::Svm] {
        let mut job = plain(algorithm, &["d"]);
        job.spec.learning.column_types = [("d".to_owned(), trainyard_domain::Dtype::Datetime)].into();
        let trained = run(&weekend, &job);
        let accuracy = trained.metrics["accuracy"].as_f64().unwrap();
        assert!(accuracy > 0.95, "{}: {accuracy}", algorithm.as_str());
        assert_eq!(trained.metrics["feature_importances"][0]["feature"], "d");
        let predictor = Predictor::load(&trained.artifact).unwrap();
        assert_eq!(predictor.manifest().self_test.len(), 16);
        assert_eq!(label(&predictor, &json!({"d": date(5)})), "b");
        assert_eq!(label(&predictor, &json!({"d": format!("{}T12:30:00Z", date(1))})), "a");
        let missing = predict(&predictor, &json!({"d": "NA"})).warnings;
        assert_eq!(missing, ["'d' is missing; imputed as in training"]);
        let refused = predictor.predict_one(json!({"d": "soon"}).as_object().unwrap()).unwrap_err();
        assert_eq!(refused.errors[0].message, "must be a date as in the training table, not 'soon'");
    }
}

#[test]
fn dropped_features_are_accepted_and_not_used() {
    let csv = (0..60).fold("x,sparse,y\n".to_owned(), |csv, row| {
        format!("{csv}{},{},{}\n", row % 7, if row == 5 { "1" } else { "" }, ["a", "b"][usize::from(row % 7 > 3)])
    });
    let mut dropped = 0;
    for seed in 1..=20 {
        for algorithm in [Algorithm::DecisionTree, Algorithm::Svm] {
            let trained = run(&csv, &request(algorithm, &["x", "sparse"], "y", seed, none()));
            let predictor = Predictor::load(&trained.artifact).unwrap();
            predict(&predictor, &json!({"x": 1, "sparse": 3}));
            dropped += usize::from(trained.warnings.iter().any(|warning| warning.contains("'sparse' has no values")));
        }
    }
    assert!(dropped > 0, "some seeds have no value in the training part");
}
