-- Bulk actions on jobs. A process claims a running action by a lease, works through its jobs in small transactions, and
-- names its claim in each. Another process claims the action after the lease has expired.
CREATE TABLE job_actions (
    id               UUID PRIMARY KEY NOT NULL,
    action           TEXT NOT NULL CHECK (action IN ('cancel', 'retry')),
    -- The filter of the request, a JSON object.
    filter           TEXT NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed')),
    -- Limits the number of running actions.
    slot             BIGINT UNIQUE,
    total            BIGINT NOT NULL,
    processed        BIGINT NOT NULL,
    changed          BIGINT NOT NULL,
    skipped          BIGINT NOT NULL,
    -- The first skipped jobs with the reason, a JSON array.
    skipped_jobs     TEXT NOT NULL,
    created_by       UUID NOT NULL,
    request_id       TEXT,
    created_at       TIMESTAMPTZ NOT NULL,
    finished_at      TIMESTAMPTZ,
    error            TEXT,
    -- The fencing token: one more with every claim.
    claim            BIGINT NOT NULL,
    lease_expires_at TIMESTAMPTZ,
    CHECK ((status = 'running') = (slot IS NOT NULL)),
    CHECK ((status = 'running') = (lease_expires_at IS NOT NULL)),
    CHECK ((status = 'running') = (finished_at IS NULL)),
    CHECK (processed = changed + skipped AND processed <= total)
);

CREATE INDEX job_actions_running ON job_actions (lease_expires_at) WHERE status = 'running';
CREATE INDEX job_actions_finished ON job_actions (finished_at) WHERE finished_at IS NOT NULL;

-- The jobs that are left. The transaction that changes a job deletes its row, so no action changes a job twice.
CREATE TABLE job_action_items (
    action_id UUID NOT NULL,
    job_id    UUID NOT NULL,
    PRIMARY KEY (action_id, job_id)
);
