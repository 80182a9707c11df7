-- How the file of a dataset is read, and what its profile suggests. A table of its own and no new columns: processes of the
-- version before go on reading `datasets` as their prepared statements know it. A dataset without a row is a UTF-8 file
-- with commas and a header, uploaded by an earlier version.

CREATE TABLE dataset_formats (
    dataset_id       UUID PRIMARY KEY NOT NULL REFERENCES datasets (id) ON DELETE CASCADE,
    format           JSONB NOT NULL,
    duplicate_rows   BIGINT NOT NULL,
    suggested_target TEXT,
    suggested_task   TEXT
);
