//! Versions are published while requests arrive: failures, answers of older versions, and the time until a version answers.

use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::Bench;
use super::compare::requests;
use super::pool::promote;
use super::protocol::{Protocol, version};
use crate::http::Connection;
use crate::load::{LEAD, Schedule, Scheduled, pause};
use crate::report::{Goal, Section, TRAINYARD};
use crate::stats::{median, percentile_ms};

const CONNECTIONS: usize = 32;
const PER_SECOND: f64 = 2_000.0;
/// The swaps of a burst follow each other in this interval.
const INTERVAL: Duration = Duration::from_millis(100);
const SWAPS_PER_BURST: usize = 10;
/// The time after a swap that counts as near.
const NEAR: Duration = Duration::from_secs(2);
/// The time from burst to burst: about half of it is near a swap.
const PERIOD: Duration = Duration::from_secs(6);
const MAX_VISIBLE_MS: f64 = 100.0;
const MAX_NEAR_RATIO: f64 = 1.5;

/// A version was published at this time after the start.
#[derive(Debug, Clone, Copy)]
struct Swap {
    version: u32,
    at: Duration,
}

/// The version in each answer; `None` for a request that failed.
type Answers = [Vec<Scheduled<Option<u32>>>];

/// Measures only Trainyard.
///
/// # Errors
/// If Trainyard does not start, a version can't be published, or a version never answers.
pub(crate) fn measure(bench: &mut Bench) -> anyhow::Result<Section> {
    let bursts = bench.sized(10, 2);
    let swaps = bursts * SWAPS_PER_BURST;
    bench.pool.train_versions(1 + swaps)?;
    let mut section = Section { title: "Publishing under load", how: how(swaps, bursts), ..Section::default() };
    let api = bench.pool.start_api()?;
    promote(&mut Connection::open(api.port)?, &bench.pool.promotion(1))?;
    let running = bench.pool.start()?;
    let promotions: Vec<_> = (2..).map(|version| bench.pool.promotion(version)).take(swaps).collect();
    let start = Instant::now() + LEAD;
    // The first burst comes when the connections are in use.
    let length = PERIOD * u32::try_from(bursts)? + PERIOD / 2;
    let publisher = std::thread::spawn(move || publish(api.port, start, &promotions).map(|swaps| (api, swaps)));
    let schedule = Schedule { connections: CONNECTIONS, per_second: PER_SECOND, length };
    let requests = requests(Protocol::Objects, 1, bench.token());
    let answers = schedule.run(start, running.port, &requests, |response| {
        Ok(response.ok().filter(|(status, _)| *status == 200).and_then(|(_, body)| version(body)))
    });
    let published = publisher.join().map_err(|_| anyhow!("the publishing thread panicked"))?;
    running.stop();
    let (api, published) = published?;
    api.stop();
    let answers = answers?;

    let (failed, outdated) = (failures(&answers), outdated(&answers));
    let visible = visible_ms(&published, &answers)?;
    let slowest = visible.iter().copied().fold(0.0, f64::max);
    let (near, elsewhere) = split(&published, &answers);
    let (near_p99, elsewhere_p99) = (percentile_ms(&near, 0.99), percentile_ms(&elsewhere, 0.99));
    section.add(TRAINYARD, "requests", answers.iter().map(Vec::len).sum::<usize>() as f64);
    section.add(TRAINYARD, "failed requests", failed as f64);
    section.add(TRAINYARD, "answers of an older version", outdated as f64);
    section.add(TRAINYARD, "published to visible, median, ms", median(&visible));
    section.add(TRAINYARD, "published to visible, slowest, ms", slowest);
    section.add(TRAINYARD, "p99 near swaps, ms", near_p99);
    section.add(TRAINYARD, "p99 elsewhere, ms", elsewhere_p99);
    section.goals = vec![
        Goal::at_most("no failed request", failed as f64, 0.0),
        Goal::at_most("no answer of an older version after a newer one", outdated as f64, 0.0),
        Goal::at_most(format!("visible within {MAX_VISIBLE_MS} ms"), slowest, MAX_VISIBLE_MS),
        Goal::at_most(
            format!("p99 near swaps: at most {MAX_NEAR_RATIO} × elsewhere"),
            near_p99 / elsewhere_p99,
            MAX_NEAR_RATIO,
        ),
    ];
    Ok(section)
}

fn how(swaps: usize, bursts: usize) -> String {
    format!(
        "{PER_SECOND} requests per second on {CONNECTIONS} connections in an open loop, while `production` moves to {swaps} new \
        versions of the model, in {bursts} bursts: {SWAPS_PER_BURST} swaps in intervals of {} ms every {} s. The versions were \
        trained before, so that training does not share the cores; the process has none of them in memory or in its disk cache. Published \
        to visible: from the sending of the request to the API until the arrival of the first answer of this version or of a \
        newer one. An answer of an older version counts if the same connection has seen a newer one before. Near: due within {} s \
        after a swap.",
        INTERVAL.as_millis(),
        PERIOD.as_secs(),
        NEAR.as_secs(),
    )
}

