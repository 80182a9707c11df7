//! Validation of training requests.

use super::*;
use crate::dataset::profile_reads;
use crate::ids::DatasetId;
use crate::promotion::{AutoPromote, PromotionMetric};
use crate::{ColumnProfile, Dataset, Dtype, IndexedDataset, TableFormat, TaskKind};

fn column(name: &str, dtype: Dtype, distinct: u64) -> ColumnProfile {
    ColumnProfile {
        distinct,
        values_digest: format!("values of {name}"),
        partition_digest: format!("partition of {name}"),
        ..ColumnProfile::new(name, dtype)
    }
}

fn dataset() -> IndexedDataset {
    let mut renamed = column("alive", Dtype::Category, 2);
    renamed.partition_digest = "partition of survived".into();
    IndexedDataset::from(Dataset {
        id: DatasetId::at(DateTime::UNIX_EPOCH),
        name: DatasetName::parse("t").unwrap(),
        version: 3,
        rows: 60_000,
        bytes: 1,
        columns: vec![
            column("age", Dtype::Number, 90),
            column("sex", Dtype::Category, 2),
            column("name", Dtype::Text, 1300),
            column("void", Dtype::Text, 0),
            renamed,
            column("survived", Dtype::Boolean, 2),
        ],
        format: TableFormat::default(),
        duplicate_rows: 0,
        suggested_target: None,
        suggested_task: None,
        sha256: String::new(),
        storage_key: String::new(),
        warnings: vec![],
        created_by: None,
        created_at: DateTime::UNIX_EPOCH,
    })
}

fn draft(features: &[&str]) -> Draft {
    Draft {
        name: "m".into(),
        algorithm: "random_forest".into(),
        features: features.iter().map(|f| (*f).to_owned()).collect(),
        target: "survived".into(),
        params: Map::new(),
        learning: LearningOptions::default(),
        priority: 0,
        run_at: None,
        auto_promote: None,
        max_attempts: 3,
        timeout_s: 3600,
        webhook_url: None,
        seed: 42,
    }
}

fn refused(draft: Draft) -> Vec<String> {
    draft.validate(Some(&dataset())).unwrap_err().into_iter().map(|error| error.field).collect()
}

fn trained(spec: &JobSpec) -> &Training {
    spec.training().expect("a training")
}

#[test]
fn a_valid_draft_gets_the_defaults_and_the_version() {
    let spec = draft(&["sex", "age"]).validate(Some(&dataset())).unwrap();
    assert_eq!(spec.dataset_version, 3);
    assert_eq!(trained(&spec).params["n_trees"], 100);
}

#[test]
fn monotone_constraints_name_features_of_the_job() {
    let draft = |features: &[&str], feature: &str| Draft {
        algorithm: "gradient_boosting".into(),
        params: [("monotone_constraints".to_owned(), serde_json::json!({feature: 1}))].into_iter().collect(),
        ..draft(features)
    };
    assert!(draft(&["sex", "age"], "age").validate(Some(&dataset())).is_ok());
    assert_eq!(refused(draft(&["sex", "age"], "fare")), ["params.monotone_constraints"]);
}

#[test]
fn a_guarded_promotion_names_a_metric_of_the_task() {
    let rule = |metric, min_improvement| Draft {
        auto_promote: Some(AutoPromote { metric, min_improvement }),
        ..draft(&["sex"])
    };
    let spec = rule(PromotionMetric::RocAuc, 0.01).validate(Some(&dataset())).unwrap();
    assert_eq!(
        spec.training().unwrap().auto_promote,
        Some(AutoPromote { metric: PromotionMetric::RocAuc, min_improvement: 0.01 })
    );
    assert_eq!(refused(rule(PromotionMetric::R2, 0.0)), ["auto_promote.metric"]);
    assert_eq!(refused(Draft { target: "age".into(), ..rule(PromotionMetric::F1, 0.0) }), ["auto_promote.metric"]);
    assert!(Draft { target: "age".into(), ..rule(PromotionMetric::Mae, 0.0) }.validate(Some(&dataset())).is_ok());
    assert_eq!(refused(rule(PromotionMetric::F1, -1.0)), ["auto_promote.min_improvement"]);
}

