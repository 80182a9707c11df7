//! Status polls: the latency of `GET /training/{job_id}` with many jobs.

use std::time::Duration;

use super::Bench;
use crate::http::request;
use crate::load::{Schedule, open_loop};
use crate::report::{Goal, Section, TRAINYARD};
use crate::servers::sql;
use crate::stats::percentile_ms;
use crate::trainyard::{TRAINING_JOB, Trainyard};

const CONNECTIONS: usize = 32;
const PER_SECOND: f64 = 1000.0;
const MAX_P99_MS: f64 = 5.0;
/// One job in a hundred is queued for a later time, all others have finished.
const FINISHED: [(&str, &str); 6] = [
    ("status", "CASE WHEN g % 100 = 0 THEN 'queued' ELSE 'succeeded' END"),
    ("due", "g % 100 <> 0"),
    ("run_at", "CASE WHEN g % 100 = 0 THEN TIMESTAMPTZ '2999-01-01' ELSE run_at END"),
    ("started_at", "CASE WHEN g % 100 = 0 THEN NULL ELSE created_at END"),
    ("finished_at", "CASE WHEN g % 100 = 0 THEN NULL ELSE created_at END"),
    ("progress", "CASE WHEN g % 100 = 0 THEN 0 ELSE 1 END"),
];

/// Measures only Trainyard.
///
/// # Errors
/// If Trainyard does not start, or a response is not a 200.
pub(crate) fn measure(bench: &Bench) -> anyhow::Result<Section> {
    let jobs = bench.sized(1_000_000, 100_000);
    let length = Duration::from_secs(bench.sized(20, 10));
    let how = format!(
        "Path: authentication and one read of the database; no worker runs. `GET /training/{{job_id}}` for random jobs out of {jobs} (one in a hundred queued), {PER_SECOND} per second for {} s on \
        {CONNECTIONS} connections from the same machine. Open loop: the latency of a request begins when it is due, so a \
        stall affects every delayed request.",
        length.as_secs()
    );
    let mut section = Section { title: "Status polls", how, ..Section::default() };
    if !bench.selects(TRAINYARD) {
        return Ok(section);
    }
    let trainyard = Trainyard::install(&bench.binary, &bench.servers, &[])?;
    trainyard.fill(TRAINING_JOB, jobs, &FINISHED)?;
    let ids = sql(&trainyard.database, "SELECT id FROM jobs ORDER BY random() LIMIT 20000")?;
    let api = trainyard.start("api")?;
    let token = trainyard.token(&api)?;
    let request = |id| request("GET", &format!("/training/{id}"), &token, "");
    let requests: Vec<_> = ids.lines().map(request).collect();
    let schedule = Schedule { connections: CONNECTIONS, per_second: PER_SECOND, length };
    for _ in 0..bench.rounds() {
        let latencies = open_loop(api.port, &requests, schedule)?;
        for (what, share) in [("p50, ms", 0.5), ("p99, ms", 0.99), ("max, ms", 1.0)] {
            section.add(TRAINYARD, what, percentile_ms(&latencies, share));
        }
    }
    api.stop();
    let p99 = section.median(TRAINYARD, "p99, ms");
    section.goals.extend(p99.map(|ms| Goal::at_most(format!("p99 at most {MAX_P99_MS} ms"), ms, MAX_P99_MS)));
    Ok(section)
}
