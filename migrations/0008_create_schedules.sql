-- Jobs that come back, and the end of jobs that nobody needs any more.

CREATE TABLE schedules (
    id          UUID PRIMARY KEY NOT NULL,
    name        TEXT NOT NULL UNIQUE,
    cron        TEXT NOT NULL,
    timezone    TEXT NOT NULL,
    -- The order: `POST /training`'s body with its defaults filled in; `*` and the data set's version are settled each time.
    spec        JSONB NOT NULL,
    catch_up    TEXT NOT NULL CHECK (catch_up IN ('skip', 'one', 'all')),
    overlap     TEXT NOT NULL CHECK (overlap IN ('allow', 'skip', 'replace')),
    paused      BOOLEAN NOT NULL,
    created_by  UUID NOT NULL REFERENCES users (id),
    created_at  TIMESTAMPTZ NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL,
    next_run_at TIMESTAMPTZ,
    last_run_at TIMESTAMPTZ,
    last_job_id UUID,
    last_error  TEXT,
    revision    BIGINT NOT NULL
);

CREATE INDEX schedules_due ON schedules (next_run_at) WHERE paused = FALSE;
CREATE INDEX schedules_creator ON schedules (created_by);

-- What each due time came to. The key is what makes a time fire once, whoever looks, and how often.
-- A job that has expired is still named.
CREATE TABLE schedule_runs (
    schedule_id UUID NOT NULL REFERENCES schedules (id) ON DELETE CASCADE,
    due_at      TIMESTAMPTZ NOT NULL,
    job_id      UUID,
    outcome     TEXT NOT NULL CHECK (outcome IN ('submitted', 'skipped_overlap', 'skipped_missed', 'refused')),
    message     TEXT,
    at          TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (schedule_id, due_at)
);

CREATE INDEX schedule_runs_jobs ON schedule_runs (schedule_id, due_at) WHERE job_id IS NOT NULL;

-- Behind the expiry of jobs that ended without a model; not touched before a job ends so. Those that succeeded are walked
-- in the order of their ids.
CREATE INDEX jobs_dead_age ON jobs (finished_at) WHERE status IN ('failed', 'cancelled');
