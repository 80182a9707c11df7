-- The memory limit of the training processes of a worker in megabytes; 0 is no limit. NULL: the worker has an earlier version.
-- A job that needs more than every worker allows is refused at its submission.
ALTER TABLE workers ADD COLUMN memory_limit_mb BIGINT;
