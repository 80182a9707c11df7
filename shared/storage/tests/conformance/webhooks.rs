//! The outbox of webhook deliveries.

use futures::future::join_all;
use serde_json::json;
use trainyard_domain::outcome::RunOutcome;
use trainyard_domain::webhook::{AttemptResult, Delivery, DeliveryDecision, DeliveryStatus};
use trainyard_domain::{DeliveryId, FailureCode, JobError, JobId, JobStatus};
use trainyard_storage::{DeliveryFilter, Retention};

use crate::fixture::Fixture;
use crate::running::next_of;

on_both!(
    only_a_final_job_with_a_webhook_url_has_a_delivery,
    a_rolled_back_end_has_no_delivery,
    failures_and_cancellations_have_deliveries_with_reasons,
    due_deliveries_are_claimed_once_oldest_first,
    a_lost_attempt_is_repeated,
    the_result_of_an_old_attempt_is_not_recorded,
    a_replay_begins_a_new_series_with_the_same_id,
    a_busy_receiver_is_excluded_from_a_claim,
    a_concurrent_claim_gets_other_deliveries,
    a_delivery_that_is_replayed_during_removal_stays,
    deliveries_are_listed_counted_and_removed,
);

const URL: &str = "https://example.com/hook";

async fn running(fixture: &Fixture) -> JobId {
    let id = fixture.queue_with(|job| job.spec.webhook_url = Some(URL.into())).await;
    fixture.claim(id, "w", fixture.now).await.unwrap();
    id
}

/// The delivery of a job that was cancelled at `seconds`.
async fn cancelled_delivery(fixture: &Fixture, seconds: i64) -> Delivery {
    let id = fixture.queue_with(|job| job.spec.webhook_url = Some(URL.into())).await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().cancel(id, fixture.later(seconds)).await.unwrap();
    tx.webhooks().enqueue(id, fixture.later(seconds)).await.unwrap();
    tx.commit().await.unwrap();
    of_job(fixture, id).await.remove(0)
}

async fn of_job(fixture: &Fixture, id: JobId) -> Vec<Delivery> {
    let filter = DeliveryFilter { job: Some(id), ..DeliveryFilter::default() };
    fixture.db.read().await.unwrap().webhooks().list(filter, None, 100).await.unwrap()
}

async fn get(fixture: &Fixture, id: DeliveryId) -> Delivery {
    fixture.db.read().await.unwrap().webhooks().get(id).await.unwrap().unwrap()
}

async fn claim(fixture: &Fixture, seconds: i64, limit: i64) -> Vec<Delivery> {
    let mut tx = fixture.db.begin().await.unwrap();
    let claimed =
        tx.webhooks().claim(fixture.later(seconds), fixture.later(seconds + 25), limit, &[""; 4]).await.unwrap();
    tx.commit().await.unwrap();
    claimed
}

async fn record(fixture: &Fixture, delivery: &Delivery, status: u16, after: DeliveryDecision) -> bool {
    let answer = AttemptResult { status: Some(status), ..AttemptResult::default() };
    let mut tx = fixture.db.begin().await.unwrap();
    let recorded = tx.webhooks().record(delivery.id, delivery.claim, &answer, after, fixture.later(50)).await.unwrap();
    tx.commit().await.unwrap();
    recorded
}

async fn replay(fixture: &Fixture, id: DeliveryId, seconds: i64) -> Option<Delivery> {
    let mut tx = fixture.db.begin().await.unwrap();
    let replayed = tx.webhooks().replay(id, fixture.later(seconds)).await.unwrap();
    tx.commit().await.unwrap();
    replayed
}