#[test]
fn a_time_budget_ends_before_the_timeout() {
    let auto = |budget: f64, timeout_s: i64| Draft {
        algorithm: "auto".into(),
        params: [("budget_s".to_owned(), serde_json::json!(budget))].into_iter().collect(),
        timeout_s,
        ..draft(&["age", "sex"])
    };
    for (budget, timeout_s) in [(60.0, 3_600), (60.0, 72), (86_400.0 / 1.2, 86_400)] {
        assert!(auto(budget, timeout_s).validate(Some(&dataset())).is_ok(), "{budget} s of {timeout_s} s");
    }
    for (budget, timeout_s) in [(60.0, 71), (4_000.0, 3_600), (86_400.0, 86_400)] {
        assert_eq!(refused(auto(budget, timeout_s)), ["params.budget_s"], "{budget} s of {timeout_s} s");
    }
    assert_eq!(refused(auto(0.5, 3_600)), ["params.budget_s"]);
}

fn with(learning: LearningOptions, features: &[&str]) -> Draft {
    Draft { learning, ..draft(features) }
}

#[test]
fn a_star_expands_to_every_usable_column_and_names_the_others() {
    let spec = draft(&["*"]).validate(Some(&dataset())).unwrap();
    assert_eq!(trained(&spec).features, ["age", "sex", "alive"]);
    assert_eq!(
        trained(&spec).warnings,
        [
            "'name' is free text (1300 distinct values) and is not used",
            "'void' has no value in any row and is not used",
            "'alive' holds the same information as the target 'survived'; check that it does not leak the target",
        ]
    );
    let mut copies = (*dataset()).clone();
    copies.columns[0].values_digest = "values of survived".into();
    copies.columns[1].row_names = true;
    let spec = draft(&["*"]).validate(Some(&IndexedDataset::from(copies))).unwrap();
    assert_eq!(trained(&spec).features, ["alive"]);
    assert!(trained(&spec).warnings.contains(&"'age' equals the target and is not used".into()));
    assert!(trained(&spec).warnings.contains(&"'sex' names or numbers the rows and is not used".into()));
}

#[test]
fn each_invalid_feature_has_an_error() {
    let fields = refused(draft(&["sex", "sex", "survived", "nope", "name", "void"]));
    assert_eq!(fields, (1..=5).map(|i| format!("features[{i}]")).collect::<Vec<_>>());
    assert_eq!(refused(draft(&[])), ["features"]);
}

#[test]
fn the_request_decides_what_happens_to_leaks() {
    let leaking = |on_leak| with(LearningOptions { on_leak, ..LearningOptions::default() }, &["sex", "alive"]);
    let used = |on_leak| trained(&leaking(on_leak).validate(Some(&dataset())).unwrap()).clone();
    let warned = used(OnLeak::Warn);
    assert_eq!((warned.features.len(), warned.warnings.len()), (2, 1));
    let dropped = used(OnLeak::Drop);
    assert_eq!(dropped.features, ["sex"]);
    assert_eq!(dropped.warnings, ["'alive' holds the same information as the target 'survived' and is not used"]);
    assert_eq!(refused(leaking(OnLeak::Refuse)), ["features[1]"]);
    let only = with(LearningOptions { on_leak: OnLeak::Drop, ..LearningOptions::default() }, &["alive"]);
    assert_eq!(refused(only), ["features"]);
}

#[test]
fn numbers_with_the_partition_of_a_numeric_target_are_no_leak() {
    let mut table = (*dataset()).clone();
    table.columns[0].partition_digest = "partition of price".into();
    table.columns.push(column("price", Dtype::Number, 30));
    let draft = Draft { target: "price".into(), ..draft(&["age"]) };
    let spec = draft.validate(Some(&IndexedDataset::from(table))).unwrap();
    assert_eq!(trained(&spec).warnings, Vec::<String>::new());
}

