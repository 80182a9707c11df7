//! Starting and stopping a process: one token that everything listens to, and a deadline behind it.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The life of one process: `stopping` is cancelled by SIGTERM, SIGINT, or the end of a part that must not end.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Cancelled when the process should stop.
    pub stopping: CancellationToken,
    parts: TaskTracker,
    failed: CancellationToken,
}

impl Lifecycle {
    /// A life that ends with SIGTERM or SIGINT. A second signal ends the process at once, for people who mean it.
    ///
    /// # Errors
    /// When the system refuses signal handlers.
    pub fn until_signalled() -> std::io::Result<Self> {
        let life = Self::default();
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let stopping = life.stopping.clone();
        tokio::spawn(async move {
            let mut next = async || {
                tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            };
            let name = next().await;
            tracing::info!(signal = name, "stopping; a second signal stops at once");
            stopping.cancel();
            next().await;
            std::process::exit(1);
        });
        Ok(life)
    }

    /// Runs a part of the process until it ends. When a part ends with an error, the whole process stops.
    pub fn run<F>(&self, name: &'static str, part: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let life = self.clone();
        let part = self.parts.spawn(part);
        self.parts.spawn(async move {
            let outcome = match part.await {
                Ok(outcome) => outcome,
                Err(died) => Err(died.into()),
            };
            if let Err(error) = outcome {
                tracing::error!(part = name, error = format!("{error:#}"), "a part of the process ended");
                life.failed.cancel();
            }
            // A worker that was told to run so many jobs ends by itself, and the process with it.
            life.stopping.cancel();
        });
    }

    /// Waits for every part to end once the process is stopping.
    ///
    /// # Errors
    /// When a part failed, or did not end within `deadline` after the stop began.
    pub async fn finish(self, deadline: Duration) -> anyhow::Result<()> {
        self.parts.close();
        self.stopping.cancelled().await;
        if tokio::time::timeout(deadline, self.parts.wait()).await.is_err() {
            anyhow::bail!("stopped hard: not everything ended within {} s", deadline.as_secs());
        }
        anyhow::ensure!(!self.failed.is_cancelled(), "a part of the process failed; see the log above");
        tracing::info!("stopped");
        Ok(())
    }
}
