//! A real apalis worker with a consumer.

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

const SLOTS: usize = 3;

on_both!(a_worker_fills_its_slots_and_runs_each_job_once, a_draining_worker_finishes_its_jobs_and_leaves_the_rest);

/// Shared state of the jobs of a test.
struct Shared {
    meet: Barrier,
    running: AtomicUsize,
    most: AtomicUsize,
    done: Mutex<Vec<JobId>>,
    began: Notify,
    proceed: Notify,
    all_done: Notify,
    expected: usize,
}

impl Shared {
    fn expecting(expected: usize) -> Arc<Self> {
        Arc::new(Self {
            meet: Barrier::new(SLOTS),
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

/// A job that ends once as many jobs run as there are slots. With fewer, no job would ever end.
async fn meet(delivery: Delivery, shared: Data<Arc<Shared>>) {
    delivery.ack_and_wait().await;
    let now = shared.running.fetch_add(1, SeqCst) + 1;
    shared.most.fetch_max(now, SeqCst);
    shared.meet.wait().await;
    shared.running.fetch_sub(1, SeqCst);
    shared.end(delivery.job);
}

async fn a_worker_fills_its_slots_and_runs_each_job_once(queue: Queue) {
    let jobs = ids(10 * SLOTS);
    let shared = Shared::expecting(jobs.len());
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    let worker = WorkerBuilder::new("full")
        .backend(queue.consume("full", SLOTS))
        .layer(ConcurrencyLimitLayer::new(SLOTS))
        .catch_panic()
        .data(shared.clone())
        .build(meet);
    let finished = shared.clone();
    let signal = async move {
        finished.all_done.notified().await;
        Ok::<_, WorkerError>(())
    };
    within("the worker", worker.run_until(signal)).await.unwrap();
    assert_eq!(shared.most.load(SeqCst), SLOTS);
    let done = shared.done.lock().unwrap().clone();
    assert_eq!((done.len(), BTreeSet::from_iter(done)), (jobs.len(), BTreeSet::from_iter(jobs)));
    assert_eq!(waiting(&queue).await, 0);
}

/// A job that reports its start and ends on request.
async fn hold(delivery: Delivery, shared: Data<Arc<Shared>>) {
    delivery.ack_and_wait().await;
    shared.began.notify_one();
    shared.proceed.notified().await;
    shared.end(delivery.job);
}

async fn a_draining_worker_finishes_its_jobs_and_leaves_the_rest(queue: Queue) {
    let jobs = ids(4);
    let shared = Shared::expecting(1);
    send(&queue, &all(&jobs, Normal)).await.unwrap();
    let worker = WorkerBuilder::new("draining")
        .backend(queue.consume("draining", 1))
        .layer(ConcurrencyLimitLayer::new(1))
        .data(shared.clone())
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
    within("the first job", shared.began.notified()).await;
    drain.notify_one();
    shared.proceed.notify_one();
    within("the worker", running).await.unwrap().unwrap();
    assert_eq!(*shared.done.lock().unwrap(), jobs[..1]);
    assert_eq!(waiting(&queue).await, 3);
    let mut successor = super::harness::Reader::of(&queue);
    for job in &jobs[1..] {
        assert_eq!(successor.take().await.job, *job);
    }
}
