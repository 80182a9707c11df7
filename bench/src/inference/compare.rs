//! The parts that all contenders share: throughput, fixed rates, and several rows per request. In each round the contenders
//! are started and measured one after the other.

use std::collections::BTreeMap;
use std::time::Duration;

use super::contender::{Contender, Running};
use super::protocol::Protocol;
use super::table;
use super::{Bench, Part};
use crate::load::{Load, Schedule, closed_loop, open_loop};
use crate::report::{Goal, Section, TRAINYARD};
use crate::stats::{percentile, percentile_ms};

/// Connections of a closed loop.
pub(crate) const CONNECTIONS: usize = 64;
const RATE: &str = "answers/s";
const GENERATOR_SHARE: &str = "generator's share of the CPU time, %";
/// Different requests that are sent in a loop.
const REQUESTS: usize = 64;

/// Connections, and rows of the table for each rate.
const RATES: [(f64, usize, [&str; 3]); 2] = [
    (200.0, 16, ["200/s: p50, µs", "200/s: p99, µs", "200/s: p99.9, µs"]),
    (2_000.0, 32, ["2,000/s: p50, µs", "2,000/s: p99, µs", "2,000/s: p99.9, µs"]),
];
/// A contender is asked at a rate only if its throughput is so many times as high: otherwise its queue grows for as long
/// as the measurement takes.
const HEADROOM: f64 = 1.25;

const BATCHES: [(usize, [&str; 3]); 3] = [
    (1, ["1 row: answers/s", "1 row: p50, ms", "1 row: p99, ms"]),
    (10, ["10 rows: answers/s", "10 rows: p50, ms", "10 rows: p99, ms"]),
    (100, ["100 rows: answers/s", "100 rows: p50, ms", "100 rows: p99, ms"]),
];

/// Maximum length of the reason why a peer was left out, in characters.
const MAX_REASON: usize = 300;

/// The sections, and the peers that were left out with the reason.
#[derive(Debug)]
pub(crate) struct Compared {
    pub(crate) sections: Vec<Section>,
    pub(crate) left_out: BTreeMap<Contender, String>,
}

struct Sections {
    throughput: Section,
    rates: Section,
    batches: Section,
}

/// Measures the selected ones of the three parts.
///
/// # Errors
/// If Trainyard or the bare route can't be measured. A peer that can't be measured is left out.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Compared> {
    let mut sections = Sections {
        throughput: Section { title: "Throughput", how: how_throughput(bench), ..Section::default() },
        rates: Section { title: "Fixed rates", how: how_rates(bench), ..Section::default() },
        batches: Section { title: "Rows per request", how: how_batches(bench), ..Section::default() },
    };
    let mut left_out = BTreeMap::new();
    for _ in 0..bench.rounds() {
        for contender in Contender::ALL.into_iter().filter(|contender| bench.selects_contender(contender.name())) {
            if left_out.contains_key(&contender) {
                continue;
            }
            let measured = contender.start(bench).and_then(|running| {
                let measured = one(bench, contender, &running, &mut sections);
                running.stop();
                measured
            });
            match measured {
                Err(error) if contender.is_peer() => {
                    let reason: String = format!("{error:#}").replace('\n', " ").chars().take(MAX_REASON).collect();
                    eprintln!("  {} is left out: {reason}", contender.name());
                    left_out.insert(contender, reason);
                }
                measured => measured.map_err(|error| error.context(contender.name()))?,
            }
        }
    }
    let Sections { mut throughput, mut rates, batches } = sections;
    throughput.goals = throughput_goals(&throughput);
    rates.goals = rate_goals(&rates);
    let all = [(Part::Throughput, throughput), (Part::Rates, rates), (Part::Rows, batches)];
    let sections = all.into_iter().filter(|(part, _)| bench.has(*part)).map(|(_, section)| section).collect();
    Ok(Compared { sections, left_out })
}

fn one(bench: &Bench, contender: Contender, running: &Running, sections: &mut Sections) -> anyhow::Result<()> {
    let (name, protocol) = (contender.name(), contender.protocols()[0]);
    let requests = requests(protocol, 1, bench.token());
    if bench.has(Part::Throughput) || bench.has(Part::Rates) {
        let before = running.usage();
        let load = closed_loop(running.port, &requests, 200, CONNECTIONS, bench.closed_loop_times())?;
        let after = running.usage();
        if bench.has(Part::Throughput) {
            add_throughput(&mut sections.throughput, name, &load, after.cpu_s - before.cpu_s);
            sections.throughput.add(name, "RSS, MB", after.rss_mb);
        }
        let length = Duration::from_secs(bench.sized(6, 3));
        for (per_second, connections, [p50, p99, p999]) in RATES {
            if !bench.has(Part::Rates) || load.per_second < per_second * HEADROOM {
                continue;
            }
            let latencies = open_loop(running.port, &requests, Schedule { connections, per_second, length })?;
            for (what, share) in [(p50, 0.5), (p99, 0.99), (p999, 0.999)] {
                sections.rates.add(name, what, percentile(&latencies, share).into());
            }
        }
    }
    if bench.has(Part::Rows) {
        for protocol in contender.protocols() {
            add_batches(bench, contender, *protocol, running, &mut sections.batches)?;
        }
    }
    Ok(())
}

