//! The export of spans to a collector: its counters, its log lines, its queue and its end.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

use std::sync::Mutex;
use std::time::{Duration, Instant};

use tracing_subscriber::fmt::MakeWriter as _;
use trainyard_telemetry::trace::{Endpoint, Pairs, flush, install};
use trainyard_telemetry::{Metrics, Span, TraceConfig, TraceParent};
use trainyard_testkit::{Receiver, Reply, default_settings, eventually};

static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());
const LIMIT: Duration = Duration::from_secs(30);

/// `ExportTraceServiceResponse { partial_success: Some(rejected_spans: 1) }` in protobuf.
const ONE_REJECTED: [u8; 4] = [0x0a, 2, 0x08, 1];

fn logged(message: &str) -> usize {
    String::from_utf8(LOG.lock().unwrap().clone()).unwrap().matches(message).count()
}

fn end_spans(count: usize) {
    (0..count).for_each(|_| drop(Span::begin(TraceParent::begin(), None, "span")));
}

#[tokio::test(flavor = "multi_thread")]
async fn batches_are_sent_counted_and_logged_without_blocking() {
    tracing_subscriber::fmt().with_writer(|| LOG.make_writer()).init();
    let (metrics, collector) = (Metrics::install().unwrap(), Receiver::start());
    let pairs = |text: &str| Pairs::try_from(text.to_owned()).unwrap();
    let config = TraceConfig {
        endpoint: Endpoint::try_from(collector.url("")).unwrap(),
        headers: pairs("authorization=Bearer%20hush"),
        resource_attributes: pairs("service.name=mine,team=ml"),
        queue_spans: 2,
        batch_spans: 2,
        batch_wait_ms: 600_000,
        ..default_settings("traces")
    };
    install(&config, "test").unwrap();
    let counted = async |name: &str, value: u64| {
        let line = format!("trainyard_traces_spans_{name} {value}\n");
        eventually(&line, LIMIT, async || metrics.render().contains(&line).then_some(())).await;
    };

    collector.reply([
        Reply::Status(204),
        Reply::Body(ONE_REJECTED.to_vec()),
        Reply::Header(307, "location", collector.url("/elsewhere")),
        Reply::Status(503),
        Reply::Status(200),
        Reply::Hang,
    ]);
    end_spans(2);
    counted("sent_total", 2).await;
    assert_eq!(collector.received()[0].header("authorization"), "Bearer hush");
    let resource = collector.spans().remove(0).resource;
    assert_eq!((resource["service.name"].as_str(), resource["team"].as_str()), ("mine", "ml"));
    assert_eq!(resource.len(), 4, "{resource:?}");

    end_spans(2);
    counted("sent_total", 3).await;
    counted("dropped_total{reason=\"rejected\"}", 1).await;
    for failed in [2, 4] {
        end_spans(2);
        counted("dropped_total{reason=\"export_failed\"}", failed).await;
    }
    assert_eq!(logged("the collector does not accept spans"), 1);
    assert_eq!(logged("status 307"), 1, "a redirect is not followed");
    end_spans(2);
    counted("sent_total", 5).await;

    end_spans(2);
    assert_eq!(collector.wait_for(6).await.len(), 6);
    assert_eq!(logged("the collector accepts spans again"), 1);
    let started = Instant::now();
    end_spans(5);
    counted("dropped_total{reason=\"queue_full\"}", 3).await;
    flush(Duration::from_millis(200));
    assert!((200..5_000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
    assert_eq!(logged("the last spans were not exported in time"), 1);
    assert_eq!(logged("hush"), 0);
}
