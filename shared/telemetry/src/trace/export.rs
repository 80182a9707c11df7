//! The way to the collector: a bounded queue, and a thread with a runtime of its own that empties it in batches. A
//! collector that is slow, away or unwilling costs spans, which are counted, and nothing else.

use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::{mpsc, oneshot};
use url::Url;

use super::{Pairs, TraceConfig, otlp};
use crate::TelemetryError;
use crate::catalogue::{TRACES_SPANS_DROPPED_TOTAL, TRACES_SPANS_SENT_TOTAL};

/// Most of a collector's answer that is read.
const MAX_ANSWER_BYTES: u64 = 64 << 10;

/// Takes spans that have ended.
#[derive(Debug)]
pub(super) struct Exporter {
    queue: mpsc::Sender<Order>,
    /// Traces whose id, in its last 63 bits, lies below this are kept.
    threshold: u64,
}

#[derive(Debug)]
enum Order {
    Send(Box<Span>),
    /// Answer when everything before it is sent.
    Flush(oneshot::Sender<()>),
}

impl Exporter {
    pub(super) fn start(config: &TraceConfig, url: Url, resource: Resource) -> Result<Self, TelemetryError> {
        let client = reqwest::Client::builder()
            .user_agent(concat!("trainyard/", env!("CARGO_PKG_VERSION")))
            .timeout(Duration::from_millis(config.timeout_ms.max(1)))
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers(&config.headers)?)
            .build()
            .map_err(TelemetryError::NoClient)?;
        let (queue, inbox) = mpsc::channel(config.queue_spans.max(1));
        let sender = Sender { client, url, resource, failing: false };
        let (most, wait) = (config.batch_spans.max(1), Duration::from_millis(config.batch_wait_ms));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(TelemetryError::NoThread)?;
        let work = move || runtime.block_on(work(inbox, sender, most, wait));
        std::thread::Builder::new().name("traces".into()).spawn(work).map_err(TelemetryError::NoThread)?;
        Ok(Self::new(queue, config.ratio.0))
    }

    fn new(queue: mpsc::Sender<Order>, ratio: f64) -> Self {
        // Past 2^53 a float has gaps, which no share of traces is fine enough to fall into.
        Self { queue, threshold: (ratio * (1_u64 << 63) as f64) as u64 }
    }

    /// Whether a trace with this id is kept, by the rule that every OpenTelemetry process decides by.
    pub(super) fn samples(&self, trace: u128) -> bool {
        ((trace as u64) >> 1) < self.threshold
    }

    pub(super) fn send(&self, span: Span) {
        if self.queue.try_send(Order::Send(Box::new(span))).is_err() {
            dropped(1, "queue_full");
        }
    }

    pub(super) async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.queue.send(Order::Flush(done)).await.is_ok() {
            let _ = wait.await;
        }
    }
}

fn headers(pairs: &Pairs) -> Result<HeaderMap, TelemetryError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &pairs.0 {
        let parsed = HeaderName::try_from(name.as_str()).ok().zip(HeaderValue::try_from(value.as_str()).ok());
        let (parsed_name, mut value) = parsed.ok_or_else(|| TelemetryError::BadHeader(name.clone()))?;
        value.set_sensitive(true);
        headers.insert(parsed_name, value);
    }
    Ok(headers)
}

/// Sends what comes, up to `most` spans together; the first of them waits no longer than `wait` for the others.
async fn work(mut inbox: mpsc::Receiver<Order>, mut sender: Sender, most: usize, wait: Duration) {
    while let Some(first) = inbox.recv().await {
        let (mut spans, mut waiting) = (Vec::new(), None);
        let mut next = Some(first);
        let pause = tokio::time::sleep(wait);
        tokio::pin!(pause);
        while let Some(order) = next {
            match order {
                Order::Send(span) => spans.push(*span),
                Order::Flush(done) => waiting = Some(done),
            }
            if spans.len() >= most || waiting.is_some() {
                break;
            }
            next = tokio::select! {
                order = inbox.recv() => order,
                () = &mut pause => None,
            };
        }
        if !spans.is_empty() {
            sender.send(spans).await;
        }
        if let Some(done) = waiting {
            let _ = done.send(());
        }
    }
}

/// Posts batches.
struct Sender {
    client: reqwest::Client,
    url: Url,
    resource: Resource,
    /// Whether the last batch failed: told once, not with each.
    failing: bool,
}

impl Sender {
    async fn send(&mut self, spans: Vec<Span>) {
        let count = spans.len() as u64;
        match self.post(spans).await {
            Ok(rejected) => {
                metrics::counter!(TRACES_SPANS_SENT_TOTAL).increment(count.saturating_sub(rejected));
                dropped(rejected, "rejected");
                if std::mem::take(&mut self.failing) {
                    tracing::info!("the collector takes spans again");
                }
            }
            Err(error) => {
                dropped(count, "export_failed");
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(error, "the collector does not take spans; they are dropped until it does");
                }
            }
        }
    }

    /// Answers how many of them the collector threw away.
    async fn post(&self, spans: Vec<Span>) -> Result<u64, String> {
        let body = otlp::request(&self.resource, spans).encode_to_vec();
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/x-protobuf").body(body);
        let answer = request.send().await.map_err(|error| explain(&error))?;
        if !answer.status().is_success() {
            return Err(format!("answered {}", answer.status()));
        }
        if !answer.content_length().is_some_and(|length| (1..=MAX_ANSWER_BYTES).contains(&length)) {
            return Ok(0);
        }
        let bytes = answer.bytes().await.map_err(|error| explain(&error))?;
        let told = ExportTraceServiceResponse::decode(bytes).ok().and_then(|answer| answer.partial_success);
        Ok(told.and_then(|part| u64::try_from(part.rejected_spans).ok()).unwrap_or(0))
    }
}

/// What went wrong, in the words of its first cause: reqwest's own name the whole URL.
fn explain(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.is_timeout() { "no answer in time".to_owned() } else { cause.to_string() }
}

fn dropped(count: u64, reason: &'static str) {
    if count > 0 {
        metrics::counter!(TRACES_SPANS_DROPPED_TOTAL, "reason" => reason).increment(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::{Split, VERSION_SERIES_IDLE};

    #[test]
    fn a_share_of_the_traces_is_kept_and_each_process_keeps_the_same() {
        let kept = |ratio| {
            let exporter = Exporter::new(mpsc::channel(1).0, ratio);
            let ids = (0_u128..10_000).map(|i| (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
            ids.filter(|id| exporter.samples(*id)).count()
        };
        assert_eq!([kept(0.0), kept(1.0)], [0, 10_000]);
        assert!((2_300..2_700).contains(&kept(0.25)), "{}", kept(0.25));
    }

    #[test]
    fn what_finds_no_room_is_dropped_and_counted() {
        let split = Split::new(VERSION_SERIES_IDLE).unwrap();
        let (queue, mut inbox) = mpsc::channel(2);
        let exporter = Exporter::new(queue, 1.0);
        metrics::with_local_recorder(&split, || (0..5).for_each(|_| exporter.send(Span::default())));
        let text = split.rendering().text();
        assert!(text.contains("trainyard_traces_spans_dropped_total{reason=\"queue_full\"} 3"), "{text}");
        assert!(inbox.try_recv().is_ok() && inbox.try_recv().is_ok() && inbox.try_recv().is_err());
    }
}
