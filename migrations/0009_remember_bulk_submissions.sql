-- A key may stand for many jobs submitted at once: all of them, in order. NULL where it stands for `job_id` alone.

ALTER TABLE idempotency_keys ADD COLUMN job_ids JSONB;
