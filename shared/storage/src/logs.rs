//! The `job_logs` table: the logs of runs, one row for each append.

use sqlx::types::Json;
use trainyard_domain::{JobId, LogLine, log};

use crate::error::Result;
use crate::from_row::from_row;
use crate::sql::{all, execute};
use crate::stored::{Pair, Stored, StoredRow, readable};
use crate::tx::Tx;

/// Logs of runs.
#[derive(Debug)]
pub struct Logs<'t>(pub(crate) &'t mut Tx);

/// A line with its sequence number in the job's log.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedLine {
    /// Increases from line to line, with gaps.
    pub seq: i64,
    /// The line.
    pub line: LogLine,
}

/// A page of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPage {
    /// The lines, oldest first.
    pub lines: Vec<NumberedLine>,
    /// The sequence number of the last line on the page. Unreadable lines are left out but count here.
    pub read_to: i64,
}

from_row! {
    struct LogRow {
        first_seq: i64,
        last_seq: i64,
        lines: Json<Vec<LogLine>>,
    }
}

impl StoredRow for LogRow {
    const TABLE: &'static str = "job_logs";
    type Key = Pair<i64, i64>;
    type Value = Vec<NumberedLine>;

    fn key(&self) -> Self::Key {
        Pair(self.first_seq, self.last_seq)
    }

    fn read(self) -> Result<Self::Value> {
        Ok(self.lines.0.into_iter().zip(self.first_seq..).map(|(line, seq)| NumberedLine { seq, line }).collect())
    }
}

impl Logs<'_> {
    /// Appends lines of the run with this claim; the first line is number `n` of the run, from 0. Repeating an append is
    /// safe, also with additional lines. Returns `false` without an append if the claim is no longer current.
    pub async fn append(&mut self, job: JobId, claim: i64, n: u64, lines: &[LogLine]) -> Result<bool> {
        let last = n + (lines.len() as u64).saturating_sub(1);
        let changed = execute!(
            self.0,
            "INSERT INTO job_logs (job_id, first_seq, last_seq, lines) SELECT id, $3, $4, $5 FROM jobs \
             WHERE id = $1 AND claim = $2 AND status = 'running' \
             ON CONFLICT (job_id, first_seq) DO UPDATE SET last_seq = excluded.last_seq, lines = excluded.lines",
            job.0,
            claim,
            log::seq(claim, n),
            log::seq(claim, last),
            Json(lines),
        )?;
        Ok(changed == 1)
    }

    /// The lines after the sequence number `seq` (0 for all) from at most `limit` appends, oldest first.
    pub async fn after(&mut self, job: JobId, seq: i64, limit: i64) -> Result<LogPage> {
        let rows: Vec<Stored<LogRow>> = all!(
            self.0,
            "SELECT first_seq, last_seq, lines FROM job_logs WHERE job_id = $1 AND last_seq > $2 ORDER BY first_seq LIMIT $3",
            job.0,
            seq,
            limit,
        )?;
        let read_to = rows.iter().filter_map(Stored::key).map(|Pair(_, last)| last).fold(seq, i64::max);
        let lines = readable(rows).into_iter().flatten().filter(|line| line.seq > seq).collect();
        Ok(LogPage { lines, read_to })
    }
}
