//! The metric series of requests. Each thread keeps the handles of the series that it has used, because a lookup allocates and
//! hashes all labels. These series never expire, so a handle stays valid. Their number is limited: routes come from the
//! route table, and methods and statuses have few values.

use std::cell::RefCell;
use std::collections::HashMap;

use metrics::{Counter, Gauge, Histogram};
use trainyard_telemetry::Metrics;
use trainyard_telemetry::catalogue::{HTTP_REQUEST_DURATION_SECONDS, HTTP_REQUESTS_IN_FLIGHT, HTTP_REQUESTS_TOTAL};

thread_local! {
    static SERIES: RefCell<Series> = RefCell::default();
}

/// The handles of one thread.
#[derive(Default)]
struct Series {
    in_flight: Option<Gauge>,
    by_route: HashMap<Box<str>, Vec<Outcome>>,
}

/// The series of the requests to one route that have the same method and status.
struct Outcome {
    method: &'static str,
    status: u16,
    requests: Counter,
    duration: Histogram,
}

/// Counts a request as in flight.
pub(super) fn begin_request() {
    with_series(|series| series.in_flight().increment(1.0));
}

/// Counts a request as no longer in flight.
pub(super) fn end_request() {
    with_series(|series| series.in_flight().decrement(1.0));
}

/// Counts a response, and the time in seconds until it.
pub(super) fn record(method: &'static str, route: &str, status: u16, elapsed: f64) {
    with_series(|series| {
        let outcome = series.outcome(method, route, status);
        outcome.requests.increment(1);
        outcome.duration.record(elapsed);
    });
}

/// Without a recorder there is nothing to record, and the handles would stay without effect.
fn with_series(work: impl FnOnce(&mut Series)) {
    if Metrics::is_installed() {
        // While a thread ends, its handles may already be gone.
        let _ = SERIES.try_with(|series| work(&mut series.borrow_mut()));
    }
}

impl Series {
    fn in_flight(&mut self) -> &Gauge {
        self.in_flight.get_or_insert_with(|| metrics::gauge!(HTTP_REQUESTS_IN_FLIGHT))
    }

    fn outcome(&mut self, method: &'static str, route: &str, status: u16) -> &Outcome {
        let is_same = |one: &Outcome| one.method == method && one.status == status;
        let known = self.by_route.get(route).and_then(|outcomes| outcomes.iter().position(is_same));
        // The name of the route is copied only for a new series.
        let index = known.unwrap_or_else(|| {
            let outcomes = self.by_route.entry(route.into()).or_default();
            outcomes.push(Outcome::look_up(method, route, status));
            outcomes.len() - 1
        });
        &self.by_route[route][index]
    }
}

impl Outcome {
    fn look_up(method: &'static str, route: &str, status: u16) -> Self {
        let route = route.to_owned();
        let text = status.to_string();
        let requests =
            metrics::counter!(HTTP_REQUESTS_TOTAL, "method" => method, "route" => route.clone(), "status" => text);
        let duration = metrics::histogram!(HTTP_REQUEST_DURATION_SECONDS, "method" => method, "route" => route);
        Self { method, status, requests, duration }
    }
}
