//! Data sets: versions, deletion that history survives, lists.

use trainyard_domain::{ColumnProfile, Dataset, DatasetName, Dtype};
use trainyard_storage::{DatasetDeletion, StorageError};

use crate::bench::{Bench, dataset};

on_both!(
    a_profile_reads_back_as_it_was,
    versions_count_up_and_are_never_used_twice,
    a_deleted_data_set_is_gone_from_lists_but_not_from_history,
    lists_show_the_newest_version_of_each_name_and_stay_in_place_under_uploads,
    active_jobs_keep_a_data_set_needed,
);

async fn insert(bench: &Bench, dataset: &Dataset) {
    let mut tx = bench.db.begin().await.unwrap();
    tx.datasets().insert(dataset).await.unwrap();
    tx.commit().await.unwrap();
}

fn name(text: &str) -> DatasetName {
    DatasetName::parse(text).unwrap()
}

async fn a_profile_reads_back_as_it_was(bench: Bench) {
    let mut iris = dataset("iris", 1, bench.now);
    iris.created_by = Some(bench.user);
    iris.columns = vec![ColumnProfile {
        name: "größe \"cm\"".into(),
        dtype: Dtype::Number,
        missing: 3,
        distinct: 35,
        min: Some(-0.1),
        max: Some(1e300),
        top: Some(vec![("5.0".into(), 10)]),
        values_sha256: "v".into(),
        partition_sha256: "p".into(),
    }];
    insert(&bench, &iris).await;
    let read = bench.db.read().await.unwrap().datasets().get(iris.id).await.unwrap().unwrap();
    assert_eq!(read.columns, iris.columns);
    assert_eq!(read.warnings, iris.warnings);
    assert_eq!((read.rows, read.bytes, read.created_by, read.created_at), (1309, 100_000, Some(bench.user), bench.now));
    assert_eq!((read.sha256, read.storage_key), (iris.sha256, iris.storage_key));
}

async fn versions_count_up_and_are_never_used_twice(bench: Bench) {
    let titanic = name("titanic");
    let mut tx = bench.db.begin().await.unwrap();
    assert_eq!(tx.datasets().next_version(&titanic).await.unwrap(), 2);
    assert_eq!(tx.datasets().next_version(&name("iris")).await.unwrap(), 1);
    tx.datasets().delete(&titanic).await.unwrap();
    assert_eq!(tx.datasets().next_version(&titanic).await.unwrap(), 2, "deleted versions count");
    tx.commit().await.unwrap();
    let mut tx = bench.db.begin().await.unwrap();
    let taken = tx.datasets().insert(&dataset("titanic", 1, bench.now)).await;
    assert!(matches!(taken, Err(StorageError::Conflict)), "{taken:?}");
}

async fn a_deleted_data_set_is_gone_from_lists_but_not_from_history(bench: Bench) {
    let titanic = name("titanic");
    let second = dataset("titanic", 2, bench.later(1));
    insert(&bench, &second).await;
    let mut tx = bench.db.begin().await.unwrap();
    assert_eq!(tx.datasets().latest(&titanic).await.unwrap().unwrap().version, 2);
    assert_eq!(tx.datasets().named(&[&second.storage_key, "datasets/other.csv"]).await.unwrap().len(), 1);

    let DatasetDeletion::Deleted(mut keys) = tx.datasets().delete(&titanic).await.unwrap() else { panic!("kept") };
    keys.sort();
    let mut expected = [bench.dataset.storage_key.clone(), second.storage_key.clone()];
    expected.sort();
    assert_eq!(keys, expected);
    assert_eq!(tx.datasets().delete(&titanic).await.unwrap(), DatasetDeletion::Missing);
    assert!(tx.datasets().latest(&titanic).await.unwrap().is_none());
    assert!(tx.datasets().version(&titanic, 2).await.unwrap().is_none());
    assert!(tx.datasets().list(None, 10).await.unwrap().is_empty());
    assert!(tx.datasets().named(&[&second.storage_key]).await.unwrap().is_empty());
    assert_eq!(tx.datasets().get(second.id).await.unwrap().unwrap().version, 2, "a model's page still shows it");
}

async fn lists_show_the_newest_version_of_each_name_and_stay_in_place_under_uploads(bench: Bench) {
    for (i, (text, version)) in [("a", 1), ("b", 1), ("titanic", 2), ("c", 1)].into_iter().enumerate() {
        insert(&bench, &dataset(text, version, bench.later(1 + i64::try_from(i).unwrap()))).await;
    }
    let listed = |datasets: &[Dataset]| {
        datasets.iter().map(|d| format!("{} {}", d.name.as_str(), d.version)).collect::<Vec<_>>()
    };
    let first = bench.db.read().await.unwrap().datasets().list(None, 2).await.unwrap();
    assert_eq!(listed(&first), ["c 1", "titanic 2"]);
    insert(&bench, &dataset("d", 1, bench.later(9))).await;
    let rest = bench.db.read().await.unwrap().datasets().list(Some(first[1].id), 10).await.unwrap();
    assert_eq!(listed(&rest), ["b 1", "a 1"]);
}

async fn active_jobs_keep_a_data_set_needed(bench: Bench) {
    let titanic = name("titanic");
    let needed = async || bench.db.read().await.unwrap().datasets().needed_by_active_job(&titanic).await.unwrap();
    assert!(!needed().await);
    let job = bench.queue().await;
    assert!(needed().await);
    bench.claim(job, "w", bench.now).await.unwrap();
    assert!(needed().await, "a running job needs it too");
    let mut tx = bench.db.begin().await.unwrap();
    let version = tx.models().publish(&bench.version("demo", job)).await.unwrap();
    assert!(tx.jobs().succeed(job, 1, &serde_json::json!({}), version, bench.now).await.unwrap());
    tx.commit().await.unwrap();
    assert!(!needed().await);
}
