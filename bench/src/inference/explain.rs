//! `explain`: the latency of a prediction with the contribution of each feature.

use std::time::Duration;

use super::Bench;
use super::protocol::{MODEL, objects};
use super::table;
use crate::http::request;
use crate::load::{Schedule, open_loop};
use crate::report::{Goal, Section, TRAINYARD};
use crate::stats::percentile_ms;

const CONNECTIONS: usize = 8;
const PER_SECOND: f64 = 100.0;
const P95: &str = "p95, ms";
const MAX_P95_MS: f64 = 5.0;

/// Measures only Trainyard.
///
/// # Errors
/// If Trainyard does not start, or a response is not a 200.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let length = Duration::from_secs(bench.sized(10, 4));
    let how = format!(
        "One row with `explain`, {PER_SECOND} requests per second for {} s on {CONNECTIONS} connections. Open loop: the latency \
        of a request begins when it is due.",
        length.as_secs()
    );
    let mut section = Section { title: "Explanations", how, ..Section::default() };
    let requests: Vec<_> = table::rows(2, 64)
        .chunks(1)
        .map(|row| {
            let mut body = objects(row, MODEL);
            body["explain"] = true.into();
            request("POST", "/inference", bench.token(), &body.to_string())
        })
        .collect();
    for _ in 0..bench.rounds() {
        let running = bench.pool.start()?;
        let latencies =
            open_loop(running.port, &requests, Schedule { connections: CONNECTIONS, per_second: PER_SECOND, length });
        running.stop();
        let latencies = latencies?;
        for (what, share) in [("p50, ms", 0.5), (P95, 0.95), ("p99, ms", 0.99)] {
            section.add(TRAINYARD, what, percentile_ms(&latencies, share));
        }
    }
    let p95 = section.median(TRAINYARD, P95);
    section.goals.extend(p95.map(|ms| Goal::at_most(format!("p95 at most {MAX_P95_MS} ms"), ms, MAX_P95_MS)));
    Ok(section)
}
