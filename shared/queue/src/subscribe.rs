//! Subscribes to a Redis channel on a connection of its own, and reconnects when the connection ends or does not answer.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::{FutureExt, StreamExt};
use redis::RedisResult;
use redis::aio::{PubSubSink, PubSubStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use crate::backoff::Backoff;
use crate::connection::{connection_config, too_slow};
use crate::streams::Streams;
use crate::subscription::Subscription;

/// Messages buffered for a listener; new messages are lost beyond that.
const MAX_BUFFERED: usize = 256;
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// Only a ping detects a peer that is gone without closing the connection (a failover, a dropped route).
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_LIMIT: Duration = Duration::from_secs(2);

/// Yields the messages of `channel` that `parse` reads, and `connected` whenever a subscription begins.
pub(crate) fn subscribe<T: Clone + Send + Sync + 'static>(
    streams: Arc<Streams>,
    channel: String,
    connected: Option<T>,
    parse: fn(&[u8]) -> Option<T>,
) -> Subscription<T> {
    let (messages, listener) = mpsc::channel(MAX_BUFFERED);
    tokio::spawn(async move {
        tokio::select! {
            () = listen_always(&streams, &channel, connected.as_ref(), parse, &messages) => {}
            () = messages.closed() => {}
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
    messages: &mpsc::Sender<T>,
) {
    let mut backoff = Backoff::default();
    loop {
        let listening = AssertUnwindSafe(listen(streams, channel, connected, parse, messages));
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
    messages: &mpsc::Sender<T>,
) {
    let mut backoff = Backoff::default();
    loop {
        match connect(streams, channel).await {
            Ok((sink, stream)) => {
                backoff.succeeded();
                connected.into_iter().for_each(|message| push(messages, message.clone()));
                forward(sink, stream, parse, messages).await;
                tracing::debug!(channel, "the subscription ended; connecting again");
            }
            Err(error) => {
                if backoff.failed() == 1 {
                    tracing::warn!(channel, %error, "subscribing failed; retrying");
                }
                tokio::time::sleep(backoff.delay()).await;
            }
        }
    }
}

async fn connect(streams: &Streams, channel: &str) -> RedisResult<(PubSubSink, PubSubStream)> {
    let connecting = async {
        let mut pubsub = streams.endpoint.find(&connection_config()).await?.get_async_pubsub().await?;
        pubsub.subscribe(channel).await?;
        Ok(pubsub.split())
    };
    timeout(CONNECT_LIMIT, connecting).await.unwrap_or_else(|_| Err(too_slow()))
}

/// Forwards messages until the connection ends or does not answer a ping.
async fn forward<T>(
    mut sink: PubSubSink,
    mut stream: PubSubStream,
    parse: fn(&[u8]) -> Option<T>,
    messages: &mpsc::Sender<T>,
) {
    loop {
        match timeout(PING_EVERY, stream.next()).await {
            Ok(Some(message)) => {
                parse(message.get_payload_bytes()).into_iter().for_each(|message| push(messages, message))
            }
            Ok(None) => return,
            Err(_) => {
                if !matches!(timeout(PING_LIMIT, sink.ping::<redis::Value>()).await, Ok(Ok(_))) {
                    return;
                }
            }
        }
    }
}

/// A full buffer loses the message: the listener reads the database when it handles the buffered messages.
fn push<T>(messages: &mpsc::Sender<T>, message: T) {
    let _ = messages.try_send(message);
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
