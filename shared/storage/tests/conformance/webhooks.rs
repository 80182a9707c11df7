//! The outbox of webhooks: what goes in, in which order it comes out, and who may record what.

use futures::future::join_all;
use serde_json::json;
use trainyard_domain::outcome::Ending;
use trainyard_domain::webhook::{After, Answer, Delivery, DeliveryStatus};
use trainyard_domain::{DeliveryId, FailureCode, JobError, JobId, JobStatus};
use trainyard_storage::{DeliveryFilter, Retired};

use crate::bench::Bench;
use crate::running::next_of;

on_both!(
    only_an_end_with_somebody_to_tell_is_told,
    an_end_that_is_undone_is_not_told,
    a_failure_and_a_cancel_are_told_with_their_reasons,
    what_is_due_comes_out_once_and_the_oldest_first,
    an_attempt_of_which_nothing_was_heard_is_made_again,
    what_comes_of_an_overtaken_attempt_is_not_recorded,
    a_replay_begins_a_new_series_under_the_same_id,
    a_busy_receiver_is_left_out,
    a_delivery_that_is_replayed_while_old_ones_are_removed_stays,
    deliveries_are_listed_counted_and_forgotten,
);

const URL: &str = "https://example.com/hook";

async fn running(bench: &Bench) -> JobId {
    let id = bench.queue_with(|job| job.spec.webhook_url = Some(URL.into())).await;
    bench.claim(id, "w", bench.now).await.unwrap();
    id
}

/// A cancelled job's delivery, told at so many seconds.
async fn told(bench: &Bench, seconds: i64) -> Delivery {
    let id = bench.queue_with(|job| job.spec.webhook_url = Some(URL.into())).await;
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().cancel(id, bench.later(seconds)).await.unwrap();
    tx.webhooks().tell(id, bench.later(seconds)).await.unwrap();
    tx.commit().await.unwrap();
    of_job(bench, id).await.remove(0)
}

async fn of_job(bench: &Bench, id: JobId) -> Vec<Delivery> {
    let filter = DeliveryFilter { job: Some(id), ..DeliveryFilter::default() };
    bench.db.read().await.unwrap().webhooks().list(filter, None, 100).await.unwrap()
}

async fn get(bench: &Bench, id: DeliveryId) -> Delivery {
    bench.db.read().await.unwrap().webhooks().get(id).await.unwrap().unwrap()
}

async fn claim(bench: &Bench, seconds: i64, limit: i64) -> Vec<Delivery> {
    let mut tx = bench.db.begin().await.unwrap();
    let claimed = tx.webhooks().claim(bench.later(seconds), bench.later(seconds + 25), limit, &[""; 4]).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

async fn record(bench: &Bench, delivery: &Delivery, status: u16, after: After) -> bool {
    let answer = Answer { status: Some(status), ..Answer::default() };
    let mut tx = bench.db.begin().await.unwrap();
    let recorded = tx.webhooks().record(delivery.id, delivery.claim, &answer, after, bench.later(50)).await.unwrap();
    tx.commit().await.unwrap();
    recorded
}

async fn replay(bench: &Bench, id: DeliveryId, seconds: i64) -> Option<Delivery> {
    let mut tx = bench.db.begin().await.unwrap();
    let replayed = tx.webhooks().replay(id, bench.later(seconds)).await.unwrap();
    tx.commit().await.unwrap();
    replayed
}

async fn only_an_end_with_somebody_to_tell_is_told(bench: Bench) {
    let id = running(&bench).await;
    let silent = bench.queue().await;
    let mut tx = bench.db.begin().await.unwrap();
    tx.webhooks().tell(id, bench.now).await.unwrap();
    tx.webhooks().tell(JobId::at(bench.now), bench.now).await.unwrap();
    tx.jobs().cancel(silent, bench.now).await.unwrap();
    tx.webhooks().tell(silent, bench.now).await.unwrap();
    assert_eq!(tx.webhooks().pending().await.unwrap(), 0, "one goes on, one is none, one has nobody to tell");
    let version = tx.models().publish(&bench.version("demo", id)).await.unwrap();
    let metrics = json!({"accuracy": 0.75, "rows": {"train": 1}, "positive_class": "yes", "oob": null});
    assert!(tx.jobs().succeed(id, 1, &metrics, version, bench.later(7)).await.unwrap());
    tx.webhooks().tell(id, bench.later(7)).await.unwrap();
    tx.commit().await.unwrap();

    let [told] = &of_job(&bench, id).await[..] else { panic!("told once") };
    assert_eq!((told.url.as_str(), told.event.as_str()), (URL, "training.succeeded"));
    assert_eq!((told.status, told.attempts, told.next_attempt_at), (DeliveryStatus::Pending, 0, bench.later(7)));
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let expected = json!({"type": "training.succeeded", "timestamp": time(bench.later(7)), "data": {
        "job_id": id, "name": "demo", "algorithm": "random_forest", "status": "succeeded",
        "model": {"name": "demo", "version": 1}, "metrics": {"accuracy": 0.75},
        "created_at": time(bench.now), "finished_at": time(bench.later(7)),
    }});
    assert_eq!(told.payload, expected);
}

async fn an_end_that_is_undone_is_not_told(bench: Bench) {
    let id = running(&bench).await;
    let next = next_of(&bench.job(id).await, Ending::Cancelled, bench.now);
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.jobs().end_run(id, 1, &next, bench.now).await.unwrap());
    tx.webhooks().tell(id, bench.now).await.unwrap();
    drop(tx);
    assert!(of_job(&bench, id).await.is_empty());
}

