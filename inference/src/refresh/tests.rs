//! After a panic in a task of the refresher the load is retried, waiting requests are answered, and counters are
//! correct.

use tokio::sync::oneshot;
use trainyard_artifacts::Store;
use trainyard_storage::PoolOptions;

use super::*;
use crate::cache::DiskCache;
use crate::pin_request::{PinClient, PinReply, PinRequest, ReleaseReply, ReleaseRequest};

/// A refresher with an empty database and one known version.
async fn refresher() -> (Refresher, ModelRecord, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let db = Db::connect(&format!("sqlite://{}", at("test.db")), &PoolOptions::default()).await.unwrap();
    db.migrate().await.unwrap();
    let store = Store::open(&format!("file://{}", at("store")), None).unwrap();
    let cache = DiskCache::open(&folder.path().join("cache"), 1 << 20).unwrap();
    let refresher_deps = RefresherDeps {
        db,
        queue: Queue::memory(),
        loader: Loader::new(store, cache, &trainyard_testkit::default_settings("inference")),
        registry: Registry::default(),
        disabled: DisabledUsers::default(),
        readiness: Readiness::new(&[]),
        index: watch::channel(Catalogue::default()).0,
        guards: watch::channel(Vec::new()).0,
        pool_requests: PinClient::new(Duration::from_secs(1)).1,
        return_free_memory: || {},
    };
    let record = ModelRecord {
        model: "demo".into(),
        version: 1,
        aliases: vec!["production".into()],
        sha256: "00".repeat(32),
        artifact_key: "artifacts/demo".into(),
        traceparent: None,
    };
    let catalogue = Catalogue { revision: 1, served: vec![record.clone()], ..Catalogue::default() };
    let limits = LoadLimits { max_pinned: 4, ..LoadLimits::default() };
    (Refresher::new(refresher_deps, limits, Some(catalogue)), record, folder)
}

/// Passes the next task result to the refresher.
async fn next_answer(refresher: &mut Refresher) {
    let done = refresher.work.join_next().await.unwrap().unwrap();
    refresher.done(done);
}

fn wait_for(refresher: &mut Refresher, key: Key) -> oneshot::Receiver<PinReply> {
    let (reply, answer) = oneshot::channel();
    assert!(refresher.pending.push(PinRequest { key, reply }), "the first request for the version");
    answer
}

#[tokio::test]
async fn a_load_that_panics_is_a_failed_load_and_is_tried_again() {
    let (mut refresher, record, _folder) = refresher().await;
    (refresher.catalogue_known, refresher.first_read_ended) = (true, true);
    let now = Instant::now();
    assert_eq!(refresher.plan.start_due_loads(now), std::slice::from_ref(&record));
    let answer = wait_for(&mut refresher, record.key());
    refresher.start_load(record.clone(), async { panic!("a defect of the loader") });
    next_answer(&mut refresher).await;

    assert!(
        matches!(answer.await.unwrap(), Err(LookupError::Loading(model, wait)) if model == "demo" && !wait.is_zero())
    );
    assert!(refresher.deps.readiness.is_ready(), "a failed load does not prevent readiness");
    assert_eq!(refresher.plan.start_due_loads(now + Duration::from_secs(1)), [], "not before the backoff");
    assert_eq!(refresher.plan.start_due_loads(now + Duration::from_secs(60)), [record], "after the backoff");
}

#[tokio::test]
async fn a_lookup_that_panics_releases_its_slot_and_replies() {
    let (mut refresher, _record, _folder) = refresher().await;
    let key = ("other".to_owned(), 7);
    let answer = wait_for(&mut refresher, key.clone());
    refresher.lookups += 1;
    refresher.start_lookup(key.clone(), async { panic!("a defect of the look-up") });
    next_answer(&mut refresher).await;

    assert!(matches!(answer.await.unwrap(), Err(LookupError::Loading(..))), "the client can retry");
    assert_eq!(refresher.lookups, 0);
    let _second = wait_for(&mut refresher, key);
}

