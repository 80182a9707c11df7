//! Twice as many requests as the process can answer: how many are still answered in time, and how fast others are refused.

use std::time::Duration;

use super::Bench;
use super::compare::{CONNECTIONS, requests};
use super::protocol::Protocol;
use crate::load::{Overload, Overloaded, Schedule, closed_loop, overload};
use crate::report::{Goal, Section, TRAINYARD};
use crate::stats::percentile_ms;

/// With one row per request the generator would need more CPU time than the server, and could not overload it.
const ROWS: usize = 10;
const CLIENTS: usize = 512;
const FACTOR: f64 = 2.0;
/// An answer that arrives later is of no use.
const CLIENT_TIMEOUT: Duration = Duration::from_secs(1);
const REFUSED: [u16; 2] = [429, 503];
const GOODPUT_SHARE: &str = "goodput ÷ peak";
const REFUSAL_P99: &str = "time of refusals, p99, ms";
const MIN_GOODPUT_SHARE: f64 = 0.9;
const MAX_REFUSAL_MS: f64 = 10.0;

/// Measures only Trainyard.
///
/// # Errors
/// If Trainyard does not start, or answers with another error than a refusal.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let length = Duration::from_secs(bench.sized(8, 4));
    let mut section = Section { title: "Overload", how: how(length), ..Section::default() };
    let requests = requests(Protocol::Objects, ROWS, bench.token());
    for _ in 0..bench.rounds() {
        let running = bench.pool.start()?;
        let measured = closed_loop(running.port, &requests, 200, CONNECTIONS, bench.closed_loop_times());
        let measured = measured.and_then(|peak| {
            let schedule = Schedule { connections: CLIENTS, per_second: FACTOR * peak.per_second, length };
            Ok((peak.per_second, overload(running.port, &requests, schedule, CLIENT_TIMEOUT)?))
        });
        running.stop();
        let (peak, overload) = measured?;
        add(&mut section, peak, &overload, length);
    }
    let share = section.median(TRAINYARD, GOODPUT_SHARE);
    let share = share.map(|share| {
        Goal::at_least(
            format!("goodput at least {} % of the peak", MIN_GOODPUT_SHARE * 100.0),
            share,
            MIN_GOODPUT_SHARE,
        )
    });
    let refusal = section.median(TRAINYARD, REFUSAL_P99);
    let refusal =
        refusal.map(|ms| Goal::at_most(format!("99 % of the refusals within {MAX_REFUSAL_MS} ms"), ms, MAX_REFUSAL_MS));
    section.goals.extend(share.into_iter().chain(refusal));
    Ok(section)
}

fn how(length: Duration) -> String {
    format!(
        "{ROWS} rows per request, because with one row the generator on the same cores would need more CPU time than the server. \
        The peak is the throughput of the closed loop on {CONNECTIONS} connections, just before. Then {FACTOR} × the peak are \
        due for {} s, from one generator thread on {CLIENTS} connections. Goodput: 200s per second that arrive within {} s after \
        they were due. A refusal is a 429 or a 503; its time is that from the sending of the request. Unsent: no connection was \
        free within {} s. The generator counts no time before a request was due.",
        length.as_secs(),
        CLIENT_TIMEOUT.as_secs(),
        CLIENT_TIMEOUT.as_secs(),
    )
}

fn add(section: &mut Section, peak: f64, overload: &Overload, length: Duration) {
    let per_second = |count: usize| count as f64 / length.as_secs_f64();
    let all = &overload.answered;
    let is_good = |request: &&Overloaded| request.status == 200 && request.since_due <= CLIENT_TIMEOUT;
    let goodput = per_second(all.iter().filter(is_good).count());
    let refusals: Vec<_> = all.iter().filter(|request| REFUSED.contains(&request.status)).collect();
    let failed = all.iter().filter(|request| request.status != 200 && !REFUSED.contains(&request.status)).count();
    let sorted = |mut times: Vec<u32>| {
        times.sort_unstable();
        times
    };
    let micros = |time: Duration| u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
    section.add(TRAINYARD, "peak, 200s/s", peak);
    section.add(TRAINYARD, "due, requests/s", FACTOR * peak);
    section.add(TRAINYARD, "goodput, 200s/s", goodput);
    section.add(TRAINYARD, GOODPUT_SHARE, goodput / peak);
    section.add(TRAINYARD, "refused/s", per_second(refusals.len()));
    section.add(TRAINYARD, "unsent/s", overload.unsent as f64 / length.as_secs_f64());
    section.add(TRAINYARD, "other answers and closed connections", failed as f64);
    let answered = sorted(all.iter().filter(is_good).map(|request| micros(request.since_due)).collect());
    section.add(TRAINYARD, "latency of the goodput, p99, ms", percentile_ms(&answered, 0.99));
    if !refusals.is_empty() {
        let times = sorted(refusals.iter().map(|request| micros(request.since_sent)).collect());
        section.add(TRAINYARD, "time of refusals, p50, ms", percentile_ms(&times, 0.5));
        section.add(TRAINYARD, REFUSAL_P99, percentile_ms(&times, 0.99));
    }
}
