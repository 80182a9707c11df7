-- Filters and search of jobs. The collation `binary` compares bytes on both databases, so that an index finds the names with
-- a common beginning. SQLite has this collation; `Db::migrate` creates it on Postgres.

DROP INDEX job_orders_by_model;
CREATE INDEX job_orders_by_model_name ON job_orders (model_name COLLATE "binary", id);
CREATE INDEX job_orders_by_dataset ON job_orders (dataset_id, id);
CREATE INDEX datasets_by_name ON datasets (name COLLATE "binary", id);
CREATE INDEX users_by_email ON users (email COLLATE "binary", id);

-- The error code of each failed job. A job that is retried loses its row.
CREATE TABLE job_failures (
    job_id UUID PRIMARY KEY NOT NULL,
    code   TEXT NOT NULL
);
CREATE INDEX job_failures_by_code ON job_failures (code, job_id);

-- The words of the error of each failed job. The sweep adds both rows for jobs that an earlier version has finished.
CREATE TABLE job_failure_words (
    job_id UUID NOT NULL,
    word   TEXT COLLATE "binary" NOT NULL,
    PRIMARY KEY (job_id, word)
);
CREATE INDEX job_failure_words_by_word ON job_failure_words (word, job_id);
