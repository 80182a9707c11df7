-- The last checkpoint of each training job, from which the next run continues after a lost worker or a drain. A row is written
-- under the claim of the run that wrote the object, so every checkpoint belongs to a run that was current. No foreign key: see
-- 0003.
CREATE TABLE checkpoints (
    job_id     UUID PRIMARY KEY,
    object_key TEXT NOT NULL UNIQUE,
    byte_count BIGINT NOT NULL,
    -- SHA-256 of the object, hexadecimal.
    sha256     TEXT NOT NULL
);
