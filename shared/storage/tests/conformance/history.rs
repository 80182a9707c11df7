//! The history of the queue.

use chrono::TimeDelta;
use trainyard_domain::JobStatus;
use trainyard_storage::{QueueSample, SAMPLES_KEPT, sample_time};

use crate::fixture::Fixture;

on_both!(a_minute_has_one_sample, a_sample_counts_the_minute_before, old_samples_are_deleted);

async fn sample(fixture: &Fixture, after: TimeDelta) {
    let mut tx = fixture.db.begin().await.unwrap();
    tx.queue_history().sample(fixture.now + after).await.unwrap();
    tx.commit().await.unwrap();
}

async fn samples(fixture: &Fixture) -> Vec<QueueSample> {
    fixture.db.read().await.unwrap().queue_history().since(fixture.now - TimeDelta::days(9)).await.unwrap()
}

async fn a_minute_has_one_sample(fixture: Fixture) {
    let start = sample_time(fixture.now) - fixture.now;
    fixture.queue().await;
    sample(&fixture, start + TimeDelta::seconds(70)).await;
    fixture.queue().await;
    // Another leader in the same minute, then a gap of two minutes.
    sample(&fixture, start + TimeDelta::seconds(119)).await;
    sample(&fixture, start + TimeDelta::seconds(240)).await;
    let samples = samples(&fixture).await;
    let of_start: Vec<_> =
        samples.iter().map(|sample| ((sample.at - sample_time(fixture.now)).num_seconds(), sample.queued)).collect();
    assert_eq!(of_start, [(60, 1), (240, 2)]);
    let waited = samples[0].oldest_age_s.unwrap();
    assert_eq!(waited, (start + TimeDelta::seconds(70)).num_milliseconds() as f64 / 1_000.0);
}

async fn a_sample_counts_the_minute_before(fixture: Fixture) {
    let minute = sample_time(fixture.now) + TimeDelta::minutes(5);
    for (status, second) in [
        (JobStatus::Succeeded, -61),
        (JobStatus::Succeeded, -60),
        (JobStatus::Failed, -30),
        (JobStatus::Cancelled, -1),
        (JobStatus::Failed, 0),
    ] {
        let finished_at = Some(minute + TimeDelta::seconds(second));
        fixture.queue_with(|job| (job.status, job.finished_at) = (status, finished_at)).await;
    }
    let running = fixture.queue().await;
    fixture.claim(running, "w", fixture.now).await.unwrap();
    sample(&fixture, minute - fixture.now + TimeDelta::seconds(3)).await;
    let expected = QueueSample { at: minute, queued: 0, running: 1, oldest_age_s: None, finished: 3, failed: 1 };
    assert_eq!(samples(&fixture).await, [expected]);
}

async fn old_samples_are_deleted(fixture: Fixture) {
    sample(&fixture, TimeDelta::zero()).await;
    sample(&fixture, SAMPLES_KEPT).await;
    assert_eq!(samples(&fixture).await.len(), 2);
    sample(&fixture, SAMPLES_KEPT + TimeDelta::minutes(1)).await;
    assert_eq!(samples(&fixture).await.len(), 2);
}