#[test]
fn the_algorithm_must_support_the_target() {
    assert_eq!(refused(Draft { target: "void".into(), ..draft(&["sex"]) }), ["target"]);
    let regress = Draft { target: "age".into(), ..draft(&["sex"]) };
    assert!(regress.clone().validate(Some(&dataset())).is_ok());
    assert_eq!(refused(Draft { algorithm: "logistic_regression".into(), ..regress.clone() }), ["target"]);
    let by = |algorithm: &str, engine: &str, draft: Draft| Draft {
        algorithm: algorithm.into(),
        params: serde_json::json!({"engine": engine}).as_object().unwrap().clone(),
        ..draft
    };
    // The dataset has more rows than linfa-svm supports.
    let classify = draft(&["sex"]);
    assert!(by("svm", "native", classify.clone()).validate(Some(&dataset())).is_ok());
    assert_eq!(refused(by("svm", "linfa", classify.clone())), ["params.engine"]);
    assert!(by("svm", "native", regress.clone()).validate(Some(&dataset())).is_ok());
    assert_eq!(refused(by("svm", "linfa", regress.clone())), ["params.engine"]);
    // Ridge regression needs numbers, and no task.
    let ridge = |draft: Draft| Draft { algorithm: "ridge".into(), ..draft };
    assert!(ridge(regress.clone()).validate(Some(&dataset())).is_ok());
    assert_eq!(refused(ridge(Draft { target: "alive".into(), ..regress })), ["target"]);
}

#[test]
fn a_classification_needs_a_class_with_two_rows() {
    let mut rare = Dataset { rows: 40, ..(*dataset()).clone() };
    let target = rare.columns.iter_mut().find(|column| column.name == "survived").unwrap();
    (target.distinct, target.missing, target.dtype) = (37, 3, Dtype::Category);
    let of = |dataset: &Dataset| draft(&["age"]).validate(Some(&IndexedDataset::from(dataset.clone())));
    let errors = of(&rare).unwrap_err();
    assert_eq!(errors[0].field, "target");
    assert!(errors[0].message.contains("no class with two rows: each of its 37 values"), "{}", errors[0].message);
    rare.rows += 1;
    assert!(of(&rare).is_ok());
}

#[test]
fn the_task_can_be_requested() {
    let task = |task, target: &str, algorithm: &str| Draft {
        target: target.into(),
        algorithm: algorithm.into(),
        ..with(LearningOptions { task: Some(task), ..LearningOptions::default() }, &["sex"])
    };
    let accepted = |draft: Draft| draft.validate(Some(&dataset())).is_ok();
    assert!(accepted(task(TaskKind::Classification, "age", "random_forest")));
    assert!(accepted(task(TaskKind::Regression, "age", "random_forest")));
    assert_eq!(refused(task(TaskKind::Regression, "alive", "random_forest")), ["task"]);
    assert_eq!(refused(task(TaskKind::Regression, "age", "logistic_regression")), ["task"]);
    assert_eq!(refused(task(TaskKind::Classification, "survived", "ridge")), ["task"]);
    // 1,300 names are too many classes.
    assert_eq!(refused(task(TaskKind::Classification, "name", "random_forest")), ["target"]);
}

#[test]
fn the_positive_class_must_be_one_of_two_classes() {
    let mut table = (*dataset()).clone();
    table.columns[5].top = Some(vec![("0".into(), 800), ("1".into(), 500)]);
    let table = IndexedDataset::from(table);
    let positive = |value: Value, target: &str| {
        let learning = LearningOptions { positive_class: Some(value), ..LearningOptions::default() };
        let draft = Draft { target: target.into(), ..with(learning, &["sex"]) };
        draft.validate(Some(&table)).map_err(|errors| errors.into_iter().map(|e| e.field).collect::<Vec<_>>())
    };
    for fine in [serde_json::json!(0), serde_json::json!("1"), serde_json::json!(false)] {
        assert!(positive(fine.clone(), "survived").is_ok(), "{fine}");
    }
    assert_eq!(positive(serde_json::json!("yes"), "survived").unwrap_err(), ["positive_class"]);
    assert_eq!(positive(serde_json::json!([1]), "survived").unwrap_err(), ["positive_class"]);
    assert_eq!(positive(serde_json::json!(1), "age").unwrap_err(), ["positive_class"]);
}

#[test]
fn the_types_of_a_job_replace_those_of_the_dataset() {
    let types = |types: &[(&str, Dtype)], features: &[&str]| {
        let column_types = types.iter().map(|(name, dtype)| ((*name).to_owned(), *dtype)).collect();
        with(LearningOptions { column_types, ..LearningOptions::default() }, features)
    };
    assert!(types(&[("name", Dtype::Category)], &["name"]).validate(Some(&dataset())).is_ok());
    assert_eq!(refused(types(&[("sex", Dtype::Text)], &["sex"])), ["features[0]"]);
    assert_eq!(refused(types(&[("nope", Dtype::Number)], &["sex"])), ["column_types.nope"]);
    let as_classes = Draft { target: "age".into(), ..types(&[("age", Dtype::Category)], &["sex"]) };
    assert_eq!(refused(Draft { algorithm: "decision_tree".into(), ..as_classes }), ["algorithm"]);
    assert_eq!(refused(Draft { target: "age".into(), ..types(&[("age", Dtype::Datetime)], &["sex"]) }), ["target"]);
}

