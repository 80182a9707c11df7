//! A task of the refresher that panics leaves nothing behind: its version is tried again, whoever waits is answered, and
//! what it had counted is given back.

use std::collections::HashSet;

use tokio::sync::oneshot;
use trainyard_artifacts::Store;
use trainyard_storage::PoolOptions;

use super::*;
use crate::cache::DiskCache;
use crate::pins::{Found, Pins};

/// A refresher over an empty database that knows of one version, and its folder.
async fn refresher() -> (Refresher, Record, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let db = Db::connect(&format!("sqlite://{}", at("test.db")), &PoolOptions::default()).await.unwrap();
    db.migrate().await.unwrap();
    let store = Store::open(&format!("file://{}", at("store")), None).unwrap();
    let cache = DiskCache::open(&folder.path().join("cache"), 1 << 20).unwrap();
    let ports = Ports {
        db,
        queue: Queue::memory(),
        loader: Loader::new(store, cache, 1, 1 << 20),
        registry: Registry::default(),
        disabled: DisabledUsers::default(),
        ready: Arc::default(),
        index: watch::channel(Catalogue::default()).0,
        asks: Pins::new(Duration::from_secs(1)).1,
    };
    let record = Record {
        model: "demo".into(),
        version: 1,
        aliases: vec!["production".into()],
        sha256: "00".repeat(32),
        artifact_key: "artifacts/demo".into(),
        traceparent: None,
    };
    let catalogue = Catalogue { revision: 1, served: vec![record.clone()], pinned: vec![], disabled: HashSet::new() };
    (Refresher::new(ports, 4, Some(catalogue)), record, folder)
}

/// Hands the refresher the next answer of its tasks, as its loop does.
async fn next_answer(refresher: &mut Refresher) {
    let done = refresher.work.join_next().await.unwrap().unwrap();
    refresher.done(done);
}

fn wait_for(refresher: &mut Refresher, key: Key) -> oneshot::Receiver<Found> {
    let (reply, answer) = oneshot::channel();
    assert!(refresher.waiting.push(Ask { key, reply }), "the first to ask for it");
    answer
}

#[tokio::test]
async fn a_load_that_panics_is_a_failed_load_and_is_tried_again() {
    let (mut refresher, record, _folder) = refresher().await;
    refresher.told = true;
    let now = Instant::now();
    assert_eq!(refresher.book.start_due(now), std::slice::from_ref(&record));
    let answer = wait_for(&mut refresher, record.key());
    refresher.start_load(record.clone(), async { panic!("a defect of the loader") });
    next_answer(&mut refresher).await;

    assert!(matches!(answer.await.unwrap(), Err(Miss::Waiting(model, wait)) if model == "demo" && !wait.is_zero()));
    assert!(refresher.ports.ready.load(Ordering::Acquire), "the version was tried, so the role is ready without it");
    assert_eq!(refresher.book.start_due(now + Duration::from_secs(1)), [], "not at once");
    assert_eq!(refresher.book.start_due(now + Duration::from_secs(60)), [record], "but again");
}

#[tokio::test]
async fn a_look_up_that_panics_gives_its_place_back_and_answers() {
    let (mut refresher, ..) = refresher().await;
    let key = ("other".to_owned(), 7);
    let answer = wait_for(&mut refresher, key.clone());
    refresher.look_ups += 1;
    refresher.start_look_up(key.clone(), async { panic!("a defect of the look-up") });
    next_answer(&mut refresher).await;

    assert!(matches!(answer.await.unwrap(), Err(Miss::Waiting(..))), "worth asking again");
    assert_eq!(refresher.look_ups, 0);
    let _second = wait_for(&mut refresher, key);
}

#[tokio::test]
async fn a_read_that_panics_does_not_stop_later_reads() {
    let (mut refresher, ..) = refresher().await;
    refresher.reading = true;
    refresher.start_read(async { panic!("a defect of the read") });
    next_answer(&mut refresher).await;
    assert!(!refresher.reading);

    refresher.read();
    next_answer(&mut refresher).await;
    assert!(refresher.known.is_some(), "the next read answers");
}
