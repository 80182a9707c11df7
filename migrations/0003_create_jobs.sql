-- Training jobs: the only truth about what is queued, who runs it and how it ended. A job is a row in each of two tables.

-- What moves. Narrow, since every transition writes the row anew. No foreign keys, here or below: accounts and data sets
-- are marked, never deleted, the two rows of a job are stored and removed together, and the checks would make storing
-- jobs slower.
CREATE TABLE jobs (
    id                  UUID PRIMARY KEY NOT NULL,
    status              TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    -- These three repeat the order: the queue shares and sorts by them.
    created_by          UUID NOT NULL,
    priority            BIGINT NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    -- Whether `run_at` has come. An index can't ask the clock, so the sweep moves this on.
    due                 BOOLEAN NOT NULL,
    run_at              TIMESTAMPTZ NOT NULL,
    attempts            BIGINT NOT NULL,
    crashes             BIGINT NOT NULL,
    interruptions       BIGINT NOT NULL,
    -- The fencing token: one more with every claim, never reset.
    claim               BIGINT NOT NULL,
    worker              TEXT,
    lease_expires_at    TIMESTAMPTZ,
    cancel_requested_at TIMESTAMPTZ,
    progress            DOUBLE PRECISION NOT NULL,
    phase               TEXT,
    started_at          TIMESTAMPTZ,
    finished_at         TIMESTAMPTZ,
    metrics             JSONB,
    model_version       BIGINT,
    error               JSONB,
    revision            BIGINT NOT NULL,
    -- Whoever runs a job holds a lease on it, and nobody else does.
    CHECK ((status = 'running') = (lease_expires_at IS NOT NULL)),
    CHECK (status <> 'running' OR worker IS NOT NULL),
    -- So whoever waits for its time is in `jobs_delayed`.
    CHECK (due OR run_at > created_at)
);

-- The order as accepted: written once, never changed. The columns beside the spec repeat what lists filter by. No query
-- looks into the spec, so it is kept as the text it is: Postgres would parse a JSONB when it is stored, and write it out
-- each time it is read.
CREATE TABLE job_orders (
    id         UUID PRIMARY KEY NOT NULL,
    spec       TEXT NOT NULL,
    model_name TEXT NOT NULL,
    algorithm  TEXT NOT NULL,
    created_by UUID NOT NULL,
    dataset_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    request_id TEXT,
    -- Where in a trace it was submitted; NULL where nobody asked.
    traceparent TEXT
);

-- Behind the lists, newest first, and the counts. One index a status rather than one led by it: SQLite would take that
-- one for every query that names a status, and read the whole queue where the indexes further down read a few rows.
-- And so a change of status adds an entry to one of them besides the primary key, and a change without one to none:
-- no index names a lease, and renewing it is no work for any. Leases that ran out are found among those that run.
CREATE INDEX jobs_queued ON jobs (id) WHERE status = 'queued';
CREATE INDEX jobs_running ON jobs (id) WHERE status = 'running';
CREATE INDEX jobs_succeeded ON jobs (id) WHERE status = 'succeeded';
CREATE INDEX jobs_failed ON jobs (id) WHERE status = 'failed';
CREATE INDEX jobs_cancelled ON jobs (id) WHERE status = 'cancelled';
CREATE INDEX job_orders_by_model ON job_orders (model_name, id);
CREATE INDEX job_orders_by_algorithm ON job_orders (algorithm, id);
CREATE INDEX job_orders_by_creator ON job_orders (created_by, id);

-- Behind the queue: the line as a whole, each user's own, and those whose time has not come or came late. A job that is
-- due from the start is not in the third.
CREATE INDEX jobs_line ON jobs (priority DESC, id) WHERE status = 'queued' AND due;
CREATE INDEX jobs_turns ON jobs (created_by, priority DESC, id) WHERE status = 'queued' AND due;
CREATE INDEX jobs_delayed ON jobs (due, run_at, created_by, priority) WHERE status = 'queued' AND run_at > created_at;

CREATE TABLE idempotency_keys (
    user_id     UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key         TEXT NOT NULL,
    body_sha256 TEXT NOT NULL,
    -- Checked at the commit: the key comes first, so that a job whose key was taken is never stored.
    job_id      UUID NOT NULL REFERENCES jobs (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    created_at  TIMESTAMPTZ NOT NULL,
    expires_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, key)
);

CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
CREATE INDEX idempotency_keys_job ON idempotency_keys (job_id);

-- One row: whether workers may claim.
CREATE TABLE queue_state (
    id     BIGINT PRIMARY KEY CHECK (id = 1),
    paused BOOLEAN NOT NULL
);
INSERT INTO queue_state (id, paused) VALUES (1, FALSE);
