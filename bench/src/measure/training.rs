//! Training jobs of about a millisecond: throughput of one worker process, from claim to published model.

use std::time::Duration;

use anyhow::ensure;

use super::Bench;
use crate::report::{Section, TRAINYARD};
use crate::servers::sql;
use crate::trainyard::Trainyard;

const LIMIT: Duration = Duration::from_secs(60);
const RATE: &str = "jobs/s";
const TIME: &str = "ms per job";
const CLAIM_TO_SUCCESS: &str = "claim to success, p50, ms";
const TRAINING: &str = "of that in training, mean, ms";
/// Further jobs in the queue, so that every slot is busy until the last measured job has finished.
const BEHIND: u64 = 50;
const DATASET: &str = "tiny";
const ROWS: usize = 60;
const JOB: &str = r#"{"name":"bench","algorithm":"random_forest","features":["length","width"],"dataset":"tiny","target":"kind","params":{"n_trees":20}}"#;

/// Peers whose handler keeps the CPU busy for a millisecond, with the script of each.
const PEERS: [(&str, &str); 2] = [("BullMQ, 1 ms busy loop", "bullmq/spin.js"), ("arq, 1 ms busy loop", "arq/spin.py")];

/// Measures all contenders, interleaved.
///
/// # Errors
/// If a contender does not start or does not finish the jobs.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let (jobs, peer_jobs) = (bench.sized(400, 200), bench.sized(2_000, 1_000));
    let slots = std::thread::available_parallelism()?.get();
    let how = how(jobs, peer_jobs, slots);
    let mut section = Section { title: "Training jobs of 1 ms: the whole path", how, ..Section::default() };
    for _ in 0..bench.rounds() {
        if bench.selects(TRAINYARD) {
            ours(bench, jobs, slots, &mut section)?;
        }
        for (name, script) in PEERS.into_iter().filter(|(name, _)| bench.selects(name)) {
            let rate = theirs(bench, script, peer_jobs)?;
            section.add(name, RATE, rate);
            section.add(name, TIME, 1000.0 / rate);
        }
    }
    Ok(section)
}

fn how(jobs: u64, peer_jobs: u64, slots: usize) -> String {
    format!(
        "Path: claim, fetch, training process, upload, publish. The jobs are stored while no worker runs; then one worker \
        process starts. The rate is that of the first {jobs} jobs ({peer_jobs} for the peers) from claim to success, without \
        the first tenth; ms per job is 1000 divided by the rate. Trainyard: {slots} slots, one per core; each job trains a \
        random forest of 20 trees on {ROWS} rows and two columns, in a process of its own with the default sandbox, and \
        publishes a model version to local files and Postgres. The peers start no process and publish nothing: their handler \
        keeps the CPU busy for 1 ms in one process with 64 concurrent jobs. The difference is the price of an isolated process \
        and of a published model, not of the queue."
    )
}

fn ours(bench: &Bench, jobs: u64, slots: usize, section: &mut Section) -> anyhow::Result<()> {
    let slots = slots.to_string();
    let settings = [("TRAINYARD__WORKER__CONCURRENCY", slots.as_str()), ("TRAINYARD__SWEEP__DISPATCH_WINDOW", "1000")];
    let trainyard = Trainyard::install(&bench.binary, &bench.servers, &settings)?;
    trainyard.upload(DATASET, &csv())?;
    trainyard.fill(JOB, jobs + BEHIND, &[])?;
    let (worker, counted) = trainyard.start_counted()?;
    let rate = counted.progress().rate(jobs as f64, LIMIT);
    worker.stop();
    let (counted_jobs, published) = (counted.stop(), trainyard.published()?);
    let rate = rate?;
    ensure!(published >= counted_jobs, "the worker counted {counted_jobs} jobs, but {published} published a model");
    section.add(TRAINYARD, RATE, rate);
    section.add(TRAINYARD, TIME, 1000.0 / rate);
    let number = |query: &str| anyhow::Ok(sql(&trainyard.database, query)?.parse::<f64>()?);
    let claim_to_success =
        "SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM finished_at - started_at))
        * 1000 FROM jobs WHERE status = 'succeeded'";
    section.add(TRAINYARD, CLAIM_TO_SUCCESS, number(claim_to_success)?);
    let training = "SELECT avg(substring(line->>'message' FROM '^training took ([0-9.]+) s$')::float8) * 1000
        FROM job_logs, jsonb_array_elements(lines) AS line";
    section.add(TRAINYARD, TRAINING, number(training)?);
    Ok(())
}

fn theirs(bench: &Bench, script: &str, jobs: u64) -> anyhow::Result<f64> {
    bench.servers.flush_redis()?;
    bench.peers.preload(script, &bench.servers, &[], jobs + BEHIND)?;
    let worker = bench.peers.drain(script, &bench.servers, &[])?;
    let rate = worker.progress().rate(jobs as f64, LIMIT);
    worker.stop();
    rate
}

/// Two classes that two numbers separate.
fn csv() -> String {
    let rows =
        (0..ROWS).map(|row| format!("{row},{},{}\n", row * 7 % ROWS, if row < ROWS / 2 { "short" } else { "long" }));
    std::iter::once("length,width,kind\n".to_owned()).chain(rows).collect()
}