#[test]
fn a_calibration_needs_classes_and_a_threshold_two_of_them() {
    let with = |params: Value, target: &str| {
        let target = target.to_owned();
        Draft { params: params.as_object().unwrap().clone(), target, ..draft(&["sex"]) }
    };
    let both = serde_json::json!({"calibration": "isotonic", "tune_threshold": "f1"});
    assert!(with(both.clone(), "survived").validate(Some(&dataset())).is_ok());
    assert_eq!(refused(with(both.clone(), "age")), ["params.calibration", "params.tune_threshold"]);
    let task = LearningOptions { task: Some(TaskKind::Classification), ..LearningOptions::default() };
    let many = Draft { learning: task, ..with(both, "age") };
    assert_eq!(refused(many), ["params.tune_threshold"], "90 classes");
    let off = serde_json::json!({"calibration": "off", "tune_threshold": "off"});
    assert!(with(off, "age").validate(Some(&dataset())).is_ok());
}

#[test]
fn every_invalid_field_has_an_error() {
    let wrong = Draft {
        name: "Bad Name".into(),
        algorithm: "xgboost".into(),
        priority: 11,
        max_attempts: 0,
        timeout_s: 0,
        ..draft(&["nope"])
    };
    assert_eq!(refused(wrong), ["name", "algorithm", "priority", "max_attempts", "timeout_s", "features[0]"]);
}

#[test]
fn without_a_dataset_the_other_fields_are_validated() {
    let wrong = Draft { name: "Bad Name".into(), target: String::new(), ..draft(&["sex", "sex"]) };
    let fields: Vec<_> = wrong.validate(None).unwrap_err().into_iter().map(|error| error.field).collect();
    assert_eq!(fields, ["name", "dataset", "features[1]"]);
}

#[test]
fn a_missing_target_has_one_error() {
    assert_eq!(refused(Draft { target: String::new(), ..draft(&["sex"]) }), ["target"]);
}

/// A dataset of `n` columns that can all be features, and the target.
fn wide(n: usize) -> IndexedDataset {
    let features = (0..n).map(|i| column(&format!("c{i}"), Dtype::Number, 90));
    let columns = features.chain([column("survived", Dtype::Boolean, 2)]).collect();
    IndexedDataset::from(Dataset { columns, ..(*dataset()).clone() })
}

#[test]
fn the_cost_of_validation_is_linear_in_the_columns() {
    let names = |n: usize, prefix: &str| (0..n).map(|i| format!("{prefix}{i}")).collect::<Vec<_>>();
    type Features = Box<dyn Fn(usize) -> Vec<String>>;
    let cases: [(&str, Features); 5] = [
        ("every column by *", Box::new(|_| vec!["*".into()])),
        ("every column by name", Box::new(move |n| names(n, "c"))),
        ("as many unknown names", Box::new(move |n| names(n, "unknown"))),
        ("one column, again and again", Box::new(|n| vec!["c0".into(); n])),
        ("one column", Box::new(|_| vec!["c0".into()])),
    ];
    for (case, features) in cases {
        for n in [100, 1_000, 10_000] {
            let dataset = wide(n);
            let draft = Draft { features: features(n), ..draft(&[]) };
            let profile_reads = profile_reads::during(|| drop(draft.validate(Some(&dataset))));
            assert!(profile_reads <= 3 * n + 10, "{case} on {n} columns: {profile_reads} column profiles read");
        }
    }
}

#[test]
fn error_messages_stay_short_on_wide_datasets_with_long_names() {
    let columns = (0..50).map(|i| column(&format!("{i}{}", "x".repeat(5_000)), Dtype::Number, 9)).collect();
    let dataset = IndexedDataset::from(Dataset { columns, ..(*dataset()).clone() });
    let errors = draft(&[&"y".repeat(500_000)]).validate(Some(&dataset)).unwrap_err();
    assert!(errors.iter().all(|error| error.message.len() < 1_000), "{errors:?}");
}