/// Requests of `per_request` rows each, which no model has learned from.
pub(crate) fn requests(protocol: Protocol, per_request: usize, token: &str) -> Vec<Vec<u8>> {
    protocol.requests(&table::rows(2, REQUESTS * per_request), per_request, token)
}

fn add_throughput(section: &mut Section, name: &str, load: &Load, server_cpu_s: f64) {
    section.add(name, RATE, load.per_second);
    for (what, share) in [("p50, ms", 0.5), ("p90, ms", 0.9), ("p99, ms", 0.99), ("p99.9, ms", 0.999)] {
        section.add(name, what, percentile_ms(&load.latencies_us, share));
    }
    section.add(name, "CPU per answer, µs", server_cpu_s * 1e6 / load.answered as f64);
    section.add(name, "generator's CPU per answer, µs", load.generator_cpu_s * 1e6 / load.answered as f64);
    section.add(name, GENERATOR_SHARE, 100.0 * load.generator_cpu_s / (load.generator_cpu_s + server_cpu_s));
}

fn add_batches(
    bench: &Bench,
    contender: Contender,
    protocol: Protocol,
    running: &Running,
    section: &mut Section,
) -> anyhow::Result<()> {
    let name = match (contender, protocol) {
        // The row that the ratios of the report refer to.
        (Contender::Trainyard, Protocol::Objects) => TRAINYARD.to_owned(),
        (contender, protocol) => format!("{}, {}", contender.name(), protocol.name()),
    };
    let times = bench.sized(
        (Duration::from_millis(500), Duration::from_secs(2)),
        (Duration::from_millis(250), Duration::from_secs(1)),
    );
    for (rows, [rate, p50, p99]) in BATCHES {
        let load = closed_loop(running.port, &requests(protocol, rows, bench.token()), 200, CONNECTIONS, times)?;
        section.add(&name, rate, load.per_second);
        section.add(&name, p50, percentile_ms(&load.latencies_us, 0.5));
        section.add(&name, p99, percentile_ms(&load.latencies_us, 0.99));
    }
    Ok(())
}

fn throughput_goals(section: &Section) -> Vec<Goal> {
    let goals = [
        (Contender::Bare, 0.85, "at least 85 % of the bare route"),
        (Contender::FastApiOnnx, 6.0, "at least 6 × FastAPI + ONNX Runtime"),
        (Contender::Triton, 12.0, "at least 12 × Triton with dynamic batching"),
    ];
    let goal = |(peer, least, what): (Contender, f64, &'static str)| {
        section.ratio(TRAINYARD, peer.name(), RATE).map(|ratio| Goal::at_least(what, ratio, least))
    };
    goals.into_iter().filter_map(goal).collect()
}

fn rate_goals(section: &Section) -> Vec<Goal> {
    let [(_, _, [p50, p99, _]), _] = RATES;
    let bare = Contender::Bare.name();
    let more = section.difference(TRAINYARD, bare, p50);
    let more = more.map(|us| Goal::at_most("p50 at 200/s: at most 100 µs more than the bare route", us, 100.0));
    let times = section.ratio(TRAINYARD, bare, p99);
    let times = times.map(|ratio| Goal::at_most("p99 at 200/s: at most 1.5 × the bare route", ratio, 1.5));
    more.into_iter().chain(times).collect()
}

fn how_throughput(bench: &Bench) -> String {
    let (warm_up, length) = bench.closed_loop_times();
    format!(
        "One row per request, in a closed loop on {CONNECTIONS} connections from one generator thread on the same machine, {} s \
        after {} s of warm-up, with {REQUESTS} different rows. Trainyard: one inference process with default settings, an access \
        token in each request, metrics and access log on (to a file). The bare route parses the same body with the same \
        parser on the same HTTP server and answers a constant, without authentication, model, metrics and log. The peers verify \
        no token and log no requests. FastAPI: uvicorn with a process per core, uvloop and httptools, Pydantic models. MLServer: \
        one process for HTTP and one for the model, adaptive batching. Triton: dynamic batching, ONNX Runtime behind PyTriton. \
        MLServer and Triton get the rows as V2 JSON, the others as JSON objects. The CPU time is that of all processes of a \
        contender, warm-up included; the generator uses the same cores, for all contenders alike.",
        length.as_secs_f64(),
        warm_up.as_secs_f64(),
    )
}

fn how_rates(bench: &Bench) -> String {
    format!(
        "One row per request at a fixed rate for {} s, in an open loop on 16 connections (200/s) or 32 connections (2,000/s): the \
        latency of a request begins when it is due, so a stall affects every delayed request. Contenders whose throughput is \
        below {HEADROOM} × the rate are not asked at this rate.",
        bench.sized(6, 3)
    )
}

fn how_batches(bench: &Bench) -> String {
    format!(
        "1, 10 and 100 rows per request in a closed loop on {CONNECTIONS} connections, {} s each. V2 JSON and V2 binary: the Open \
        Inference Protocol with one matrix of FP32 and the output predict_proba; binary in both directions. Trainyard without \
        a protocol: `POST /inference` with `features` or `instances`.",
        bench.sized(2, 1)
    )
}