async fn a_failure_and_a_cancel_are_told_with_their_reasons(bench: Bench) {
    let failure = Ending::Failed(JobError::new(FailureCode::BadData, "one class"));
    for (ending, event, error) in [
        (failure, "training.failed", json!({"code": "bad_data", "message": "one class", "retryable": false})),
        (Ending::Cancelled, "training.cancelled", json!(null)),
    ] {
        let id = running(&bench).await;
        let next = next_of(&bench.job(id).await, ending, bench.now);
        let mut tx = bench.db.begin().await.unwrap();
        assert!(tx.jobs().end_run(id, 1, &next, bench.now).await.unwrap());
        tx.webhooks().tell(id, bench.now).await.unwrap();
        tx.commit().await.unwrap();
        let told = of_job(&bench, id).await.remove(0);
        assert_eq!((told.event.as_str(), &told.payload["data"]["error"]), (event, &error));
    }
    // A run that goes back to the queue is no end, and one that was to be cancelled meanwhile is.
    let id = running(&bench).await;
    let next = next_of(&bench.job(id).await, Ending::Interrupted, bench.now);
    let mut tx = bench.db.begin().await.unwrap();
    tx.jobs().cancel(id, bench.now).await.unwrap();
    assert!(next.status == JobStatus::Queued && tx.jobs().end_run(id, 1, &next, bench.now).await.unwrap());
    tx.webhooks().tell(id, bench.now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(of_job(&bench, id).await[0].event, "training.cancelled");
}

async fn what_is_due_comes_out_once_and_the_oldest_first(bench: Bench) {
    let third = told(&bench, 3).await.id;
    let first = told(&bench, 1).await.id;
    let second = told(&bench, 2).await.id;
    let due = async |seconds| bench.db.read().await.unwrap().webhooks().any_due(bench.later(seconds)).await.unwrap();
    assert!(!due(0).await && claim(&bench, 0, 10).await.is_empty());
    assert!(due(1).await);
    let ids = |claimed: Vec<Delivery>| claimed.into_iter().map(|delivery| delivery.id).collect::<Vec<_>>();
    assert_eq!(ids(claim(&bench, 9, 2).await), [first, second]);
    assert_eq!(ids(claim(&bench, 9, 2).await), [third]);
    assert!(!due(9).await && claim(&bench, 9, 2).await.is_empty());

    for _ in 0..10 {
        told(&bench, 4).await;
    }
    // Those who look at the same moment may find what another has just taken, and come away with less.
    let mut taken = Vec::new();
    while due(9).await {
        taken.extend(join_all((0..10).map(|_| claim(&bench, 9, 3))).await.into_iter().flatten());
    }
    let mut ids = ids(taken);
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((all, ids.len()), (10, 10), "of many who send at once each gets its own");
}

async fn an_attempt_of_which_nothing_was_heard_is_made_again(bench: Bench) {
    let id = told(&bench, 1).await.id;
    let lost = claim(&bench, 1, 10).await.remove(0);
    assert_eq!((lost.id, lost.claim, lost.attempts), (id, 1, 1));
    assert!(claim(&bench, 25, 10).await.is_empty(), "it may still be under way");
    let again = claim(&bench, 26, 10).await.remove(0);
    assert_eq!((again.id, again.claim, again.attempts), (id, 2, 2));
}

async fn what_comes_of_an_overtaken_attempt_is_not_recorded(bench: Bench) {
    told(&bench, 1).await;
    let lost = claim(&bench, 1, 10).await.remove(0);
    let again = claim(&bench, 26, 10).await.remove(0);
    assert!(!record(&bench, &lost, 500, After::Failed).await);
    assert!(record(&bench, &again, 500, After::Again(bench.later(300))).await);
    let waits = get(&bench, again.id).await;
    assert_eq!((waits.status, waits.next_attempt_at), (DeliveryStatus::Pending, bench.later(300)));
    assert_eq!((waits.last_status, waits.finished_at), (Some(500), None));
    let last = claim(&bench, 300, 10).await.remove(0);
    assert!(record(&bench, &last, 204, After::Delivered).await);
    assert!(!record(&bench, &last, 204, After::Delivered).await, "once");
    let delivered = get(&bench, last.id).await;
    assert_eq!((delivered.status, delivered.finished_at), (DeliveryStatus::Delivered, Some(bench.later(50))));
    assert!(claim(&bench, 100_000, 10).await.is_empty());
}

async fn a_replay_begins_a_new_series_under_the_same_id(bench: Bench) {
    let id = told(&bench, 1).await.id;
    let first = claim(&bench, 1, 10).await.remove(0);
    assert!(record(&bench, &first, 410, After::Failed).await);
    let replayed = replay(&bench, id, 60).await.unwrap();
    assert_eq!((replayed.id, replayed.status, replayed.attempts), (id, DeliveryStatus::Pending, 0));
    assert_eq!((replayed.next_attempt_at, replayed.finished_at), (bench.later(60), None));
    let second = claim(&bench, 60, 10).await.remove(0);
    assert_eq!((second.id, second.attempts), (id, 1));
    // Replayed while under way: the answer to the old attempt must not swallow the new one.
    replay(&bench, id, 61).await.unwrap();
    assert!(!record(&bench, &second, 200, After::Delivered).await);
    assert_eq!(claim(&bench, 61, 10).await.len(), 1);
    assert!(replay(&bench, DeliveryId::at(bench.now), 61).await.is_none());
}

async fn a_busy_receiver_is_left_out(bench: Bench) {
    told(&bench, 1).await;
    let mut tx = bench.db.begin().await.unwrap();
    let busy = ["other.example:443", "", "example.com:443", ""];
    assert!(tx.webhooks().claim(bench.later(1), bench.later(9), 10, &busy).await.unwrap().is_empty());
    let busy = ["other.example:443", "", "example.com:8443", ""];
    assert_eq!(tx.webhooks().claim(bench.later(1), bench.later(9), 10, &busy).await.unwrap().len(), 1);
}

async fn a_delivery_that_is_replayed_while_old_ones_are_removed_stays(bench: Bench) {
    let id = told(&bench, 1).await.id;
    let sent = claim(&bench, 1, 1).await;
    assert!(record(&bench, &sent[0], 410, After::Failed).await);
    let mut tx = bench.db.begin().await.unwrap();
    assert!(tx.webhooks().replay(id, bench.later(60)).await.unwrap().is_some());
    let (db, before) = (bench.db.clone(), bench.later(60));
    let removal = tokio::spawn(async move {
        let mut tx = db.begin().await.unwrap();
        let removed = tx.retire(Retired::Webhooks, before, 10).await.unwrap();
        tx.commit().await.unwrap();
        removed
    });
    bench.until_one_waits().await;
    tx.commit().await.unwrap();
    assert_eq!(removal.await.unwrap(), 0);
    assert_eq!(get(&bench, id).await.status, DeliveryStatus::Pending);
}

async fn deliveries_are_listed_counted_and_forgotten(bench: Bench) {
    for second in 1..=3 {
        told(&bench, second).await;
    }
    let sent = claim(&bench, 9, 2).await;
    assert!(record(&bench, &sent[0], 200, After::Delivered).await);
    assert!(record(&bench, &sent[1], 410, After::Failed).await);
    let list = async |status, before| {
        let filter = DeliveryFilter { status, job: None };
        let mut tx = bench.db.read().await.unwrap();
        let found = tx.webhooks().list(filter, before, 2).await.unwrap();
        found.into_iter().map(|delivery| delivery.id).collect::<Vec<_>>()
    };
    let all = list(None, None).await;
    assert!(all.len() == 2 && all[0] > all[1], "newest first");
    assert_eq!(list(None, Some(all[1])).await, [sent[0].id]);
    assert_eq!(list(Some(DeliveryStatus::Delivered), None).await, [sent[0].id]);
    assert_eq!(list(Some(DeliveryStatus::Failed), None).await, [sent[1].id]);
    assert_eq!(list(Some(DeliveryStatus::Pending), None).await, [all[0]]);

    let mut tx = bench.db.begin().await.unwrap();
    assert_eq!(tx.webhooks().pending().await.unwrap(), 1);
    assert_eq!(tx.retire(Retired::Webhooks, bench.later(50), 9).await.unwrap(), 0);
    assert_eq!(tx.retire(Retired::Webhooks, bench.later(51), 1).await.unwrap(), 1, "as many as asked for");
    assert_eq!(tx.retire(Retired::Webhooks, bench.later(51), 9).await.unwrap(), 1, "what is pending stays");
    tx.commit().await.unwrap();
    assert_eq!(list(None, None).await, [all[0]]);
    bench.meddle("DELETE FROM jobs").await;
    assert!(list(None, None).await.is_empty(), "they go with their jobs");
}
