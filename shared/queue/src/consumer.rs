//! The apalis backend that a worker polls.

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
use crate::fetch::{Source, run};
use crate::handoff::Handoff;

/// Delivers job ids to an apalis worker, as many as the worker has slots. Its tasks are [`Delivery`]s.
///
/// It never yields an error, because apalis would end the worker and drop its running jobs. When the consumer is closed or
/// dropped, ids that were read but not taken return to the queue.
#[must_use = "a consumer reads nothing until a worker polls it"]
pub struct Consumer {
    handoff: Arc<Handoff>,
    fetcher: Option<JoinHandle<()>>,
}

/// Reports whether a consumer's fetcher task still polls; for health checks.
#[derive(Clone)]
pub struct Liveness(Arc<Handoff>);

impl Liveness {
    /// The time since the last poll: a few seconds at most, even while Redis is away. A longer time means that the task hangs.
    pub fn since_last_poll(&self) -> Duration {
        self.0.since_last_poll()
    }
}

impl Consumer {
    pub(crate) fn start(source: Source, slots: usize) -> Self {
        let handoff = Arc::new(Handoff::new());
        let fetcher = tokio::spawn(run(source, handoff.clone(), slots.max(1)));
        Self { handoff, fetcher: Some(fetcher) }
    }

    /// The liveness of this consumer.
    pub fn liveness(&self) -> Liveness {
        Liveness(self.handoff.clone())
    }

    /// Ready once the fetcher task has ended.
    fn poll_fetcher(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if let Some(fetcher) = &mut self.fetcher {
            if let Err(error) = ready!(Pin::new(fetcher).poll(cx)) {
                tracing::error!(%error, "the task that reads the queue panicked");
            }
            self.fetcher = None;
        }
        Poll::Ready(())
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        self.handoff.stop.cancel();
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
        let Some(delivery) = self.handoff.take_or_request(cx.waker(), worker) else {
            // Without its fetcher a consumer delivers nothing more. The end of the stream ends the worker.
            return self.poll_fetcher(cx).map(|()| None);
        };
        let id = TaskId::from_string(delivery.job.to_string());
        Poll::Ready(Some(Ok(TaskBuilder::new(delivery).task_id(id).build())))
    }

    fn poll_close(&mut self, cx: &mut Context<'_>, _: &WorkerContext) -> Poll<Result<(), Infallible>> {
        self.handoff.stop.cancel();
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
