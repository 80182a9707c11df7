//! The export of spans: the SDK's batch processor, which has a bounded queue and a thread, and a client that sends the
//! batches. If the collector is slow or unavailable, spans are dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::trace::{SpanKind, TraceId};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{
    BatchConfigBuilder, BatchSpanProcessor, Sampler, SamplingDecision, ShouldSample, SpanData, SpanExporter,
    SpanProcessor,
};
use prost::Message as _;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use url::Url;

use super::{Pairs, TraceConfig};
use crate::TelemetryError;
use crate::catalogue::{TRACES_SPANS_DROPPED_TOTAL, TRACES_SPANS_SENT_TOTAL};

const VERSION: &str = env!("CARGO_PKG_VERSION");
/// Maximum size of a collector's response that is read.
const MAX_RESPONSE_BYTES: u64 = 64 << 10;

/// Queues finished spans for export.
#[derive(Debug)]
pub(super) struct Exporter {
    processor: BatchSpanProcessor,
    /// A permit for each free slot of the queue. The processor does not report the spans that it drops.
    slots: Arc<Semaphore>,
    sampler: Sampler,
    pub(super) scope: InstrumentationScope,
}

impl Exporter {
    pub(super) fn start(config: &TraceConfig, url: Url, service: &str) -> Result<Self, TelemetryError> {
        let slots = Arc::new(Semaphore::new(config.queue_spans));
        let batches = BatchConfigBuilder::default()
            .with_max_queue_size(config.queue_spans)
            .with_max_export_batch_size(config.batch_spans)
            .with_scheduled_delay(Duration::from_millis(config.batch_wait_ms));
        let processor =
            BatchSpanProcessor::new(BatchClient::new(config, url, service, slots.clone())?, batches.build());
        let scope = InstrumentationScope::builder("trainyard").with_version(VERSION).build();
        Ok(Self { processor, slots, sampler: Sampler::TraceIdRatioBased(config.ratio.0), scope })
    }

    pub(super) fn samples(&self, trace: TraceId) -> bool {
        let result = self.sampler.should_sample(None, trace, "", &SpanKind::Internal, &[], &[]);
        result.decision == SamplingDecision::RecordAndSample
    }

    pub(super) fn export(&self, span: SpanData) {
        match self.slots.try_acquire() {
            Ok(slot) => {
                slot.forget();
                self.processor.on_end(span);
            }
            Err(_) => count_dropped(1, "queue_full"),
        }
    }

    pub(super) fn shutdown(&self, limit: Duration) -> OTelSdkResult {
        self.processor.shutdown_with_timeout(limit)
    }
}

/// Posts batches to the collector.
#[derive(Debug)]
struct BatchClient {
    client: reqwest::Client,
    /// Never dropped: a runtime waits for its DNS lookups when it is dropped, which would delay the exit.
    runtime: &'static Runtime,
    url: Url,
    resource: ResourceAttributesWithSchema,
    slots: Arc<Semaphore>,
    /// Whether the last batch failed. A series of failures is logged once.
    failing: AtomicBool,
}

impl SpanExporter for BatchClient {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let count = batch.len();
        self.slots.add_permits(count);
        // The thread of the processor has no runtime.
        let result = self.runtime.block_on(self.post(batch));
        self.record(count as u64, result)
    }
}

impl BatchClient {
    fn new(config: &TraceConfig, url: Url, service: &str, slots: Arc<Semaphore>) -> Result<Self, TelemetryError> {
        trainyard_tls::install_provider();
        let client = reqwest::Client::builder()
            .user_agent(concat!("trainyard/", env!("CARGO_PKG_VERSION")))
            .timeout(Duration::from_millis(config.timeout_ms))
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers(&config.headers)?)
            .build()
            .map_err(TelemetryError::NoClient)?;
        // A thread of its own, which also notices between two batches that the collector closed the connection.
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("traces").enable_all().build();
        let runtime = Box::leak(Box::new(runtime.map_err(TelemetryError::NoRuntime)?));
        let resource = (&resource(service, &config.resource_attributes)).into();
        Ok(Self { client, runtime, url, resource, slots, failing: AtomicBool::new(false) })
    }

    /// Counts the spans of a batch, and logs when failures begin and end.
    fn record(&self, count: u64, result: Result<u64, String>) -> OTelSdkResult {
        let failed = self.failing.swap(result.is_err(), Ordering::Relaxed);
        match result {
            Ok(rejected) => {
                metrics::counter!(TRACES_SPANS_SENT_TOTAL).increment(count.saturating_sub(rejected));
                count_dropped(rejected, "rejected");
                if failed {
                    tracing::info!("the collector accepts spans again");
                }
                Ok(())
            }
            Err(error) => {
                count_dropped(count, "export_failed");
                if !failed {
                    tracing::warn!(error, "the collector does not accept spans; spans are dropped");
                }
                Err(OTelSdkError::InternalFailure(error))
            }
        }
    }

    /// Returns the number of spans that the collector rejected.
    async fn post(&self, spans: Vec<SpanData>) -> Result<u64, String> {
        let resource_spans = group_spans_by_resource_and_scope(spans, &self.resource);
        let body = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
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

/// The service, its version and instance, and the attributes of the settings, which override the former.
fn resource(service: &str, configured: &Pairs) -> Resource {
    let instance = uuid::Uuid::now_v7().to_string();
    let defaults = [("service.name", service), ("service.version", VERSION), ("service.instance.id", &instance)];
    let configured = configured.0.iter().map(|(key, value)| (key.as_str(), value.as_str()));
    let attributes = defaults.into_iter().chain(configured);
    let attributes = attributes.map(|(key, value)| KeyValue::new(key.to_owned(), value.to_owned()));
    Resource::builder_empty().with_attributes(attributes).build()
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
    use std::io::{Read as _, Write as _};
    use std::net::{Shutdown, TcpListener, TcpStream};
    use std::sync::mpsc;

    use trainyard_testkit::default_settings;

    use super::*;

    /// Answers one request, waits for `idle`, and closes the connection. Succeeds once the client has closed it as well.
    fn answer_and_close(mut socket: TcpStream, idle: &mpsc::Receiver<()>) -> std::io::Result<()> {
        let (mut request, mut bytes) = (Vec::new(), [0; 4_096]);
        while !request.windows(4).any(|end| end == b"\r\n\r\n") {
            let read = socket.read(&mut bytes)?;
            assert!(read > 0, "the client sends a request");
            request.extend_from_slice(&bytes[..read]);
        }
        socket.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        idle.recv().unwrap();
        socket.shutdown(Shutdown::Write)?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        // The rest of the request, and the end.
        std::io::copy(&mut socket, &mut std::io::sink()).map(drop)
    }

    #[test]
    fn a_connection_that_the_collector_closes_is_closed_between_two_batches() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = Url::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let ((closed, closes), (idle, is_idle)) = (mpsc::channel(), mpsc::channel());
        std::thread::spawn(move || {
            listener.incoming().try_for_each(|socket| closed.send(answer_and_close(socket.unwrap(), &is_idle)))
        });
        let slots = Arc::new(Semaphore::new(0));
        let client = BatchClient::new(&default_settings("traces"), url, "test", slots).unwrap();
        for _ in 0..3 {
            assert_eq!(client.runtime.block_on(client.post(Vec::new())), Ok(0));
            idle.send(()).unwrap();
            closes.recv().unwrap().expect("the client closes an idle connection that has ended");
        }
    }
}
