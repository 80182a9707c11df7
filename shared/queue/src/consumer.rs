//! The apalis backend: what a worker polls.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use apalis_core::backend::finalize::Ephemeral;
use apalis_core::backend::{Backend, BackendConfig};
use apalis_core::task::Task;
use apalis_core::task::builder::TaskBuilder;
use apalis_core::task::task_id::TaskId;
use apalis_core::worker::context::WorkerContext;
use tokio::task::JoinHandle;
use tower::layer::util::Identity;

use crate::delivery::Delivery;
use crate::desk::Desk;
use crate::fetch::{Source, run};

/// Hands job ids to an apalis worker, as many as it has places for. Its tasks are [`Delivery`]s.
///
/// It yields no error, ever: apalis would end the worker and drop the jobs that run. When it is dropped or closed, an id
/// that was read but not handed over goes back to the queue.
#[must_use = "a consumer reads nothing until a worker polls it"]
pub struct Consumer {
    desk: Arc<Desk>,
    fetcher: Option<JoinHandle<()>>,
}

/// Tells whether a consumer's fetching task still turns; for health checks.
#[derive(Clone)]
pub struct Pulse(Arc<Desk>);

impl Pulse {
    /// Time since the task last came round. A few seconds when all is well, Redis away included; more means it hangs.
    pub fn silent_for(&self) -> Duration {
        self.0.silent_for()
    }
}

impl Consumer {
    pub(crate) fn start(source: Source, places: usize) -> Self {
        let desk = Arc::new(Desk::new());
        let fetcher = tokio::spawn(run(source, desk.clone(), places.max(1)));
        Self { desk, fetcher: Some(fetcher) }
    }

    /// The sign of life of this consumer.
    pub fn pulse(&self) -> Pulse {
        Pulse(self.desk.clone())
    }

    /// Ready once the fetching task has ended.
    fn poll_fetcher(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(fetcher) = &mut self.fetcher {
            if let Err(error) = ready!(Pin::new(fetcher).poll(cx)) {
                tracing::error!(%error, "the fetching task ended badly");
            }
            self.fetcher = None;
        }
        Poll::Ready(())
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.desk.stop.cancel();
    }
}

impl Backend for Consumer {
    type Task = Task<Delivery>;
    type Error = Infallible;

    fn poll_ready(&mut self, _: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn poll_next(
        &mut self,
        cx: &mut Context<'_>,
        worker: &WorkerContext,
    ) -> Poll<Option<Result<Task<Delivery>, Infallible>>> {
        let Some(delivery) = self.desk.pick_up(cx.waker(), worker) else {
            // Nothing more will come when the task is gone: the worker then ends, and its owner sees it.
            return self.poll_fetcher(cx).map(|()| None);
        };
        let id = TaskId::from_string(delivery.job.to_string());
        Poll::Ready(Some(Ok(TaskBuilder::new(delivery).task_id(id).build())))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        self.desk.stop.cancel();
        self.poll_fetcher(cx).map(Ok)
    }
}

impl BackendConfig for Consumer {
    type Args = Delivery;
    type Id = String;
    type Kind = Ephemeral;
    type Config = ();
    type Layer = Identity;

    fn config(&self) -> &() {
        &()
    }

    fn middleware(&mut self, _: &mut WorkerContext) -> Identity {
        Identity::new()
    }
}
