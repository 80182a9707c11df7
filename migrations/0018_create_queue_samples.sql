-- The history of the queue: one sample a minute, by the leader of the sweep. `finished` and `failed` count the jobs that
-- finished in the minute before `at`.
CREATE TABLE queue_samples (
    at           TIMESTAMPTZ PRIMARY KEY NOT NULL,
    queued       BIGINT NOT NULL,
    running      BIGINT NOT NULL,
    oldest_age_s DOUBLE PRECISION,
    finished     BIGINT NOT NULL,
    failed       BIGINT NOT NULL
);

-- Counts the jobs that succeeded within a minute. `jobs_dead_age` has the others.
CREATE INDEX jobs_succeeded_age ON jobs (finished_at) WHERE status = 'succeeded';
