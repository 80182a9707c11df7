//! The memory of an inference process: with one forest, and after many versions have replaced each other.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::Bench;
use super::compare::requests;
use super::contender::Running;
use super::pool::promote;
use super::protocol::{Protocol, version};
use crate::http::Connection;
use crate::report::{Goal, Section, TRAINYARD};

/// Versions that replace each other.
const VERSIONS: usize = 20;
const WARM_UP_REQUESTS: usize = 5_000;
const VISIBLE_LIMIT: Duration = Duration::from_secs(5);
const MAX_RSS_MB: f64 = 20.0;
const MAX_GROWTH_PERCENT: f64 = 5.0;

/// Measures only Trainyard.
///
/// # Errors
/// If Trainyard does not start, or a version does not become visible.
pub(crate) fn measure(bench: &mut Bench) -> anyhow::Result<Section> {
    let reloads = bench.sized(1_000, 100);
    bench.pool.train_versions(VERSIONS)?;
    let how = format!(
        "RSS of one inference process that has one forest and has answered {WARM_UP_REQUESTS} requests; and after `production` has \
        moved {reloads} times between {VERSIONS} versions, each of which was loaded and has answered before the next one. Versions that \
        the process has loaded before come from its disk cache."
    );
    let mut section = Section { title: "Memory", how, ..Section::default() };
    let (api, running) = (bench.pool.start_api()?, bench.pool.start()?);
    let measured = reload(bench, &running, api.port, reloads);
    running.stop();
    api.stop();
    let (one, reloaded) = measured?;
    let growth = (reloaded / one - 1.0) * 100.0;
    section.add(TRAINYARD, "RSS with one forest, MB", one);
    section.add(TRAINYARD, "RSS after the reloads, MB", reloaded);
    section.add(TRAINYARD, "growth, %", growth);
    section.goals = vec![
        Goal::at_most(format!("at most {MAX_RSS_MB} MB with one forest"), one, MAX_RSS_MB),
        Goal::at_most(format!("within {MAX_GROWTH_PERCENT} % after {reloads} reloads"), growth, MAX_GROWTH_PERCENT),
    ];
    Ok(section)
}

/// The RSS before and after the reloads, in megabytes.
fn reload(bench: &Bench, running: &Running, api: u16, reloads: usize) -> anyhow::Result<(f64, f64)> {
    let requests = requests(Protocol::Objects, 1, bench.token());
    let (mut api, mut pool) = (Connection::open(api)?, Connection::open(running.port)?);
    warm_up(&mut pool, &requests)?;
    let one = running.usage().rss_mb;
    for reload in 0..reloads {
        let expected = 1 + (reload + 1) % VERSIONS;
        promote(&mut api, &bench.pool.promotion(expected))?;
        let deadline = Instant::now() + VISIBLE_LIMIT;
        loop {
            let (status, body) = pool.call(&requests[reload % requests.len()])?;
            ensure!(status == 200, "answered {status}");
            if version(body) == u32::try_from(expected).ok() {
                break;
            }
            ensure!(Instant::now() < deadline, "version {expected} was not visible within {VISIBLE_LIMIT:?}");
        }
    }
    warm_up(&mut pool, &requests)?;
    Ok((one, running.usage().rss_mb))
}

fn warm_up(pool: &mut Connection, requests: &[Vec<u8>]) -> anyhow::Result<()> {
    for request in requests.iter().cycle().take(WARM_UP_REQUESTS) {
        let (status, _) = pool.call(request)?;
        ensure!(status == 200, "answered {status}");
    }
    Ok(())
}
