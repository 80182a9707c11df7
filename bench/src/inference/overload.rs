//! Twice as many requests as the process can answer: how many are still answered in time, and how fast others are refused.

use std::time::Duration;

use anyhow::ensure;

use super::Bench;
use super::compare::{CONNECTIONS, requests};
use super::protocol::Protocol;
use crate::load::{Overload, Overloaded, Schedule, closed_loop, overload};
use crate::machine::CoreSet;
use crate::report::{Goal, Section};
use crate::stats::percentile_ms;

/// Rows per request, with the name in the report. Requests of 100 rows are processed on the threads for large requests.
const SIZES: [(usize, &str); 2] = [(10, "Trainyard, 10 rows"), (100, "Trainyard, 100 rows")];
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
/// If there is only one core, Trainyard does not start, or it answers with another error than a refusal.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let all = CoreSet::of_this_thread()?;
    let cores = all.each();
    let &[generator, server, ..] = cores.as_slice() else { anyhow::bail!("generator and server need a core each") };
    let length = Duration::from_secs(bench.sized(8, 4));
    let mut section = Section { title: "Overload", how: how(length), ..Section::default() };
    for (rows, name) in SIZES {
        for _ in 0..bench.rounds() {
            let running = bench.pool.start_on(server)?;
            generator.restrict_this_thread()?;
            let measured = one(bench, running.port, rows, length);
            all.restrict_this_thread()?;
            running.stop();
            let (peak, overload) = measured?;
            add(&mut section, name, peak, &overload, length);
        }
        add_goals(&mut section, rows, name);
    }
    Ok(section)
}

/// The peak in answers per second, and the overload after it.
fn one(bench: &Bench, port: u16, rows: usize, length: Duration) -> anyhow::Result<(f64, Overload)> {
    let requests = requests(Protocol::Objects, rows, bench.token());
    let peak = closed_loop(port, &requests, 200, CONNECTIONS, bench.closed_loop_times())?.per_second;
    ensure!(peak > 0.0, "no request was answered");
    let schedule = Schedule { connections: CLIENTS, per_second: FACTOR * peak, length };
    Ok((peak, overload(port, &requests, schedule, CLIENT_TIMEOUT)?))
}

fn add_goals(section: &mut Section, rows: usize, name: &str) {
    let share = section.median(name, GOODPUT_SHARE).map(|share| {
        let what = format!("{rows} rows: goodput at least {} % of the peak", MIN_GOODPUT_SHARE * 100.0);
        Goal::at_least(what, share, MIN_GOODPUT_SHARE)
    });
    let refusal = section.median(name, REFUSAL_P99).map(|ms| {
        Goal::at_most(format!("{rows} rows: 99 % of the refusals within {MAX_REFUSAL_MS} ms"), ms, MAX_REFUSAL_MS)
    });
    section.goals.extend(share.into_iter().chain(refusal));
}

fn how(length: Duration) -> String {
    format!(
        "The server has one core, and the generator another one. On shared cores the generator's own work for the refusals, which \
        real clients do on their machines, would reduce the goodput of the server. The peak is the throughput of the closed loop \
        on {CONNECTIONS} connections, just before. Then {FACTOR} × the peak are due for {} s, from one generator thread on \
        {CLIENTS} connections. Goodput: 200s per second that arrive within {} s after they were due. A refusal is a 429 or a 503; \
        its time is that from the sending of the request. Unsent: no connection was free within {} s. The generator counts no time \
        before a request was due.",
        length.as_secs(),
        CLIENT_TIMEOUT.as_secs(),
        CLIENT_TIMEOUT.as_secs(),
    )
}

fn add(section: &mut Section, name: &str, peak: f64, overload: &Overload, length: Duration) {
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
    section.add(name, "peak, 200s/s", peak);
    section.add(name, "due, requests/s", FACTOR * peak);
    section.add(name, "goodput, 200s/s", goodput);
    section.add(name, GOODPUT_SHARE, goodput / peak);
    section.add(name, "refused/s", per_second(refusals.len()));
    section.add(name, "unsent/s", overload.unsent as f64 / length.as_secs_f64());
    section.add(name, "other answers and closed connections", failed as f64);
    let answered = sorted(all.iter().filter(is_good).map(|request| micros(request.since_due)).collect());
    section.add(name, "latency of the goodput, p99, ms", percentile_ms(&answered, 0.99));
    if !refusals.is_empty() {
        let times = sorted(refusals.iter().map(|request| micros(request.since_sent)).collect());
        section.add(name, "time of refusals, p50, ms", percentile_ms(&times, 0.5));
        section.add(name, REFUSAL_P99, percentile_ms(&times, 0.99));
    }
}
