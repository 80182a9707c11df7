//! Listens to one Redis channel over a connection of its own, and connects again whenever that ends or falls silent.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use redis::RedisResult;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::backoff::Backoff;
use crate::link::{patience, too_slow};
use crate::push::Subscription;
use crate::streams::Streams;

/// Notes that a listener may fall behind before it loses new ones.
const NOTES: usize = 256;
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// A peer that went away without a word (a failover, a dropped route) shows only when asked.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_LIMIT: Duration = Duration::from_secs(2);

/// Yields the messages of `channel` that `parse` reads, and `connected` whenever a subscription begins.
pub(crate) fn subscribe<T: Clone + Send + Sync + 'static>(
    streams: Arc<Streams>,
    channel: String,
    connected: Option<T>,
    parse: fn(&[u8]) -> Option<T>,
) -> Subscription<T> {
    let (notes, listener) = mpsc::channel(NOTES);
    tokio::spawn(async move {
        tokio::select! {
            () = listen_always(&streams, &channel, connected.as_ref(), parse, &notes) => {}
            () = notes.closed() => {}
        }
    });
    Subscription::redis(listener)
}

/// Listens again after a panic, because the subscriber would otherwise wait for ever.
async fn listen_always<T: Clone>(
    streams: &Streams,
    channel: &str,
    connected: Option<&T>,
    parse: fn(&[u8]) -> Option<T>,
    notes: &mpsc::Sender<T>,
) {
    let mut backoff = Backoff::default();
    loop {
        let listening = AssertUnwindSafe(listen(streams, channel, connected, parse, notes));
        if listening.catch_unwind().await.is_err() {
            tracing::error!(channel, "the subscription panicked; subscribing again");
        }
        backoff.failed();
        tokio::time::sleep(backoff.delay()).await;
    }
}

async fn listen<T: Clone>(
    streams: &Streams,
    channel: &str,
    connected: Option<&T>,
    parse: fn(&[u8]) -> Option<T>,
    notes: &mpsc::Sender<T>,
) {
    let mut backoff = Backoff::default();
    loop {
        match connect(streams, channel).await {
            Ok((sink, stream)) => {
                backoff.succeeded();
                connected.into_iter().for_each(|note| push(notes, note.clone()));
                forward(sink, stream, parse, notes).await;
                tracing::debug!(channel, "the subscription ended; connecting again");
            }
            Err(error) => {
                if backoff.failed() == 1 {
                    tracing::warn!(channel, %error, "can't subscribe; trying until it works");
                }
                tokio::time::sleep(backoff.delay()).await;
            }
        }
    }
}

async fn connect(streams: &Streams, channel: &str) -> RedisResult<(PubSubSink, PubSubStream)> {
    let connecting = async {
        let mut pubsub = streams.place.find(&patience()).await?.get_async_pubsub().await?;
        pubsub.subscribe(channel).await?;
        Ok(pubsub.split())
    };
    timeout(CONNECT_LIMIT, connecting).await.unwrap_or_else(|_| Err(too_slow()))
}

/// Passes notes on until the connection ends or no longer answers.
async fn forward<T>(
    mut sink: PubSubSink,
    mut stream: PubSubStream,
    parse: fn(&[u8]) -> Option<T>,
    notes: &mpsc::Sender<T>,
) {
    loop {
        match timeout(PING_EVERY, stream.next()).await {
            Ok(Some(message)) => parse(message.get_payload_bytes()).into_iter().for_each(|note| push(notes, note)),
            Ok(None) => return,
            Err(_) => {
                if !matches!(timeout(PING_LIMIT, sink.ping::<redis::Value>()).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}

/// A full channel loses the note: its listener has others to work through, and the database tells it the rest.
fn push<T>(notes: &mpsc::Sender<T>, note: T) {
    let _ = notes.try_send(note);
}

#[cfg(test)]
mod tests {
    use trainyard_testkit::{redis, unique};

    use super::*;
    use crate::streams::RedisOptions;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_panic_does_not_end_a_subscription() {
        let streams = Arc::new(Streams::open(&redis().url(), &unique("queue"), RedisOptions::default()).unwrap());
        let channel = streams.key("numbers");
        let mut numbers = subscribe(Arc::clone(&streams), channel.clone(), Some(0), |text| {
            let number: i32 = std::str::from_utf8(text).ok()?.parse().ok()?;
            assert_ne!(number, 13, "a defect");
            Some(number)
        });
        let mut next = async || timeout(Duration::from_secs(15), numbers.next()).await.unwrap();
        assert_eq!(next().await, 0, "subscribed");
        streams.publish(&channel, "13").await.unwrap();
        assert_eq!(next().await, 0, "subscribed again");
        streams.publish(&channel, "7").await.unwrap();
        assert_eq!(next().await, 7);
    }
}
