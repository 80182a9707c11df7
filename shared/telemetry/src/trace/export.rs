//! The export of spans: a bounded queue, and a thread that sends batches to the collector. If the collector is slow or
//! unavailable, spans are dropped and counted.

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

/// Maximum size of a collector's response that is read.
const MAX_RESPONSE_BYTES: u64 = 64 << 10;

/// Queues finished spans for export.
#[derive(Debug)]
pub(super) struct Exporter {
    queue: mpsc::Sender<Command>,
    /// A trace is sampled if its id, shifted right by one bit, is below this threshold.
    threshold: u64,
}

#[derive(Debug)]
enum Command {
    Export(Box<Span>),
    /// Reply when all earlier spans are exported.
    Flush(oneshot::Sender<()>),
}

impl Exporter {
    pub(super) fn start(config: &TraceConfig, url: Url, resource: Resource) -> Result<Self, TelemetryError> {
        trainyard_tls::install_provider();
        let client = reqwest::Client::builder()
            .user_agent(concat!("trainyard/", env!("CARGO_PKG_VERSION")))
            .timeout(Duration::from_millis(config.timeout_ms.max(1)))
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers(&config.headers)?)
            .build()
            .map_err(TelemetryError::NoClient)?;
        let (queue, receiver) = mpsc::channel(config.queue_spans.max(1));
        let client = BatchClient { client, url, resource, failing: false };
        let (max_batch, wait) = (config.batch_spans.max(1), Duration::from_millis(config.batch_wait_ms));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(TelemetryError::NoThread)?;
        let run = move || runtime.block_on(export_batches(receiver, client, max_batch, wait));
        std::thread::Builder::new().name("traces".into()).spawn(run).map_err(TelemetryError::NoThread)?;
        Ok(Self::new(queue, config.ratio.0))
    }

    fn new(queue: mpsc::Sender<Command>, ratio: f64) -> Self {
        // Beyond 2^53 an f64 is inexact; the error is far smaller than any useful ratio.
        Self { queue, threshold: (ratio * (1_u64 << 63) as f64) as u64 }
    }

    /// The sampling decision of OpenTelemetry's TraceIdRatioBased sampler.
    pub(super) fn samples(&self, trace_id: u128) -> bool {
        ((trace_id as u64) >> 1) < self.threshold
    }

    pub(super) fn export(&self, span: Span) {
        if self.queue.try_send(Command::Export(Box::new(span))).is_err() {
            count_dropped(1, "queue_full");
        }
    }

    pub(super) async fn flush(&self) {
        let (done, wait) = oneshot::channel();
        if self.queue.send(Command::Flush(done)).await.is_ok() {
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

/// Exports spans in batches of up to `max_batch`. The first span of a batch waits at most `wait` for the others.
async fn export_batches(
    mut receiver: mpsc::Receiver<Command>,
    mut client: BatchClient,
    max_batch: usize,
    wait: Duration,
) {
    while let Some(first) = receiver.recv().await {
        let (mut spans, mut flushed) = (Vec::new(), None);
        let mut next = Some(first);
        let pause = tokio::time::sleep(wait);
        tokio::pin!(pause);
        while let Some(command) = next {
            match command {
                Command::Export(span) => spans.push(*span),
                Command::Flush(done) => flushed = Some(done),
            }
            if spans.len() >= max_batch || flushed.is_some() {
                break;
            }
            next = tokio::select! {
                command = receiver.recv() => command,
                () = &mut pause => None,
            };
        }
        if !spans.is_empty() {
            client.export(spans).await;
        }
        if let Some(done) = flushed {
            let _ = done.send(());
        }
    }
}

/// Posts batches to the collector.
struct BatchClient {
    client: reqwest::Client,
    url: Url,
    resource: Resource,
    /// Whether the last batch failed. A series of failures is logged once.
    failing: bool,
}

impl BatchClient {
    async fn export(&mut self, spans: Vec<Span>) {
        let count = spans.len() as u64;
        match self.post(spans).await {
            Ok(rejected) => {
                metrics::counter!(TRACES_SPANS_SENT_TOTAL).increment(count.saturating_sub(rejected));
                count_dropped(rejected, "rejected");
                if std::mem::take(&mut self.failing) {
                    tracing::info!("the collector accepts spans again");
                }
            }
            Err(error) => {
                count_dropped(count, "export_failed");
                if !std::mem::replace(&mut self.failing, true) {
                    tracing::warn!(error, "the collector does not accept spans; spans are dropped");
                }
            }
        }
    }

    /// Returns the number of spans that the collector rejected.
    async fn post(&self, spans: Vec<Span>) -> Result<u64, String> {
        let body = otlp::request(&self.resource, spans).encode_to_vec();
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/x-protobuf").body(body);
        let response = request.send().await.map_err(|error| root_cause(&error))?;
        if !response.status().is_success() {
            return Err(format!("status {}", response.status()));
        }
        if !response.content_length().is_some_and(|length| (1..=MAX_RESPONSE_BYTES).contains(&length)) {
            return Ok(0);
        }
        let bytes = response.bytes().await.map_err(|error| root_cause(&error))?;
        let partial = ExportTraceServiceResponse::decode(bytes).ok().and_then(|response| response.partial_success);
        Ok(partial.and_then(|partial| u64::try_from(partial.rejected_spans).ok()).unwrap_or(0))
    }
}

/// The innermost cause. The outer messages of reqwest contain the whole URL.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    if error.is_timeout() { "the request timed out".to_owned() } else { cause.to_string() }
}

fn count_dropped(count: u64, reason: &'static str) {
    if count > 0 {
        metrics::counter!(TRACES_SPANS_DROPPED_TOTAL, "reason" => reason).increment(count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recorder::{SplitRecorder, VERSION_SERIES_IDLE};

    #[test]
    fn the_sampling_ratio_is_applied_to_the_trace_id() {
        let sampled = |ratio| {
            let exporter = Exporter::new(mpsc::channel(1).0, ratio);
            let ids = (0_u128..10_000).map(|i| (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835));
            ids.filter(|id| exporter.samples(*id)).count()
        };
        assert_eq!([sampled(0.0), sampled(1.0)], [0, 10_000]);
        assert!((2_300..2_700).contains(&sampled(0.25)), "{}", sampled(0.25));
    }

    #[test]
    fn spans_are_dropped_and_counted_if_the_queue_is_full() {
        let recorder = SplitRecorder::new(VERSION_SERIES_IDLE).unwrap();
        let (queue, mut receiver) = mpsc::channel(2);
        let exporter = Exporter::new(queue, 1.0);
        metrics::with_local_recorder(&recorder, || (0..5).for_each(|_| exporter.export(Span::default())));
        let text = recorder.renderer().text();
        assert!(text.contains("trainyard_traces_spans_dropped_total{reason=\"queue_full\"} 3"), "{text}");
        assert!(receiver.try_recv().is_ok() && receiver.try_recv().is_ok() && receiver.try_recv().is_err());
    }
}
