-- Prediction jobs. They have the tables, the queue and the states of training jobs.

-- The kind of work, for the filter of lists. Older jobs, and those of older processes, are trainings.
ALTER TABLE job_orders ADD COLUMN kind TEXT NOT NULL DEFAULT 'training' CHECK (kind IN ('training', 'prediction'));

-- Partial, so that submitting a training writes no further index.
CREATE INDEX job_orders_predictions ON job_orders (id) WHERE kind = 'prediction';

-- The finished parts of the results, in row order. A row is inserted under the claim of the run that wrote the object, so
-- every part belongs to a run that was current. No foreign key: see 0003.
CREATE TABLE prediction_parts (
    job_id     UUID NOT NULL,
    part       BIGINT NOT NULL,
    object_key TEXT NOT NULL UNIQUE,
    row_count  BIGINT NOT NULL,
    byte_count BIGINT NOT NULL,
    -- SHA-256 of the object, hexadecimal.
    sha256     TEXT NOT NULL,
    -- The cells of the part that were missing, unreadable or unknown.
    counts     JSONB NOT NULL,
    PRIMARY KEY (job_id, part)
);