/// Moves `production` at the times of the schedule. Returns when each move was sent.
fn publish(port: u16, start: Instant, promotions: &[Vec<u8>]) -> anyhow::Result<Vec<Swap>> {
    let mut api = Connection::open(port)?;
    let mut swaps = Vec::with_capacity(promotions.len());
    for (version, promotion) in (2..).zip(promotions) {
        let (burst, of_burst) = (swaps.len() / SWAPS_PER_BURST, swaps.len() % SWAPS_PER_BURST);
        let due = PERIOD / 2 + PERIOD * u32::try_from(burst)? + INTERVAL * u32::try_from(of_burst)?;
        pause((start + due).saturating_duration_since(Instant::now()));
        let at = start.elapsed();
        promote(&mut api, promotion)?;
        swaps.push(Swap { version, at });
    }
    Ok(swaps)
}

fn failures(answers: &Answers) -> usize {
    answers.iter().flatten().filter(|request| request.answer.is_none()).count()
}

/// Answers of an older version than the newest one that the connection has seen.
fn outdated(answers: &Answers) -> usize {
    let of_connection = |requests: &Vec<Scheduled<Option<u32>>>| {
        let mut newest = 0;
        let is_outdated = |version: &u32| {
            newest = newest.max(*version);
            *version < newest
        };
        requests.iter().filter_map(|request| request.answer).filter(is_outdated).count()
    };
    answers.iter().map(of_connection).sum()
}

/// For each swap the time until the first answer of its version or of a newer one arrived.
fn visible_ms(swaps: &[Swap], answers: &Answers) -> anyhow::Result<Vec<f64>> {
    let arrivals = answers
        .iter()
        .flatten()
        .filter_map(|request| Some((request.answer?, request.due + Duration::from_micros(request.latency_us.into()))));
    let mut first = std::collections::BTreeMap::new();
    for (version, at) in arrivals {
        first.entry(version).and_modify(|earliest: &mut Duration| *earliest = at.min(*earliest)).or_insert(at);
    }
    let visible = |swap: &Swap| {
        let at = first.range(swap.version..).map(|(_, at)| *at).min();
        let at = at.with_context(|| format!("version {} never answered", swap.version))?;
        anyhow::Ok(at.saturating_sub(swap.at).as_secs_f64() * 1_000.0)
    };
    swaps.iter().map(visible).collect()
}

/// The latencies of requests near swaps, and of all others, in microseconds, sorted.
fn split(swaps: &[Swap], answers: &Answers) -> (Vec<u32>, Vec<u32>) {
    let is_near = |due: Duration| swaps.iter().any(|swap| due >= swap.at && due - swap.at <= NEAR);
    let (mut near, mut elsewhere) = (Vec::new(), Vec::new());
    for request in answers.iter().flatten() {
        if is_near(request.due) { &mut near } else { &mut elsewhere }.push(request.latency_us);
    }
    near.sort_unstable();
    elsewhere.sort_unstable();
    (near, elsewhere)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(due_ms: u64, latency_us: u32, answer: Option<u32>) -> Scheduled<Option<u32>> {
        Scheduled { due: Duration::from_millis(due_ms), latency_us, answer }
    }

    fn swap(version: u32, at_ms: u64) -> Swap {
        Swap { version, at: Duration::from_millis(at_ms) }
    }

    #[test]
    fn an_older_version_counts_on_the_connection_that_has_seen_a_newer_one() {
        let first = vec![request(0, 100, Some(1)), request(10, 100, Some(2)), request(20, 100, Some(1))];
        let second = vec![request(0, 100, Some(1)), request(15, 100, None), request(20, 100, Some(1))];
        assert_eq!((outdated(std::slice::from_ref(&first)), outdated(std::slice::from_ref(&second))), (1, 0));
        assert_eq!(failures(&[first, second]), 1);
    }

    #[test]
    fn a_version_is_visible_with_the_first_answer_of_this_or_a_newer_version() {
        let answers = [
            vec![request(100, 5_000, Some(2)), request(200, 1_000, Some(4))],
            vec![request(101, 1_000, Some(2)), request(210, 1_000, Some(3))],
        ];
        let visible = visible_ms(&[swap(2, 90), swap(3, 150), swap(4, 160)], &answers).unwrap();
        assert_eq!(visible, [12.0, 51.0, 41.0]);
        let error = visible_ms(&[swap(5, 100)], &answers).unwrap_err();
        assert_eq!(error.to_string(), "version 5 never answered");
    }

    #[test]
    fn latencies_are_split_by_the_time_since_a_swap() {
        let answers = [vec![request(50, 1, Some(1)), request(100, 2, Some(1)), request(2_100, 3, Some(2))]];
        assert_eq!(split(&[swap(2, 100)], &answers), (vec![2, 3], vec![1]));
    }
}
