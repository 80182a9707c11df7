//! The `job_logs` table: what runs said of themselves, a row for each write.

use sqlx::types::Json;
use trainyard_domain::{JobId, LogLine, log};

use crate::error::Result;
use crate::sql::{all, execute};
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
    pub async fn after(&mut self, job: JobId, seq: i64, limit: i64) -> Result<Vec<NumberedLine>> {
        let rows: Vec<(i64, Json<Vec<LogLine>>)> = all!(
            self.0,
            "SELECT first_seq, lines FROM job_logs WHERE job_id = $1 AND last_seq > $2 ORDER BY first_seq LIMIT $3",
            job.0,
            seq,
            limit,
        )?;
        let lines = rows
            .into_iter()
            .flat_map(|(first, lines)| lines.0.into_iter().zip(first..).map(|(line, seq)| NumberedLine { seq, line }));
        Ok(lines.filter(|line| line.seq > seq).collect())
    }
}
