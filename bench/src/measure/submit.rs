//! Submissions: how many `POST /training` per second are answered 202.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::ensure;
use trainyard_testkit::{free_port, spawn_guarded};

use super::Bench;
use crate::http::request;
use crate::load::{Load, closed_loop};
use crate::process::{stop, wait_ready};
use crate::report::{Goal, Section, TRAINYARD};
use crate::route_only;
use crate::servers::sql;
use crate::stats::percentile_ms;
use crate::trainyard::{TRAINING_JOB, Trainyard};

const CONNECTIONS: usize = 64;
const ROUTE: &str = "Trainyard's route, without storage";
const ARQ: &str = "FastAPI + arq";
const BULLMQ: &str = "Fastify + BullMQ";
const RATE: &str = "202s/s";
/// The ratio from which two contenders count as equal: rounds of one contender differ by more.
const EQUAL_RATIO: f64 = 0.95;

/// Measures all contenders, interleaved.
///
/// # Errors
/// If a contender does not start or refuses a job.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section { title: "Submissions: API, database and queue", how: how(bench), ..Section::default() };
    for _ in 0..bench.rounds() {
        for (contender, run) in CONTENDERS.iter().filter(|(contender, _)| bench.selects(contender)) {
            let load = run(bench)?;
            section.add(contender, RATE, load.per_second);
            section.add(contender, "p50, ms", percentile_ms(&load.latencies_us, 0.5));
            section.add(contender, "p99, ms", percentile_ms(&load.latencies_us, 0.99));
        }
    }
    let goals = [
        (ARQ, 3.0, "3 × FastAPI + arq, with every 202 committed to the disk"),
        (BULLMQ, EQUAL_RATIO, "equal to Fastify + BullMQ (0.95 or more), with every 202 committed to the disk"),
    ];
    for (peer, least, what) in goals {
        section.goals.extend(section.ratio(TRAINYARD, peer, RATE).map(|ratio| Goal::at_least(what, ratio, least)));
    }
    Ok(section)
}

type Run = fn(&Bench) -> anyhow::Result<Load>;
const CONTENDERS: [(&str, Run); 4] = [(TRAINYARD, ours), (ROUTE, route), (ARQ, arq), (BULLMQ, bullmq)];

fn how(bench: &Bench) -> String {
    let (warm_up, length) = times(bench);
    format!(
        "Path: authentication, validation, commit, dispatch; no worker runs. `POST /training` in a closed loop on {CONNECTIONS} connections from one generator thread on the same machine, \
        {} s after {} s of warm-up. Every contender verifies an HS256 token and validates the same JSON \
        body, stores the job and answers 202 with its id. Trainyard: one `api` process with default settings (except the \
        limits on jobs), with access log and audit log; the job count in Postgres is compared with the 202s. arq: \
        uvicorn with 2 workers, uvloop and httptools; BullMQ: 2 Node.js processes; both without access log, and durable \
        only up to a second after the 202. The route without storage has the same route table, authentication, validation \
        and response, without database and queue.",
        length.as_secs(),
        warm_up.as_secs(),
    )
}

fn times(bench: &Bench) -> (Duration, Duration) {
    bench.sized((Duration::from_secs(2), Duration::from_secs(10)), (Duration::from_secs(1), Duration::from_secs(4)))
}

fn load(bench: &Bench, port: u16, token: &str) -> anyhow::Result<Load> {
    closed_loop(port, &[request("POST", "/training", token, TRAINING_JOB)], 202, CONNECTIONS, times(bench))
}

fn ours(bench: &Bench) -> anyhow::Result<Load> {
    let trainyard = Trainyard::install(&bench.binary, &bench.servers, &[])?;
    let api = trainyard.start("api")?;
    let load = load(bench, api.port, &trainyard.token(&api)?)?;
    let stored: u64 = sql(&trainyard.database, "SELECT count(*) FROM jobs")?.parse()?;
    ensure!(stored >= load.answered, "{} jobs were answered 202, but {stored} are stored", load.answered);
    api.stop();
    Ok(load)
}

fn route(bench: &Bench) -> anyhow::Result<Load> {
    let port = free_port();
    let log = tempfile::NamedTempFile::new()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["route-only", "--port", &port.to_string()]).stdout(Stdio::null()).stderr(log.reopen()?);
    let mut process = spawn_guarded(command, libc::SIGKILL);
    wait_ready(&mut process, port, log.path())?;
    let load = load(bench, port, &route_only::token()?);
    stop(process);
    load
}

fn arq(bench: &Bench) -> anyhow::Result<Load> {
    bench.servers.flush_redis()?;
    let peer = bench.peers.arq(&bench.servers)?;
    let load = load(bench, peer.port, &route_only::token()?);
    peer.stop();
    load
}

fn bullmq(bench: &Bench) -> anyhow::Result<Load> {
    bench.servers.flush_redis()?;
    let peer = bench.peers.bullmq(&bench.servers, false)?;
    let load = load(bench, peer.port, &route_only::token()?);
    peer.stop();
    load
}
