//! The lifecycle of a process: stop signals, the delayed closing of the listener, and a deadline for the shutdown.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The lifecycle of one process. `stopping` is cancelled by SIGTERM, by SIGINT, or when a component ends.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Cancelled when the process should stop.
    pub stopping: CancellationToken,
    /// Cancelled when the listener should close. After a signal this happens `drain_delay` later, so that load
    /// balancers can remove the process first.
    pub closing: CancellationToken,
    components: TaskTracker,
    failed: CancellationToken,
}

impl Lifecycle {
    /// Returns a lifecycle that ends with SIGTERM or SIGINT. A second signal exits the process at once.
    ///
    /// # Errors
    /// If the operating system refuses signal handlers.
    pub fn until_signalled(drain_delay: Duration) -> std::io::Result<Self> {
        let lifecycle = Self::default();
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (stopping, closing) = (lifecycle.stopping.clone(), lifecycle.closing.clone());
        tokio::spawn(async move {
            let mut next = async || {
                tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            };
            let name = next().await;
            tracing::info!(signal = name, "stopping; a second signal exits at once");
            stopping.cancel();
            let close = async {
                tokio::time::sleep(drain_delay).await;
                closing.cancel();
                std::future::pending().await
            };
            tokio::select! {
                () = close => {}
                _ = next() => {}
            }
            trainyard_telemetry::flush_logs();
            std::process::exit(1);
        });
        Ok(lifecycle)
    }

    /// Runs a component in a task. When a component ends, the whole process stops; an error is reported by
    /// [`Self::finish`].
    pub fn run<F>(&self, name: &'static str, component: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let lifecycle = self.clone();
        let component = self.components.spawn(component);
        self.components.spawn(async move {
            let outcome = match component.await {
                Ok(outcome) => outcome,
                Err(panicked) => Err(panicked.into()),
            };
            if let Err(error) = outcome {
                tracing::error!(component = name, error = format!("{error:#}"), "a component failed");
                lifecycle.failed.cancel();
            }
            // A worker with `max_jobs` ends by itself, and the process ends with the worker.
            if !lifecycle.stopping.is_cancelled() {
                lifecycle.stopping.cancel();
                lifecycle.closing.cancel();
            }
        });
    }

    /// Waits until the process stops and all components have ended.
    ///
    /// # Errors
    /// If a component failed, or did not end within `deadline` after the stop began.
    pub async fn finish(self, deadline: Duration) -> anyhow::Result<()> {
        self.components.close();
        self.stopping.cancelled().await;
        if tokio::time::timeout(deadline, self.components.wait()).await.is_err() {
            anyhow::bail!("shutdown timed out: a component did not end within {} s", deadline.as_secs());
        }
        anyhow::ensure!(!self.failed.is_cancelled(), "a component failed; see the log above");
        tracing::info!("stopped");
        Ok(())
    }
}
