//! The servers of all contenders: a Postgres that syncs every commit, a Redis with an append-only file, and queries for
//! both.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use trainyard_testkit::{PostgresServer, RedisServer};

/// Private servers.
#[derive(Debug)]
pub(crate) struct Servers {
    pub(crate) postgres: PostgresServer,
    pub(crate) redis: RedisServer,
}

impl Servers {
    /// Starts both with default settings: `fsync` and `synchronous_commit` on, AOF synced every second.
    pub(crate) fn start() -> Self {
        Self { postgres: PostgresServer::start_durable(), redis: RedisServer::start() }
    }

    /// Empties Redis before the next contender.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub(crate) fn flush_redis(&self) -> anyhow::Result<()> {
        self.ask_redis("FLUSHALL SYNC").map(|_| ())
    }

    /// `used_memory` of Redis in bytes.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub(crate) fn redis_memory(&self) -> anyhow::Result<f64> {
        let info = self.ask_redis("INFO memory")?;
        let line = info.lines().find_map(|line| line.strip_prefix("used_memory:"));
        Ok(line.context("INFO memory names used_memory")?.trim().parse()?)
    }

    /// Number of entries of all streams.
    ///
    /// # Errors
    /// If Redis does not answer.
    pub(crate) fn redis_entries(&self) -> anyhow::Result<u64> {
        let keys = self.ask_redis("KEYS *")?;
        let mut entries = 0;
        for key in keys.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['*', '$'])) {
            if self.ask_redis(&format!("TYPE {key}"))?.trim() == "+stream" {
                entries += self.ask_redis(&format!("XLEN {key}"))?.trim().trim_start_matches(':').parse::<u64>()?;
            }
        }
        Ok(entries)
    }

    /// The versions of both.
    ///
    /// # Errors
    /// If a server does not answer.
    pub(crate) fn versions(&self) -> anyhow::Result<String> {
        let url = self.postgres.fresh_database();
        let postgres = sql(
            &url,
            "SELECT current_setting('server_version') || ', fsync=' || current_setting('fsync') ||
            ', synchronous_commit=' || current_setting('synchronous_commit')",
        )?;
        let info = self.ask_redis("INFO server")?;
        let redis = info.lines().find_map(|line| line.strip_prefix("redis_version:")).unwrap_or("?").trim();
        Ok(format!("Postgres {postgres}; Redis {redis}, appendonly=yes, appendfsync=everysec"))
    }

    /// Sends an inline command and returns the raw response.
    fn ask_redis(&self, command: &str) -> anyhow::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.redis.port()))?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        // After QUIT Redis closes the connection, so the response can be read to the end.
        stream.write_all(format!("{command}\r\nQUIT\r\n").as_bytes())?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        ensure!(!answer.starts_with('-'), "Redis refused {command}: {answer}");
        Ok(answer.trim_end().trim_end_matches("+OK").to_owned())
    }
}

/// The result of a query: rows on lines, columns separated by spaces.
///
/// # Errors
/// The error message of `psql`.
pub(crate) fn sql(url: &str, query: &str) -> anyhow::Result<String> {
    let output = psql(url).args(["-c", query]).output().context("psql is installed by `make bench-queue`")?;
    if !output.status.success() {
        bail!("{query}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// Updates statistics and the visibility map as autovacuum would, and writes the dirty pages.
///
/// # Errors
/// See [`sql`].
pub(crate) fn vacuum(url: &str) -> anyhow::Result<()> {
    sql(url, "VACUUM ANALYZE")?;
    sql(url, "CHECKPOINT").map(|_| ())
}

fn psql(url: &str) -> Command {
    let mut command = Command::new("psql");
    // Unaligned output without headers.
    command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-F", " ", "-d", url]);
    command
}

/// A file with lines of `<jobs done> <milliseconds>`.
#[derive(Debug)]
pub(crate) struct Progress(pub(crate) std::path::PathBuf);

impl Progress {
    /// Waits until `jobs` are done, and returns the jobs per second between a tenth of them and the last sample.
    ///
    /// # Errors
    /// If the jobs are not done within `limit`.
    pub(crate) fn rate(&self, jobs: f64, limit: Duration) -> anyhow::Result<f64> {
        let deadline = Instant::now() + limit;
        loop {
            let samples = self.samples()?;
            if let Some(end) = samples.iter().position(|(done, _)| *done >= jobs) {
                return steady_rate(&samples[..=end], jobs).context("the jobs were done between two samples");
            }
            let done = samples.last().map_or(0.0, |(done, _)| *done);
            ensure!(Instant::now() < deadline, "{done} of {jobs} jobs done after {limit:?}");
            crate::load::pause(Duration::from_millis(100));
        }
    }

    fn samples(&self) -> anyhow::Result<Vec<(f64, f64)>> {
        let text = std::fs::read_to_string(&self.0)?;
        // The last line may be incomplete.
        let complete = text.rsplit_once('\n').map_or("", |(complete, _)| complete);
        let pair = |line: &str| {
            let (done, at) = line.trim().split_once(' ')?;
            Some((done.parse().ok()?, at.parse().ok()?))
        };
        Ok(complete.lines().filter_map(pair).collect())
    }
}

/// Jobs per second from the last sample at or below a tenth of `jobs` to the end, without the warm-up.
fn steady_rate(samples: &[(f64, f64)], jobs: f64) -> Option<f64> {
    let (end, end_ms) = samples.last()?;
    let warm = samples.iter().rev().find(|(done, at)| *done <= jobs / 10.0 && at < end_ms)?;
    Some((end - warm.0) * 1000.0 / (end_ms - warm.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_excludes_the_warm_up() {
        let samples = [(0.0, 0.0), (0.0, 900.0), (90.0, 1000.0), (600.0, 1500.0), (1090.0, 2000.0)];
        assert_eq!(steady_rate(&samples, 1000.0), Some(1000.0));
        assert_eq!(steady_rate(&[], 1000.0), None);
    }
}