#[tokio::test]
async fn versions_pinned_and_unloaded_during_a_read_are_kept_and_stay_unloaded() {
    let (mut refresher, record, _folder) = refresher().await;
    let version = |version| ModelRecord { version, aliases: vec![], ..record.clone() };
    refresher.limits.max_pinned = 1;
    refresher.plan.pin(version(2), 1);
    refresher.reading = true;
    refresher.lookups += 1;
    refresher.lookup_done(&version(3).key(), Ok(Some((version(3), 100))));
    // The read began before version 3 replaced version 2.
    let (served, pinned) = (vec![record.clone()], vec![version(2)]);
    refresher.read_done(Ok(Some(Catalogue { revision: 2, served, pinned, ..Catalogue::default() })));
    assert_eq!(refresher.plan.catalogue().pinned, [version(3)]);
    assert_eq!(refresher.revision, None, "the next read is a full one");
}

#[tokio::test]
async fn concurrent_requests_for_a_version_share_a_lookup_and_a_load() {
    let (mut refresher, record, _folder) = refresher().await;
    let request = |refresher: &mut Refresher| {
        let (reply, answer) = oneshot::channel();
        refresher.request(PinRequest { key: ("demo".to_owned(), 2), reply });
        answer
    };
    let answers = [request(&mut refresher), request(&mut refresher)];
    assert_eq!(refresher.lookups, 1);
    let found = ModelRecord { version: 2, aliases: vec![], sha256: "11".repeat(32), ..record };
    refresher.lookup_done(&found.key(), Ok(Some((found.clone(), 100))));
    let answers = answers.into_iter().chain([request(&mut refresher)]);
    // The tasks: the lookup, and the loads of the version of the index and of this version.
    assert_eq!((refresher.lookups, refresher.work.len()), (0, 3));
    refresher.load_done(&found, Duration::ZERO, Err(LoadError::WarmUp("a defect of the model".into())));
    for answer in answers {
        assert!(matches!(answer.await.unwrap(), Err(LookupError::Loading(..))), "all requests get the same reply");
    }
}

#[tokio::test]
async fn a_version_that_is_larger_than_the_budget_is_refused_without_a_load() {
    let (mut refresher, record, _folder) = refresher().await;
    refresher.limits.memory_budget = Some(1 << 20);
    let found = ModelRecord { version: 2, aliases: vec![], ..record };
    let answer = wait_for(&mut refresher, found.key());
    refresher.lookups += 1;
    refresher.lookup_done(&found.key(), Ok(Some((found.clone(), 2 << 20))));
    let refused = answer.await.unwrap().err();
    let expected = LookupError::TooLarge { model: "demo".into(), version: 2, bytes: 2 << 20, left: 1 << 20 };
    assert_eq!((refused, refresher.plan.contains(&found.key())), (Some(expected), false));
}

#[tokio::test]
async fn a_read_that_panics_does_not_stop_later_reads() {
    let (mut refresher, _record, _folder) = refresher().await;
    refresher.reading = true;
    refresher.start_read(async { panic!("a defect of the read") });
    next_answer(&mut refresher).await;
    assert!(!refresher.reading);

    refresher.read();
    next_answer(&mut refresher).await;
    assert!(refresher.revision.is_some(), "the next read succeeds");
}

#[tokio::test]
async fn a_version_released_during_a_read_stays_released() {
    let (mut refresher, record, _folder) = refresher().await;
    let pinned = ModelRecord { version: 2, aliases: vec![], ..record.clone() };
    refresher.plan.pin(pinned.clone(), 4);
    refresher.reading = true;
    let release = |version| {
        let (reply, answer) = oneshot::channel();
        (ReleaseRequest { model: "demo".into(), version, reply }, answer)
    };
    let (request, answer) = release(Some(1));
    refresher.release(request);
    assert_eq!(answer.await.unwrap(), ReleaseReply::Aliased(vec!["production".into()]));
    let (request, answer) = release(Some(2));
    refresher.release(request);
    assert_eq!(answer.await.unwrap(), ReleaseReply::Released(1));

    let catalogue = Catalogue { revision: 2, served: vec![record], pinned: vec![pinned], ..Catalogue::default() };
    refresher.read_done(Ok(Some(catalogue)));
    assert_eq!(refresher.plan.catalogue().pinned, []);
    let (request, answer) = release(Some(2));
    refresher.release(request);
    assert_eq!(answer.await.unwrap(), ReleaseReply::NotLoaded);
}
