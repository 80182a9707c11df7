//! Datasets: versions, deletion and lists.

use trainyard_domain::{
    BooleanForm, CellReading, ColumnProfile, Dataset, DatasetName, DateOrder, DecimalMark, Delimiter, Dtype, Header,
    NumberStyle, TableFormat, TaskKind,
};
use trainyard_storage::{DatasetDeletion, StorageError};

use crate::fixture::{Fixture, dataset};

on_both!(
    a_profile_reads_back_as_it_was_stored,
    versions_count_up_and_are_never_used_twice,
    a_deleted_dataset_is_hidden_from_lists_but_readable_by_id,
    lists_show_the_newest_versions_and_pages_are_stable,
    a_dataset_with_active_jobs_is_not_deleted,
);

async fn insert(fixture: &Fixture, dataset: &Dataset) {
    let mut tx = fixture.db.begin().await.unwrap();
    tx.datasets().insert(dataset).await.unwrap();
    tx.commit().await.unwrap();
}

fn name(text: &str) -> DatasetName {
    DatasetName::parse(text).unwrap()
}

async fn a_profile_reads_back_as_it_was_stored(fixture: Fixture) {
    let mut iris = dataset("iris", 1, fixture.now);
    iris.created_by = Some(fixture.user);
    iris.columns = vec![ColumnProfile {
        name: "größe \"cm\"".into(),
        dtype: Dtype::Number,
        row_names: true,
        missing: 3,
        distinct: 35,
        min: Some(-0.1),
        max: Some(1e300),
        top: Some(vec![("5.0".into(), 10)]),
        histogram: Some(vec![1, 0, 3, 0, 0, 0, 0, 0, 0, 31]),
        reading: CellReading {
            number: Some(NumberStyle { decimal: DecimalMark::Comma, grouped: true, decorated: true }),
            date: Some(DateOrder::DayFirst),
            boolean: Some(BooleanForm::YesNo),
            keeps_na: true,
        },
        warnings: vec!["'größe' has numbers with a unit".into()],
        values_digest: "v".into(),
        partition_digest: "p".into(),
    }];
    iris.format = TableFormat {
        delimiter: Delimiter::Tab,
        decimal: DecimalMark::Comma,
        encoding: "utf-16le".into(),
        header: Header::Absent,
        missing: vec!["-".into(), "k. A.".into()],
        skipped_lines: 2,
    };
    iris.duplicate_rows = 7;
    iris.suggested_target = Some("größe \"cm\"".into());
    iris.suggested_task = Some(TaskKind::Regression);
    insert(&fixture, &iris).await;
    let read = fixture.db.read().await.unwrap().datasets().get(iris.id).await.unwrap().unwrap();
    assert_eq!(read.columns, iris.columns);
    assert_eq!(read.warnings, iris.warnings);
    assert_eq!((&read.format, read.duplicate_rows), (&iris.format, 7));
    assert_eq!((&read.suggested_target, read.suggested_task), (&iris.suggested_target, iris.suggested_task));
    assert_eq!(read.schema().columns, [iris.columns[0].schema()]);
    assert_eq!(
        (read.rows, read.bytes, read.created_by, read.created_at),
        (1309, 100_000, Some(fixture.user), fixture.now)
    );
    assert_eq!((read.sha256, read.storage_key), (iris.sha256, iris.storage_key));
}

async fn versions_count_up_and_are_never_used_twice(fixture: Fixture) {
    let titanic = name("titanic");
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.datasets().next_version(&titanic).await.unwrap(), 2);
    assert_eq!(tx.datasets().next_version(&name("iris")).await.unwrap(), 1);
    tx.datasets().delete(&titanic).await.unwrap();
    assert_eq!(tx.datasets().next_version(&titanic).await.unwrap(), 2, "deleted versions count");
    tx.commit().await.unwrap();
    let mut tx = fixture.db.begin().await.unwrap();
    let taken = tx.datasets().insert(&dataset("titanic", 1, fixture.now)).await;
    assert!(matches!(taken, Err(StorageError::Conflict)), "{taken:?}");
}

async fn a_deleted_dataset_is_hidden_from_lists_but_readable_by_id(fixture: Fixture) {
    let titanic = name("titanic");
    let second = dataset("titanic", 2, fixture.later(1));
    insert(&fixture, &second).await;
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.datasets().latest(&titanic).await.unwrap().unwrap().version, 2);
    assert_eq!(tx.datasets().named(&[&second.storage_key, "datasets/other.csv"]).await.unwrap().len(), 1);

    let DatasetDeletion::Deleted(mut keys) = tx.datasets().delete(&titanic).await.unwrap() else { panic!("kept") };
    keys.sort();
    let mut expected = [fixture.dataset.storage_key.clone(), second.storage_key.clone()];
    expected.sort();
    assert_eq!(keys, expected);
    assert_eq!(tx.datasets().delete(&titanic).await.unwrap(), DatasetDeletion::Missing);
    assert!(tx.datasets().latest(&titanic).await.unwrap().is_none());
    assert!(tx.datasets().version(&titanic, 2).await.unwrap().is_none());
    assert!(tx.datasets().list(None, 10).await.unwrap().is_empty());
    assert!(tx.datasets().named(&[&second.storage_key]).await.unwrap().is_empty());
    assert_eq!(tx.datasets().get(second.id).await.unwrap().unwrap().version, 2, "models still refer to it");
}

async fn lists_show_the_newest_versions_and_pages_are_stable(fixture: Fixture) {
    for (i, (text, version)) in [("a", 1), ("b", 1), ("titanic", 2), ("c", 1)].into_iter().enumerate() {
        insert(&fixture, &dataset(text, version, fixture.later(1 + i64::try_from(i).unwrap()))).await;
    }
    let listed = |datasets: &[Dataset]| {
        datasets.iter().map(|d| format!("{} {}", d.name.as_str(), d.version)).collect::<Vec<_>>()
    };
    let first = fixture.db.read().await.unwrap().datasets().list(None, 2).await.unwrap();
    assert_eq!(listed(&first), ["c 1", "titanic 2"]);
    insert(&fixture, &dataset("d", 1, fixture.later(9))).await;
    let rest = fixture.db.read().await.unwrap().datasets().list(Some(first[1].id), 10).await.unwrap();
    assert_eq!(listed(&rest), ["b 1", "a 1"]);
}

async fn a_dataset_with_active_jobs_is_not_deleted(fixture: Fixture) {
    let titanic = name("titanic");
    let needed = async || fixture.db.read().await.unwrap().datasets().needed_by_active_job(&titanic).await.unwrap();
    assert!(!needed().await);
    let job = fixture.queue().await;
    assert!(needed().await);
    fixture.claim(job, "w", fixture.now).await.unwrap();
    assert!(needed().await, "a running job prevents the deletion");
    let mut tx = fixture.db.begin().await.unwrap();
    let version = tx.models().publish(&fixture.version("demo", job)).await.unwrap().version;
    assert!(tx.jobs().succeed(job, 1, &serde_json::json!({}), Some(version), fixture.now).await.unwrap());
    tx.commit().await.unwrap();
    assert!(!needed().await);
}
