-- The outbox of webhooks: written in the transaction that ends a job, sent by the leader of the sweep.

CREATE TABLE webhook_deliveries (
    -- Also the webhook-id, the same with every attempt.
    id              UUID PRIMARY KEY NOT NULL,
    job_id          UUID NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    url             TEXT NOT NULL,
    -- Host and port of the url: what shares the sender fairly.
    receiver        TEXT NOT NULL,
    event           TEXT NOT NULL,
    payload         JSONB NOT NULL,
    status          TEXT NOT NULL CHECK (status IN ('pending', 'delivered', 'failed')),
    -- Moves with every attempt and every replay, never reset: the result of an overtaken attempt finds no row.
    claim           BIGINT NOT NULL,
    -- Attempts of the present series.
    attempts        BIGINT NOT NULL,
    next_attempt_at TIMESTAMPTZ NOT NULL,
    last_status     BIGINT,
    last_error      TEXT,
    created_at      TIMESTAMPTZ NOT NULL,
    finished_at     TIMESTAMPTZ,
    CHECK ((status = 'pending') = (finished_at IS NULL))
);

-- Behind the sender, which reads what is due and nothing else, and behind the clean-up.
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (next_attempt_at, id, receiver) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_age ON webhook_deliveries (finished_at) WHERE finished_at IS NOT NULL;

-- Behind the lists, newest first, and the removal of jobs.
CREATE INDEX webhook_deliveries_pending ON webhook_deliveries (id) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_delivered ON webhook_deliveries (id) WHERE status = 'delivered';
CREATE INDEX webhook_deliveries_failed ON webhook_deliveries (id) WHERE status = 'failed';
CREATE INDEX webhook_deliveries_job ON webhook_deliveries (job_id, id);
