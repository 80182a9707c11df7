-- How many jobs may be queued and running: the rows that a statement has to write before it can make a job active.

-- A row for each user, and one for each data set version that a job was submitted for.
CREATE TABLE job_quotas (
    owner  UUID PRIMARY KEY NOT NULL,
    -- An upper bound of the owner's queued and running jobs: whatever makes a job active adds to it in the same
    -- transaction, and the end of a job takes nothing off, so ends never wait here. Where the bound would refuse a job,
    -- the jobs are counted under this row's lock.
    active BIGINT NOT NULL,
    -- The limit that was in force when the row was last written.
    most   BIGINT NOT NULL,
    -- The data set version is deleted: no job may be added.
    closed BOOLEAN NOT NULL,
    CHECK (active = 0 OR (NOT closed AND active <= most))
);

INSERT INTO job_quotas (owner, active, most, closed)
SELECT created_by, COUNT(*), 9223372036854775807, FALSE FROM jobs WHERE status IN ('queued', 'running') GROUP BY created_by;

-- One row: the same for all users together.
CREATE TABLE job_quota_total (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    active BIGINT NOT NULL,
    most   BIGINT NOT NULL,
    CHECK (active <= most)
);

INSERT INTO job_quota_total (id, active, most)
SELECT 1, COUNT(*), 9223372036854775807 FROM jobs WHERE status IN ('queued', 'running');

-- One row: whoever adds a schedule writes it first, so that schedules are counted by one transaction at a time.
CREATE TABLE schedule_lock (
    id BIGINT PRIMARY KEY CHECK (id = 1)
);

INSERT INTO schedule_lock (id) VALUES (1);

-- Behind the removal of old runs of schedules.
CREATE INDEX schedule_runs_age ON schedule_runs (at);