async fn only_a_final_job_with_a_webhook_url_has_a_delivery(fixture: Fixture) {
    let id = running(&fixture).await;
    let without_url = fixture.queue().await;
    let mut tx = fixture.db.begin().await.unwrap();
    tx.webhooks().enqueue(id, fixture.now).await.unwrap();
    tx.webhooks().enqueue(JobId::at(fixture.now), fixture.now).await.unwrap();
    tx.jobs().cancel(without_url, fixture.now).await.unwrap();
    tx.webhooks().enqueue(without_url, fixture.now).await.unwrap();
    assert_eq!(tx.webhooks().pending().await.unwrap(), 0, "one job is running, one is missing, one has no webhook_url");
    let version = tx.models().publish(&fixture.version("demo", id)).await.unwrap().version;
    let metrics = json!({"accuracy": 0.75, "rows": {"train": 1}, "positive_class": "yes", "oob": null});
    assert!(tx.jobs().succeed(id, 1, &metrics, Some(version), fixture.later(7)).await.unwrap());
    tx.webhooks().enqueue(id, fixture.later(7)).await.unwrap();
    tx.commit().await.unwrap();

    let [delivery] = &of_job(&fixture, id).await[..] else { panic!("one delivery") };
    assert_eq!((delivery.url.as_str(), delivery.event.as_str()), (URL, "training.succeeded"));
    assert_eq!(
        (delivery.status, delivery.attempts, delivery.next_attempt_at),
        (DeliveryStatus::Pending, 0, fixture.later(7))
    );
    let time = |at: chrono::DateTime<chrono::Utc>| at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    let expected = json!({"type": "training.succeeded", "timestamp": time(fixture.later(7)), "data": {
        "job_id": id, "kind": "training", "name": "demo", "algorithm": "random_forest", "status": "succeeded",
        "model": {"name": "demo", "version": 1}, "metrics": {"accuracy": 0.75},
        "created_at": time(fixture.now), "finished_at": time(fixture.later(7)),
    }});
    assert_eq!(delivery.payload, expected);
}

async fn a_rolled_back_end_has_no_delivery(fixture: Fixture) {
    let id = running(&fixture).await;
    let next = next_of(&fixture.job(id).await, RunOutcome::Cancelled, fixture.now);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.jobs().finish_run(id, 1, &next, fixture.now).await.unwrap());
    tx.webhooks().enqueue(id, fixture.now).await.unwrap();
    drop(tx);
    assert!(of_job(&fixture, id).await.is_empty());
}

async fn failures_and_cancellations_have_deliveries_with_reasons(fixture: Fixture) {
    let failure = RunOutcome::Failed(JobError::new(FailureCode::BadData, "one class"));
    for (ending, event, error) in [
        (failure, "training.failed", json!({"code": "bad_data", "message": "one class", "retryable": false})),
        (RunOutcome::Cancelled, "training.cancelled", json!(null)),
    ] {
        let id = running(&fixture).await;
        let next = next_of(&fixture.job(id).await, ending, fixture.now);
        let mut tx = fixture.db.begin().await.unwrap();
        assert!(tx.jobs().finish_run(id, 1, &next, fixture.now).await.unwrap());
        tx.webhooks().enqueue(id, fixture.now).await.unwrap();
        tx.commit().await.unwrap();
        let delivery = of_job(&fixture, id).await.remove(0);
        assert_eq!((delivery.event.as_str(), &delivery.payload["data"]["error"]), (event, &error));
    }
    // A requeued job has no delivery, unless a cancellation was requested meanwhile.
    let id = running(&fixture).await;
    let next = next_of(&fixture.job(id).await, RunOutcome::Interrupted, fixture.now);
    let mut tx = fixture.db.begin().await.unwrap();
    tx.jobs().cancel(id, fixture.now).await.unwrap();
    assert!(next.status == JobStatus::Queued && tx.jobs().finish_run(id, 1, &next, fixture.now).await.unwrap());
    tx.webhooks().enqueue(id, fixture.now).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(of_job(&fixture, id).await[0].event, "training.cancelled");
}

