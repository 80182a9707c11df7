//! Unsuitable tables and job specifications, which are refused with a reason, and unusual ones, which are accepted.

use super::*;

fn forest_request(algorithm: Algorithm, features: &[&str]) -> TrainRequest {
    request(algorithm, features, "y", 1, none())
}

#[test]
fn errors_name_the_reason() {
    let forest = forest_request(Algorithm::RandomForest, &["x"]);
    assert!(refusal("x,y\n1,0\n2,0\n", &forest).starts_with("bad_data: the target 'y' has only one distinct value"));
    assert!(refusal("x,y\n1,0\n2,1\n", &forest).starts_with("bad_data: no class of 'y' has two rows"));
    assert!(refusal("y\n1\n0\n", &forest).starts_with("bad_data: the dataset has no column 'x'"));
    assert!(refusal("x,y\n,0\n,1\n,0\n,1\n", &forest).starts_with("bad_data: no feature has a value"));
    assert!(refusal("", &forest).starts_with("bad_data: "));
    let unknown = request(Algorithm::RandomForest, &["x"], "y", 1, json!({"trees": 5}));
    assert!(refusal("x,y\n1,0\n2,1\n", &unknown).starts_with("bad_params: params.trees"));
}

#[test]
fn a_training_part_with_one_class_is_refused() {
    // With three classes of one row each the held-out part is empty.
    assert!(refusal("x,y\n1,a\n2,b\n3,c\n", &forest_request(Algorithm::RandomForest, &["x"])).starts_with("bad_data"));
}

#[test]
fn engines_refuse_unsupported_data() {
    let numbers = (0..100).fold("x,y\n".to_owned(), |csv, row| format!("{csv}{row},{}\n", f64::from(row) * 1.5));
    let linfa = |algorithm| request(algorithm, &["x"], "y", 1, json!({"engine": "linfa"}));
    for request in [
        forest_request(Algorithm::DecisionTree, &["x"]),
        forest_request(Algorithm::LogisticRegression, &["x"]),
        linfa(Algorithm::LogisticRegression),
        linfa(Algorithm::Svm),
    ] {
        assert!(refusal(&numbers, &request).starts_with("bad_params: "));
    }
    let many = (0..5_001).fold("x,y\n".to_owned(), |csv, row| format!("{csv}{row},{}\n", row % 2));
    assert!(refusal(&many, &linfa(Algorithm::Svm)).contains("engine 'linfa' supports at most 5000 rows"));
    let names = "x,y\n1,a\n2,b\n3,a\n4,b\n";
    assert!(refusal(names, &forest_request(Algorithm::Ridge, &["x"])).starts_with("bad_params: "));
}

#[test]
fn small_and_unusual_tables_can_be_trained() {
    let tables = [
        // A constant feature; a feature that is nearly always missing; huge numbers; more classes than features.
        "x,z,y\n1,5,a\n1,,a\n1,,b\n1,,b\n1,,a\n1,7,b\n1,3,a\n1,2,b\n",
        "x,z,y\n1e300,1e-300,a\n-1e300,0,b\n5e299,1e-310,a\n-1e308,3,b\n1e308,4,a\n0,1,b\n",
        "x,z,y\na,1,1\nb,2,2\nc,3,3\na,4,4\nb,5,1\nc,6,2\na,7,3\nb,8,4\n",
        "x,z,y\n0,yes,no\n1,no,yes\n0,yes,no\n1,no,yes\n0,,no\n,no,yes\n",
    ];
    for table in tables {
        for algorithm in classifiers() {
            let trained = attempt(table, &forest_request(algorithm, &["x", "z"]), &Recorder::default());
            assert!(trained.is_ok(), "{} on {table:?}: {:?}", algorithm.as_str(), trained.err());
        }
    }
}

#[test]
fn a_class_with_a_single_row_trains_with_a_warning() {
    let mut csv = "x,y\n".to_owned();
    for row in 0..60 {
        csv += &format!("{},{}\n", row * 31 % 17, if row == 30 { "once" } else { ["a", "b"][row % 2] });
    }
    for algorithm in classifiers() {
        let trained = run(&csv, &forest_request(algorithm, &["x"]));
        let warned = trained.warnings.iter().any(|warning| warning.starts_with("class 'once' has a single row"));
        assert!(warned, "{:?}", trained.warnings);
    }
}
