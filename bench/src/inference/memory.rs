//! The memory of an inference process: with one forest, and after many versions have replaced each other.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::Bench;
use super::compare::requests;
use super::contender::Running;
use super::pool::promote;
use super::protocol::{Protocol, version};
use crate::http::Connection;
use crate::load::pause;
use crate::report::{Goal, Section, TRAINYARD};
use crate::usage::Resident;

/// Versions that replace each other.
const VERSIONS: usize = 20;
const WARM_UP_REQUESTS: usize = 5_000;
/// The process returns free memory to the operating system within a second.
const PURGE_TIME: Duration = Duration::from_secs(2);
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
        the process has loaded before come from its disk cache. Anonymous: the heap, the stacks and changed data. File-backed: pages of \
        the binary and of libraries, which processes share. Measured two seconds after the last request."
    );
    let mut section = Section { title: "Memory", how, ..Section::default() };
    let (api, running) = (bench.pool.start_api()?, bench.pool.start()?);
    let measured = reload(bench, &running, api.port, reloads);
    running.stop();
    api.stop();
    let (one, reloaded) = measured?;
    let growth = (reloaded.all / one.all - 1.0) * 100.0;
    section.add(TRAINYARD, "RSS with one forest, MB", one.all);
    section.add(TRAINYARD, "of it anonymous, MB", one.anonymous);
    section.add(TRAINYARD, "of it file-backed, MB", one.file);
    section.add(TRAINYARD, "RSS after the reloads, MB", reloaded.all);
    section.add(TRAINYARD, "of it anonymous after the reloads, MB", reloaded.anonymous);
    section.add(TRAINYARD, "of it file-backed after the reloads, MB", reloaded.file);
    section.add(TRAINYARD, "growth, %", growth);
    section.goals = vec![
        Goal::at_most(format!("at most {MAX_RSS_MB} MB with one forest"), one.all, MAX_RSS_MB),
        Goal::at_most(format!("within {MAX_GROWTH_PERCENT} % after {reloads} reloads"), growth, MAX_GROWTH_PERCENT),
    ];
    Ok(section)
}

/// The memory before and after the reloads.
fn reload(bench: &Bench, running: &Running, api: u16, reloads: usize) -> anyhow::Result<(Resident, Resident)> {
    let requests = requests(Protocol::Objects, 1, bench.token());
    let (mut api, mut pool) = (Connection::open(api)?, Connection::open(running.port)?);
    warm_up(&mut pool, &requests)?;
    pause(PURGE_TIME);
    let one = running.resident();
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
    pause(PURGE_TIME);
    Ok((one, running.resident()))
}

fn warm_up(pool: &mut Connection, requests: &[Vec<u8>]) -> anyhow::Result<()> {
    for request in requests.iter().cycle().take(WARM_UP_REQUESTS) {
        let (status, _) = pool.call(request)?;
        ensure!(status == 200, "answered {status}");
    }
    Ok(())
}
