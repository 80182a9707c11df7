//! Starting and stopping a process: one token that everything listens to, one for listeners, which close a little later,
//! and a deadline behind both.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The life of one process: `stopping` is cancelled by SIGTERM, SIGINT, or the end of a part that must not end.
#[derive(Debug, Clone, Default)]
pub struct Lifecycle {
    /// Cancelled when the process should stop.
    pub stopping: CancellationToken,
    /// Cancelled when no new connection should be taken any more: after a signal some time later, so that whoever sends
    /// requests here has heard of the stop.
    pub closing: CancellationToken,
    parts: TaskTracker,
    failed: CancellationToken,
}

impl Lifecycle {
    /// A life that ends with SIGTERM or SIGINT, and closes `drain_delay` later. A second signal ends the process at once, for people who mean it.
    ///
    /// # Errors
    /// When the system refuses signal handlers.
    pub fn until_signalled(drain_delay: Duration) -> std::io::Result<Self> {
        let life = Self::default();
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let (stopping, closing) = (life.stopping.clone(), life.closing.clone());
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
            let close = async {
                tokio::time::sleep(drain_delay).await;
                closing.cancel();
                std::future::pending().await
            };
            tokio::select! {
                () = close => {}
                _ = next() => {}
            }
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
            if !life.stopping.is_cancelled() {
                life.stopping.cancel();
                life.closing.cancel();
            }
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