async fn due_deliveries_are_claimed_once_oldest_first(fixture: Fixture) {
    let third = cancelled_delivery(&fixture, 3).await.id;
    let first = cancelled_delivery(&fixture, 1).await.id;
    let second = cancelled_delivery(&fixture, 2).await.id;
    let due =
        async |seconds| fixture.db.read().await.unwrap().webhooks().any_due(fixture.later(seconds)).await.unwrap();
    assert!(!due(0).await && claim(&fixture, 0, 10).await.is_empty());
    assert!(due(1).await);
    let ids = |claimed: Vec<Delivery>| claimed.into_iter().map(|delivery| delivery.id).collect::<Vec<_>>();
    assert_eq!(ids(claim(&fixture, 9, 2).await), [first, second]);
    assert_eq!(ids(claim(&fixture, 9, 2).await), [third]);
    assert!(!due(9).await && claim(&fixture, 9, 2).await.is_empty());

    for _ in 0..10 {
        cancelled_delivery(&fixture, 4).await;
    }
    // Concurrent claims may select the same rows and then claim fewer.
    let mut taken = Vec::new();
    while due(9).await {
        taken.extend(join_all((0..10).map(|_| claim(&fixture, 9, 3))).await.into_iter().flatten());
    }
    let mut ids = ids(taken);
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!((all, ids.len()), (10, 10), "concurrent claims are disjoint");
}

async fn a_lost_attempt_is_repeated(fixture: Fixture) {
    let id = cancelled_delivery(&fixture, 1).await.id;
    let lost = claim(&fixture, 1, 10).await.remove(0);
    assert_eq!((lost.id, lost.claim, lost.attempts), (id, 1, 1));
    assert!(claim(&fixture, 25, 10).await.is_empty(), "the attempt may still be running");
    let again = claim(&fixture, 26, 10).await.remove(0);
    assert_eq!((again.id, again.claim, again.attempts), (id, 2, 2));
}

async fn the_result_of_an_old_attempt_is_not_recorded(fixture: Fixture) {
    cancelled_delivery(&fixture, 1).await;
    let lost = claim(&fixture, 1, 10).await.remove(0);
    let again = claim(&fixture, 26, 10).await.remove(0);
    assert!(!record(&fixture, &lost, 500, DeliveryDecision::Failed).await);
    assert!(record(&fixture, &again, 500, DeliveryDecision::Retry(fixture.later(300))).await);
    let waits = get(&fixture, again.id).await;
    assert_eq!((waits.status, waits.next_attempt_at), (DeliveryStatus::Pending, fixture.later(300)));
    assert_eq!((waits.last_status, waits.finished_at), (Some(500), None));
    let last = claim(&fixture, 300, 10).await.remove(0);
    assert!(record(&fixture, &last, 204, DeliveryDecision::Delivered).await);
    assert!(!record(&fixture, &last, 204, DeliveryDecision::Delivered).await, "once");
    let delivered = get(&fixture, last.id).await;
    assert_eq!((delivered.status, delivered.finished_at), (DeliveryStatus::Delivered, Some(fixture.later(50))));
    assert!(claim(&fixture, 100_000, 10).await.is_empty());
}

async fn a_replay_begins_a_new_series_with_the_same_id(fixture: Fixture) {
    let id = cancelled_delivery(&fixture, 1).await.id;
    let first = claim(&fixture, 1, 10).await.remove(0);
    assert!(record(&fixture, &first, 410, DeliveryDecision::Failed).await);
    let replayed = replay(&fixture, id, 60).await.unwrap();
    assert_eq!((replayed.id, replayed.status, replayed.attempts), (id, DeliveryStatus::Pending, 0));
    assert_eq!((replayed.next_attempt_at, replayed.finished_at), (fixture.later(60), None));
    let second = claim(&fixture, 60, 10).await.remove(0);
    assert_eq!((second.id, second.attempts), (id, 1));
    // A replay during an attempt: the result of the old attempt must not be recorded.
    replay(&fixture, id, 61).await.unwrap();
    assert!(!record(&fixture, &second, 200, DeliveryDecision::Delivered).await);
    assert_eq!(claim(&fixture, 61, 10).await.len(), 1);
    assert!(replay(&fixture, DeliveryId::at(fixture.now), 61).await.is_none());
}

async fn a_busy_receiver_is_excluded_from_a_claim(fixture: Fixture) {
    cancelled_delivery(&fixture, 1).await;
    let mut tx = fixture.db.begin().await.unwrap();
    let busy = ["other.example:443", "", "example.com:443", ""];
    assert!(tx.webhooks().claim(fixture.later(1), fixture.later(9), 10, &busy).await.unwrap().is_empty());
    let busy = ["other.example:443", "", "example.com:8443", ""];
    assert_eq!(tx.webhooks().claim(fixture.later(1), fixture.later(9), 10, &busy).await.unwrap().len(), 1);
}

