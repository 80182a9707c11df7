//! A real apalis worker over a consumer.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use apalis::prelude::{Data, WorkerBuilder, WorkerBuilderExt, WorkerError};
use tokio::sync::{Barrier, Notify};
use tower::limit::ConcurrencyLimitLayer;
use trainyard_domain::JobId;
use trainyard_domain::PriorityClass::Normal;
use trainyard_queue::{Delivery, Queue};

use super::harness::{all, ids, on_both, send, waiting, within};

const PLACES: usize = 3;

on_both!(a_worker_runs_as_many_at_once_as_it_may_and_each_once, a_worker_that_drains_ends_its_jobs_and_leaves_the_rest);

/// What the jobs of a test tell it.
struct Floor {
    meet: Barrier,
    running: AtomicUsize,
    most: AtomicUsize,
    done: Mutex<Vec<JobId>>,
    began: Notify,
    proceed: Notify,
    all_done: Notify,
    expected: usize,
}

impl Floor {
    fn expecting(expected: usize) -> Arc<Self> {
        Arc::new(Self {
            meet: Barrier::new(PLACES),
            running: AtomicUsize::new(0),
            most: AtomicUsize::new(0),
            done: Mutex::default(),
            began: Notify::new(),
            proceed: Notify::new(),
            all_done: Notify::new(),
            expected,
        })
    }

    fn end(&self, job: JobId) {
        let mut done = self.done.lock().unwrap();
        done.push(job);
        if done.len() == self.expected {
            self.all_done.notify_one();
        }
    }
}

/// A job that ends once as many run as there are places: with fewer at once, none would ever end.
async fn meet(delivery: Delivery, floor: Data<Arc<Floor>>) {
    delivery.acked().await;
    let now = floor.running.fetch_add(1, SeqCst) + 1;
    floor.most.fetch_max(now, SeqCst);
    floor.meet.wait().await;
    floor.running.fetch_sub(1, SeqCst);
    floor.end(delivery.job);
}

async fn a_worker_runs_as_many_at_once_as_it_may_and_each_once(queue: Queue) {
    let jobs = ids(10 * PLACES);
    let floor = Floor::expecting(jobs.len());
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    let worker = WorkerBuilder::new("crowd")
        .backend(queue.consume("crowd", PLACES))
        .layer(ConcurrencyLimitLayer::new(PLACES))
        .catch_panic()
        .data(floor.clone())
        .build(meet);
    let finished = floor.clone();
    let signal = async move {
        finished.all_done.notified().await;
        Ok::<_, WorkerError>(())
    };
    within("the worker", worker.run_until(signal)).await.unwrap();
    assert_eq!(floor.most.load(SeqCst), PLACES);
    let done = floor.done.lock().unwrap().clone();
    assert_eq!((done.len(), BTreeSet::from_iter(done)), (jobs.len(), BTreeSet::from_iter(jobs)));
    assert_eq!(waiting(&queue).await, 0);
}

/// A job that says that it began and ends when told.
async fn hold(delivery: Delivery, floor: Data<Arc<Floor>>) {
    delivery.acked().await;
    floor.began.notify_one();
    floor.proceed.notified().await;
    floor.end(delivery.job);
}

async fn a_worker_that_drains_ends_its_jobs_and_leaves_the_rest(queue: Queue) {
    let jobs = ids(4);
    let floor = Floor::expecting(1);
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    let worker = WorkerBuilder::new("leaver")
        .backend(queue.consume("leaver", 1))
        .layer(ConcurrencyLimitLayer::new(1))
        .data(floor.clone())
        .build(hold);
    let drain = Arc::new(Notify::new());
    let signal = {
        let drain = drain.clone();
        async move {
            drain.notified().await;
            Ok::<_, WorkerError>(())
        }
    };
    let running = tokio::spawn(worker.run_until(signal));
    within("the first job", floor.began.notified()).await;
    drain.notify_one();
    floor.proceed.notify_one();
    within("the worker", running).await.unwrap().unwrap();
    assert_eq!(*floor.done.lock().unwrap(), jobs[..1]);
    assert_eq!(waiting(&queue).await, 3);
    let mut successor = super::harness::Reader::of(&queue);
    for job in &jobs[1..] {
        assert_eq!(successor.take().await.job, *job);
    }
}
