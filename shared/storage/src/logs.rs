//! The `job_logs` table: what runs said of themselves, a row for each write.

use sqlx::types::Json;
use trainyard_domain::{JobId, LogLine, log};

use crate::error::Result;
use crate::from_row::from_row;
use crate::sql::{all, execute};
use crate::stored::{Pair, Stored, StoredRow, readable};
use crate::tx::Tx;

/// What runs said of themselves.
#[derive(Debug)]
pub struct Logs<'t>(pub(crate) &'t mut Tx);

/// A line with its place among all lines of its job, of every run.
#[derive(Debug, Clone, PartialEq)]
pub struct NumberedLine {
    /// Rises from line to line, with gaps.
    pub seq: i64,
    /// The line.
    pub line: LogLine,
}

/// What was read of a log at once.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPage {
    /// The lines, oldest first.
    pub lines: Vec<NumberedLine>,
    /// The number up to which the log was read. Lines that cannot be read are left out and count as read.
    pub read_to: i64,
}

from_row! {
    /// What one write brought.
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
    /// Adds lines of the run with this claim, the first of them the run's `n`th (from 0). Writing a line again, alone or
    /// with others after it, does no harm, so a write whose answer was lost can be repeated. `false`: the claim no longer
    /// stands, and nothing was added.
    ///
    /// # Errors
    /// As every query.
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

    /// What was said after the line numbered `seq` (0 for everything), oldest first: of at most `limit` writes, each of
    /// which brought a few lines.
    ///
    /// # Errors
    /// As every query.
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
