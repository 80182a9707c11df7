-- What runs said of themselves: log lines and measured figures. A row holds what one write brought, so that a line costs
-- no row of its own; `first_seq` counts on through a run and begins higher with every claim.

CREATE TABLE job_logs (
    job_id    UUID NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
    first_seq BIGINT NOT NULL CHECK (first_seq >= 1),
    last_seq  BIGINT NOT NULL,
    lines     JSONB NOT NULL,
    PRIMARY KEY (job_id, first_seq),
    CHECK (last_seq >= first_seq)
);
