//! Quotas of queued and running jobs, for each user, for all users, and for dataset versions, whose deletion closes them.
//!
//! Every transaction that makes a job active increases the rows of its user, its dataset version and the total, or holds
//! shared locks on them and uses quota that its process has reserved ([`super::quota_credit`]). The rows contain upper
//! bounds, because a finished job does not decrease them. Before a job is refused, the active jobs are counted under the
//! exclusive lock of the row, and the row gets a new epoch. All transactions lock the rows in the same order (owners by id,
//! then the total), and before any row of `jobs` that another transaction can see.

use std::collections::{BTreeMap, BTreeSet};

use trainyard_domain::{DatasetId, Job, JobId, UserId};
use uuid::Uuid;

use super::Jobs;
use crate::bulk::{BulkStatement, execute_bulk, write_bulk};
use crate::error::Result;
use crate::sql::{execute, write_one};

/// Limits of queued and running jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobLimits {
    /// For each user.
    pub per_user: i64,
    /// For all users together.
    pub total: i64,
}

/// A request to add jobs, all or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDemand {
    /// The owner of the jobs.
    pub user: UserId,
    /// The dataset versions of the jobs.
    pub datasets: Vec<DatasetId>,
    /// Number of jobs.
    pub jobs: i64,
    /// Jobs that the same transaction cancels after the admission. They do not count.
    pub replaces: Vec<JobId>,
}

impl JobDemand {
    /// A demand for one job.
    pub fn one(user: UserId, dataset: DatasetId) -> Self {
        Self { user, datasets: vec![dataset], jobs: 1, replaces: Vec::new() }
    }
}

/// The decision about a [`JobDemand`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// The jobs may be added in this transaction.
    Admitted,
    /// The jobs would exceed the limit of the user.
    UserFull,
    /// The jobs would exceed the limit of all users.
    TotalFull,
    /// A dataset version is deleted.
    DatasetDeleted,
}

const LOCK: BulkStatement = BulkStatement {
    postgres: "INSERT INTO job_quotas (owner, active, most, closed) SELECT owner, 0, 0, FALSE \
               FROM unnest($1::uuid[]) AS wanted (owner) ORDER BY owner \
               ON CONFLICT (owner) DO UPDATE SET active = job_quotas.active RETURNING owner, active, closed",
    sqlite: "INSERT INTO job_quotas (owner, active, most, closed) VALUES ($1, 0, 0, FALSE) \
             ON CONFLICT (owner) DO UPDATE SET active = job_quotas.active RETURNING owner, active, closed",
};
const RECORD: BulkStatement = BulkStatement {
    postgres: "UPDATE job_quotas SET active = new.active, most = new.most, epoch = epoch + new.counts \
               FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) AS new (owner, active, most, counts) \
               WHERE job_quotas.owner = new.owner",
    sqlite: "UPDATE job_quotas SET active = $2, most = $3, epoch = epoch + $4 WHERE owner = $1",
};
const CLOSE: BulkStatement = BulkStatement {
    postgres: "INSERT INTO job_quotas (owner, active, most, closed) SELECT owner, 0, 0, TRUE \
               FROM unnest($1::uuid[]) AS closed (owner) ORDER BY owner \
               ON CONFLICT (owner) DO UPDATE SET active = 0, closed = TRUE",
    sqlite: "INSERT INTO job_quotas (owner, active, most, closed) VALUES ($1, 0, 0, TRUE) \
             ON CONFLICT (owner) DO UPDATE SET active = 0, closed = TRUE",
};

/// The upper bound of an owner, under the lock of its row.
struct Bound {
    active: i64,
    /// Whether `active` is a count and not the stored bound.
    counted: bool,
    /// Jobs that this call has admitted.
    added: i64,
}

impl Bound {
    fn read(active: i64) -> Self {
        Self { active, counted: false, added: 0 }
    }

    fn counted(&mut self, active: i64) {
        (self.active, self.counted) = (active, true);
    }

    fn exceeds(&self, more: i64, most: i64) -> bool {
        self.active.saturating_add(self.added).saturating_add(more) > most
    }

    fn total(&self) -> i64 {
        self.active.saturating_add(self.added)
    }
}

