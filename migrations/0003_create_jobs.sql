-- Training jobs: the only truth about what is queued, who runs it and how it ended.

CREATE TABLE jobs (
    id                  UUID PRIMARY KEY NOT NULL,
    -- The order as accepted. The four columns below repeat what lists filter by and the queue sorts by.
    spec                JSONB NOT NULL,
    model_name          TEXT NOT NULL,
    algorithm           TEXT NOT NULL,
    priority            BIGINT NOT NULL,
    -- No foreign keys: accounts and data sets are marked, never deleted, and the checks would make storing jobs slower.
    created_by          UUID NOT NULL,
    dataset_id          UUID NOT NULL,
    status              TEXT NOT NULL CHECK (status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    attempts            BIGINT NOT NULL,
    crashes             BIGINT NOT NULL,
    interruptions       BIGINT NOT NULL,
    -- The fencing token: one more with every claim, never reset.
    claim               BIGINT NOT NULL,
    worker              TEXT,
    lease_expires_at    TIMESTAMPTZ,
    cancel_requested_at TIMESTAMPTZ,
    dispatched_at       TIMESTAMPTZ,
    run_at              TIMESTAMPTZ NOT NULL,
    progress            DOUBLE PRECISION NOT NULL,
    phase               TEXT,
    created_at          TIMESTAMPTZ NOT NULL,
    started_at          TIMESTAMPTZ,
    finished_at         TIMESTAMPTZ,
    metrics             JSONB,
    model_version       BIGINT,
    error               JSONB,
    request_id          TEXT,
    revision            BIGINT NOT NULL,
    -- Whoever runs a job holds a lease on it, and nobody else does.
    CHECK ((status = 'running') = (lease_expires_at IS NOT NULL)),
    CHECK (status <> 'running' OR worker IS NOT NULL)
);

-- Behind the lists, newest first. One index a status rather than one led by it: SQLite would take that one for every
-- query that names a status, and read the whole queue where the indexes further down read a few rows.
CREATE INDEX jobs_queued ON jobs (id) WHERE status = 'queued';
CREATE INDEX jobs_running ON jobs (id) WHERE status = 'running';
CREATE INDEX jobs_succeeded ON jobs (id) WHERE status = 'succeeded';
CREATE INDEX jobs_failed ON jobs (id) WHERE status = 'failed';
CREATE INDEX jobs_cancelled ON jobs (id) WHERE status = 'cancelled';
CREATE INDEX jobs_by_model ON jobs (model_name, id);
CREATE INDEX jobs_by_algorithm ON jobs (algorithm, id);
CREATE INDEX jobs_by_creator ON jobs (created_by, id);

-- Behind the sweep. Each covers only the few rows it is about, however many finished jobs there are.
CREATE INDEX jobs_undispatched ON jobs (created_by, priority DESC, id, run_at)
    WHERE status = 'queued' AND dispatched_at IS NULL;
CREATE INDEX jobs_dispatched ON jobs (created_by, priority)
    WHERE status = 'queued' AND dispatched_at IS NOT NULL;
CREATE INDEX jobs_dispatch_age ON jobs (dispatched_at)
    WHERE status = 'queued' AND dispatched_at IS NOT NULL;
CREATE INDEX jobs_leases ON jobs (lease_expires_at) WHERE status = 'running';

-- Behind the gauges and the queue position. A job that is due from the start is not in the second.
CREATE INDEX jobs_queue_order ON jobs (priority DESC, id, run_at) WHERE status = 'queued';
CREATE INDEX jobs_delayed ON jobs (run_at) WHERE status = 'queued' AND run_at > created_at;

CREATE TABLE idempotency_keys (
    user_id     UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    key         TEXT NOT NULL,
    body_sha256 TEXT NOT NULL,
    job_id      UUID NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
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