async fn a_concurrent_claim_gets_other_deliveries(fixture: Fixture) {
    cancelled_delivery(&fixture, 1).await;
    let (now, until) = (fixture.later(9), fixture.later(30));
    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.webhooks().claim(now, until, 10, &[""; 4]).await.unwrap().len(), 1);
    // It selects the delivery before the first claim is committed.
    let db = fixture.db.clone();
    let second = tokio::spawn(async move {
        let mut tx = db.begin().await.unwrap();
        let claimed = tx.webhooks().claim(now, until, 10, &[""; 4]).await.unwrap();
        tx.commit().await.unwrap();
        claimed.len()
    });
    fixture.until_one_waits().await;
    tx.commit().await.unwrap();
    assert_eq!(second.await.unwrap(), 0);
}

async fn a_delivery_that_is_replayed_during_removal_stays(fixture: Fixture) {
    let id = cancelled_delivery(&fixture, 1).await.id;
    let sent = claim(&fixture, 1, 1).await;
    assert!(record(&fixture, &sent[0], 410, DeliveryDecision::Failed).await);
    let mut tx = fixture.db.begin().await.unwrap();
    assert!(tx.webhooks().replay(id, fixture.later(60)).await.unwrap().is_some());
    let (db, before) = (fixture.db.clone(), fixture.later(60));
    let removal = tokio::spawn(async move {
        let mut tx = db.begin().await.unwrap();
        let removed = tx.delete_expired(Retention::Webhooks, before, 10).await.unwrap();
        tx.commit().await.unwrap();
        removed
    });
    fixture.until_one_waits().await;
    tx.commit().await.unwrap();
    assert_eq!(removal.await.unwrap(), 0);
    assert_eq!(get(&fixture, id).await.status, DeliveryStatus::Pending);
}

async fn deliveries_are_listed_counted_and_removed(fixture: Fixture) {
    for second in 1..=3 {
        cancelled_delivery(&fixture, second).await;
    }
    let sent = claim(&fixture, 9, 2).await;
    assert!(record(&fixture, &sent[0], 200, DeliveryDecision::Delivered).await);
    assert!(record(&fixture, &sent[1], 410, DeliveryDecision::Failed).await);
    let list = async |status, before| {
        let filter = DeliveryFilter { status, job: None };
        let mut tx = fixture.db.read().await.unwrap();
        let found = tx.webhooks().list(filter, before, 2).await.unwrap();
        found.into_iter().map(|delivery| delivery.id).collect::<Vec<_>>()
    };
    let all = list(None, None).await;
    assert!(all.len() == 2 && all[0] > all[1], "newest first");
    assert_eq!(list(None, Some(all[1])).await, [sent[0].id]);
    assert_eq!(list(Some(DeliveryStatus::Delivered), None).await, [sent[0].id]);
    assert_eq!(list(Some(DeliveryStatus::Failed), None).await, [sent[1].id]);
    assert_eq!(list(Some(DeliveryStatus::Pending), None).await, [all[0]]);

    let mut tx = fixture.db.begin().await.unwrap();
    assert_eq!(tx.webhooks().pending().await.unwrap(), 1);
    assert_eq!(tx.delete_expired(Retention::Webhooks, fixture.later(50), 9).await.unwrap(), 0);
    assert_eq!(tx.delete_expired(Retention::Webhooks, fixture.later(51), 1).await.unwrap(), 1, "the limit applies");
    assert_eq!(
        tx.delete_expired(Retention::Webhooks, fixture.later(51), 9).await.unwrap(),
        1,
        "pending deliveries stay"
    );
    tx.commit().await.unwrap();
    assert_eq!(list(None, None).await, [all[0]]);
    fixture.execute_raw("DELETE FROM jobs").await;
    assert!(list(None, None).await.is_empty(), "deliveries are deleted with their jobs");
}
