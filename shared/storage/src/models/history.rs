//! The table `alias_moves`: every change of an alias, and rollbacks.
//!
//! A rollback returns to the version that served before, and further rollbacks go further back. So each move stores the number
//! of the move to which a rollback from it returns: for a rollback that of its target, for other moves the move before.

use trainyard_domain::{AliasMove, ModelName, MoveCause};

use super::rows::MoveRow;
use super::{Models, bump_revision};
use crate::error::Result;
use crate::sql::{all, execute, optional};
use crate::stored::{PageReader, Pair};

/// Most moves kept per alias.
const MOVES_KEPT: i64 = 1_000;

/// The result of a rollback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rollback {
    /// The alias points at the version before.
    Done {
        /// The version that it pointed at.
        from: i64,
        /// The version that it points at now.
        to: i64,
    },
    /// No version was served before, or it is too old for the history.
    NothingBefore,
    /// This version was served before, and has been deleted.
    Deleted(i64),
    /// The alias points at this version, not at the expected one.
    Moved(i64),
    /// The alias does not exist.
    Missing,
}

/// A change of an alias.
pub(super) struct Position {
    pub(super) from: Option<i64>,
    pub(super) to: Option<i64>,
    /// The move to which a rollback returns; `None` for the move before.
    pub(super) returns_to: Option<ReturnsTo>,
}

/// The number of a move; `None` if no version was served before.
pub(super) struct ReturnsTo(Option<i64>);

impl Models<'_> {
    /// Moves of an alias below the number `before`, newest first. Unreadable rows are left out.
    pub async fn alias_moves(
        &mut self,
        name: &ModelName,
        alias: &str,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<AliasMove>> {
        let first = before.map(|before| Pair(alias.to_owned(), before));
        let mut page: PageReader<MoveRow> = PageReader::new(first, limit);
        while let Some((before, limit)) = page.next_query() {
            page.add(all!(
                self.0,
                "SELECT alias, number, from_version, to_version, reason, actor, detail, moved_at FROM alias_moves \
                 WHERE model_name = $1 AND alias = $2 AND number < $3 ORDER BY number DESC LIMIT $4",
                name.as_str(),
                alias,
                before.map_or(i64::MAX, |before| before.1),
                limit,
            )?);
        }
        Ok(page.values())
    }

    /// Moves an alias to the version that was served before. `expected` is the version that the alias must point at.
    pub async fn roll_back(
        &mut self,
        name: &ModelName,
        alias: &str,
        expected: Option<i64>,
        cause: &MoveCause,
    ) -> Result<Rollback> {
        self.lock(name).await?;
        let Some(from) = self.alias(name, alias).await? else { return Ok(Rollback::Missing) };
        if expected.is_some_and(|expected| expected != from) {
            return Ok(Rollback::Moved(from));
        }
        let Some((to, before)) = self.rollback_target(name, alias).await? else { return Ok(Rollback::NothingBefore) };
        if !self.has_version(name, to).await? {
            return Ok(Rollback::Deleted(to));
        }
        self.write_alias(name, alias, to, cause).await?;
        let position = Position { from: Some(from), to: Some(to), returns_to: Some(ReturnsTo(before)) };
        self.record_move(name, alias, position, cause).await?;
        bump_revision(self.0).await?;
        Ok(Rollback::Done { from, to })
    }

    /// The version to which a rollback would move an alias. `None` if there is none, or if it has been deleted.
    pub async fn version_before(&mut self, name: &ModelName, alias: &str) -> Result<Option<i64>> {
        let Some((version, _)) = self.rollback_target(name, alias).await? else { return Ok(None) };
        Ok(self.has_version(name, version).await?.then_some(version))
    }

    /// The version to which a rollback returns, and the number of the move to which a further rollback returns.
    async fn rollback_target(&mut self, name: &ModelName, alias: &str) -> Result<Option<(i64, Option<i64>)>> {
        optional!(
            self.0,
            "SELECT t.to_version, t.returns_to FROM alias_moves c JOIN alias_moves t \
             ON t.model_name = c.model_name AND t.alias = c.alias AND t.number = c.returns_to \
             WHERE c.model_name = $1 AND c.alias = $2 AND t.to_version IS NOT NULL \
             AND c.number = (SELECT MAX(number) FROM alias_moves WHERE model_name = $1 AND alias = $2)",
            name.as_str(),
            alias,
        )
    }

    /// Records a change of an alias of a locked model, and ends the guard of the alias.
    pub(super) async fn record_move(
        &mut self,
        name: &ModelName,
        alias: &str,
        position: Position,
        cause: &MoveCause,
    ) -> Result<()> {
        self.end_alias_guard(name, alias).await?;
        let last: Option<(i64, Option<i64>, Option<i64>)> = optional!(
            self.0,
            "SELECT number, to_version, returns_to FROM alias_moves WHERE model_name = $1 AND alias = $2 \
             ORDER BY number DESC LIMIT 1",
            name.as_str(),
            alias,
        )?;
        let number = last.map_or(1, |(number, ..)| number + 1);
        let returns_to = match position.returns_to {
            Some(ReturnsTo(target)) => target,
            // A rollback does not return to the time without the alias, but to the version before.
            None => last.and_then(|(number, to, before)| if to.is_some() { Some(number) } else { before }),
        };
        execute!(
            self.0,
            "INSERT INTO alias_moves (model_name, alias, number, from_version, to_version, returns_to, reason, actor, \
             detail, moved_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            name.as_str(),
            alias,
            number,
            position.from,
            position.to,
            returns_to,
            cause.reason.as_str(),
            cause.actor.map(|actor| actor.0),
            cause.detail.as_deref(),
            cause.at,
        )?;
        if number > MOVES_KEPT {
            execute!(
                self.0,
                "DELETE FROM alias_moves WHERE model_name = $1 AND alias = $2 AND number <= $3",
                name.as_str(),
                alias,
                number - MOVES_KEPT,
            )?;
        }
        Ok(())
    }
}
