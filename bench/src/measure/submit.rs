//! Submissions: how many `POST /training` are answered 202 in a second.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::ensure;
use trainyard_testkit::{free_port, spawn_tied};

use super::Bench;
use crate::http::request;
use crate::load::{Load, closed_loop};
use crate::process::{stop, wait_ready};
use crate::report::{Goal, OURS, Section};
use crate::route_only;
use crate::servers::sql;
use crate::stats::percentile_ms;
use crate::trainyard::{TRAINING_JOB, Trainyard};

const CONNECTIONS: usize = 64;
const ROUTE: &str = "Trainyard's route, nothing stored";
const ARQ: &str = "FastAPI + arq";
const BULLMQ: &str = "Fastify + BullMQ";
const RATE: &str = "202s/s";
/// The ratio from which on two count as level: rounds of one contender differ by more.
const LEVEL: f64 = 0.95;

/// Measures all contenders, interleaved.
///
/// # Errors
/// When a contender does not start, or refuses.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let mut section = Section { title: "Submissions", how: how(bench), ..Section::default() };
    for _ in 0..bench.rounds() {
        for (contender, run) in CONTENDERS.iter().filter(|(contender, _)| bench.wants(contender)) {
            let load = run(bench)?;
            section.add(contender, RATE, load.per_second);
            section.add(contender, "p50, ms", percentile_ms(&load.latencies_us, 0.5));
            section.add(contender, "p99, ms", percentile_ms(&load.latencies_us, 0.99));
        }
    }
    let goals = [
        (ARQ, 3.0, "3 × FastAPI + arq, with every 202 committed to the disk"),
        (BULLMQ, LEVEL, "level with Fastify + BullMQ (0.95 or more), with every 202 committed to the disk"),
    ];
    for (peer, least, what) in goals {
        section.goals.extend(section.ratio(OURS, peer, RATE).map(|ratio| Goal::at_least(what, ratio, least)));
    }
    Ok(section)
}

type Run = fn(&Bench) -> anyhow::Result<Load>;
const CONTENDERS: [(&str, Run); 4] = [(OURS, ours), (ROUTE, route), (ARQ, arq), (BULLMQ, bullmq)];

fn how(bench: &Bench) -> String {
    let (warm_up, length) = times(bench);
    format!(
        "`POST /training` in a closed loop on {CONNECTIONS} connections from one generator thread on the same machine, \
         {} s after {} s of warm-up, no worker running. Every contender checks an HS256 token and the same JSON body, \
         stores the job and answers 202 with its id. Trainyard: one `api` process with its default settings (but for the \
         limits on jobs), access log and audit log on; the job count in Postgres was checked against the 202s. arq: \
         uvicorn with 2 workers, uvloop and httptools; BullMQ: 2 Node.js processes; both without access log, and durable \
         only up to a second after the 202. The route alone is the same route table, guard, checks and answer without \
         database and queue.",
        length.as_secs(),
        warm_up.as_secs(),
    )
}

fn times(bench: &Bench) -> (Duration, Duration) {
    bench.sized((Duration::from_secs(2), Duration::from_secs(10)), (Duration::from_secs(1), Duration::from_secs(4)))
}

fn load(bench: &Bench, port: u16, token: &str) -> anyhow::Result<Load> {
    closed_loop(port, &request("POST", "/training", token, TRAINING_JOB), 202, CONNECTIONS, times(bench))
}

fn ours(bench: &Bench) -> anyhow::Result<Load> {
    let trainyard = Trainyard::install(&bench.binary, &bench.servers, &[])?;
    let api = trainyard.start("api")?;
    let load = load(bench, api.port, &trainyard.token(&api)?)?;
    let stored: u64 = sql(&trainyard.database, "SELECT count(*) FROM jobs")?.parse()?;
    ensure!(stored >= load.answered, "{} jobs answered 202, {stored} stored", load.answered);
    api.stop();
    Ok(load)
}

fn route(bench: &Bench) -> anyhow::Result<Load> {
    let port = free_port();
    let log = tempfile::NamedTempFile::new()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["route-only", "--port", &port.to_string()]).stdout(Stdio::null()).stderr(log.reopen()?);
    let mut process = spawn_tied(command, libc::SIGKILL);
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
