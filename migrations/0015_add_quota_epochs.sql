-- A process reserves quota for its next submissions. A count of the active jobs does not contain such reservations, so the
-- count increases the epoch of the row, and a submission with a reservation of an earlier epoch is refused.
ALTER TABLE job_quotas ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
ALTER TABLE job_quota_total ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
