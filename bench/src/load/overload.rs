//! An open loop with a higher rate than the server can answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::{LEAD, Schedule, exchange, open_stream};

/// A request that was sent while the server is overloaded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Overloaded {
    /// From when the request was due to the response.
    pub(crate) since_due: Duration,
    /// From the sending to the response.
    pub(crate) since_sent: Duration,
    /// 0 for a connection that the server closed.
    pub(crate) status: u16,
}

/// The results of [`overload`].
#[derive(Debug, Default)]
pub(crate) struct Overload {
    pub(crate) answered: Vec<Overloaded>,
    /// Requests that no connection was free to send within the time that a client waits.
    pub(crate) unsent: u64,
}

/// Sends more requests than the server can answer, from one thread: `schedule.per_second` on as many connections as given.
/// A request waits for a free connection at most for `client_timeout`.
///
/// # Errors
/// If a connection can't be opened.
pub(crate) fn overload(
    port: u16,
    requests: &[Vec<u8>],
    schedule: Schedule,
    client_timeout: Duration,
) -> anyhow::Result<Overload> {
    let (requests, next) = (Arc::<[Vec<u8>]>::from(requests), Arc::default());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let start = Instant::now() + LEAD;
        let connection = |_| {
            let sender = Sender { schedule, client_timeout, start, next: Arc::clone(&next) };
            tokio::spawn(sender.run(port, requests.clone()))
        };
        let senders: Vec<_> = (0..schedule.connections).map(connection).collect();
        let mut all = Overload::default();
        for sender in senders {
            let one = sender.await??;
            all.answered.extend(one.answered);
            all.unsent += one.unsent;
        }
        Ok(all)
    })
}

/// One connection of [`overload`].
struct Sender {
    schedule: Schedule,
    client_timeout: Duration,
    start: Instant,
    /// The index of the next request, shared by all connections.
    next: Arc<AtomicUsize>,
}

impl Sender {
    async fn run(self, port: u16, requests: Arc<[Vec<u8>]>) -> anyhow::Result<Overload> {
        let total = (self.schedule.per_second * self.schedule.length.as_secs_f64()) as usize;
        let mut stream = open_stream(port).await?;
        let (mut received, mut done) = (Vec::with_capacity(8192), Overload::default());
        loop {
            let i = self.next.fetch_add(1, Ordering::Relaxed);
            if i >= total {
                return Ok(done);
            }
            let due_at = self.start + Duration::from_secs_f64(i as f64 / self.schedule.per_second);
            if due_at.elapsed() > self.client_timeout {
                done.unsent += 1;
                continue;
            }
            if due_at > Instant::now() {
                tokio::time::sleep_until(due_at.into()).await;
            }
            let sent = Instant::now();
            let head = exchange(&mut stream, &requests[i % requests.len()], &mut received).await;
            let (since_due, since_sent) = (due_at.elapsed(), sent.elapsed());
            let status = match head {
                Ok(head) => head.status,
                Err(_) => {
                    stream = open_stream(port).await?;
                    0
                }
            };
            done.answered.push(Overloaded { since_due, since_sent, status });
        }
    }
}
