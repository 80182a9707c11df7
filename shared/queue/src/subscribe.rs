//! Listens to one Redis channel over a connection of its own, and connects again whenever that ends or falls silent.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
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

/// Notes from `channel`, read by `parse`; `connected` is yielded each time listening begins.
pub(crate) fn subscribe<T: Clone + Send + 'static>(
    streams: Arc<Streams>,
    channel: String,
    connected: Option<T>,
    parse: fn(&[u8]) -> Option<T>,
) -> Subscription<T> {
    let (notes, listener) = mpsc::channel(NOTES);
    tokio::spawn(async move {
        let gone = notes.clone();
        tokio::select! {
            () = listen(&streams, &channel, connected, parse, &notes) => {}
            () = gone.closed() => {}
        }
    });
    Subscription::redis(listener)
}

async fn listen<T: Clone>(
    streams: &Streams,
    channel: &str,
    connected: Option<T>,
    parse: fn(&[u8]) -> Option<T>,
    notes: &mpsc::Sender<T>,
) {
    let mut backoff = Backoff::default();
    loop {
        match connect(streams, channel).await {
            Ok((sink, stream)) => {
                backoff.succeeded();
                connected.iter().for_each(|note| push(notes, note.clone()));
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