impl Jobs<'_> {
    /// Admits demands in order, each all or none, and reserves their quota in this transaction. Insert exactly the admitted
    /// jobs. Concurrent calls for the same owners wait for this transaction.
    pub async fn admit(&mut self, demands: &[JobDemand], limits: JobLimits) -> Result<Vec<Admission>> {
        let mut owners: Vec<Uuid> = demands.iter().map(|demand| demand.user.0).collect();
        owners.extend(demands.iter().flat_map(|demand| &demand.datasets).map(|dataset| dataset.0));
        owners.sort();
        owners.dedup();
        let rows: Vec<(Uuid, i64, bool)> = write_bulk!(self.0, LOCK, [], owners, |owner| [*owner])?;
        let closed: BTreeSet<Uuid> = rows.iter().filter(|(_, _, closed)| *closed).map(|(owner, ..)| *owner).collect();
        let mut bounds: BTreeMap<Uuid, Bound> =
            rows.into_iter().map(|(owner, active, _)| (owner, Bound::read(active))).collect();
        let mut answers = Vec::with_capacity(demands.len());
        let mut taken = Vec::with_capacity(demands.len());
        for demand in demands {
            if demand.datasets.iter().any(|dataset| closed.contains(&dataset.0)) {
                answers.push(Admission::DatasetDeleted);
                taken.push(0);
            } else {
                let places = self.places_of_user(&mut bounds, demand, limits.per_user).await?;
                answers.push(if places.is_some() { Admission::Admitted } else { Admission::UserFull });
                taken.push(places.unwrap_or(0));
            }
        }
        self.admit_in_all(demands, &taken, &mut answers, &mut bounds, limits.total).await?;
        self.record_bounds(demands, &bounds, limits.per_user).await?;
        Ok(answers)
    }

    /// The number of jobs that `demand` adds to its user's quota; `None` if they would exceed the limit.
    async fn places_of_user(
        &mut self,
        bounds: &mut BTreeMap<Uuid, Bound>,
        demand: &JobDemand,
        most: i64,
    ) -> Result<Option<i64>> {
        let bound = bounds.entry(demand.user.0).or_insert_with(|| Bound::read(0));
        if bound.exceeds(demand.jobs, most) && !bound.counted {
            bound.counted(self.active_of(demand.user).await?);
        }
        let mut places = demand.jobs;
        if bound.exceeds(places, most) {
            places -= self.active_replaced(demand, Some(demand.user)).await?;
        }
        if bound.exceeds(places, most) {
            return Ok(None);
        }
        bound.added += places;
        Ok(Some(places))
    }

    /// Number of active jobs that `demand` replaces, of one user or of all. Call it after the count of active jobs: a job
    /// that finishes between the two is then counted and not subtracted, so the result stays an upper bound.
    async fn active_replaced(&mut self, demand: &JobDemand, user: Option<UserId>) -> Result<i64> {
        if demand.replaces.is_empty() {
            return Ok(0);
        }
        let jobs = self.get_many(&demand.replaces).await?;
        let is_of_user = |job: &Job| user.is_none_or(|user| job.created_by == user);
        let active = jobs.iter().filter(|job| !job.status.is_final() && is_of_user(job)).count();
        Ok(i64::try_from(active).unwrap_or(i64::MAX))
    }

    /// Applies the total limit to the demands that are admitted so far. Locks the row of the total last, and only if it is
    /// needed.
    async fn admit_in_all(
        &mut self,
        demands: &[JobDemand],
        taken: &[i64],
        answers: &mut [Admission],
        bounds: &mut BTreeMap<Uuid, Bound>,
        most: i64,
    ) -> Result<()> {
        if !answers.contains(&Admission::Admitted) {
            return Ok(());
        }
        let (active,): (i64,) =
            write_one!(self.0, "UPDATE job_quota_total SET active = active WHERE id = 1 RETURNING active")?;
        let mut total = Bound::read(active);
        let admitted = demands.iter().zip(taken).zip(answers).filter(|(_, answer)| **answer == Admission::Admitted);
        for ((demand, taken), answer) in admitted {
            if total.exceeds(demand.jobs, most) && !total.counted {
                total.counted(self.active_total().await?);
            }
            let mut places = demand.jobs;
            if total.exceeds(places, most) {
                places -= self.active_replaced(demand, None).await?;
            }
            if total.exceeds(places, most) {
                *answer = Admission::TotalFull;
                bounds.entry(demand.user.0).and_modify(|bound| bound.added -= taken);
            } else {
                total.added += places;
                for dataset in &demand.datasets {
                    bounds.entry(dataset.0).and_modify(|bound| bound.added += demand.jobs);
                }
            }
        }
        // After the limit was lowered there may be more jobs than it allows. Then the check would refuse the update.
        if total.total() <= most {
            let sql = "UPDATE job_quota_total SET active = $1, most = $2, epoch = epoch + $3 WHERE id = 1";
            execute!(self.0, sql, total.total(), most, i64::from(total.counted))?;
        }
        Ok(())
    }

    async fn record_bounds(
        &mut self,
        demands: &[JobDemand],
        bounds: &BTreeMap<Uuid, Bound>,
        per_user: i64,
    ) -> Result<()> {
        let users: BTreeSet<Uuid> = demands.iter().map(|demand| demand.user.0).collect();
        let most = |owner: &Uuid| if users.contains(owner) { per_user } else { i64::MAX };
        let changed: Vec<(Uuid, i64, i64, i64)> = bounds
            .iter()
            .filter(|(owner, bound)| (bound.counted || bound.added > 0) && bound.total() <= most(owner))
            .map(|(owner, bound)| (*owner, bound.total(), most(owner), i64::from(bound.counted)))
            .collect();
        if !changed.is_empty() {
            execute_bulk!(self.0, RECORD, [], changed, |row| [row.0, row.1, row.2, row.3])?;
        }
        Ok(())
    }
}

/// Closes dataset versions for new jobs. A concurrent submission waits for this transaction; an earlier one is visible to
/// the next statement.
pub(crate) async fn close(tx: &mut crate::tx::Tx, datasets: &[Uuid]) -> Result<()> {
    execute_bulk!(tx, CLOSE, [], datasets, |owner| [*owner])?;
    Ok(())
}
