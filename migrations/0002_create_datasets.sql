-- Data sets. Deletion only marks a version: jobs and models go on naming what they were trained on, and version numbers
-- are never used twice.

CREATE TABLE datasets (
    id          UUID PRIMARY KEY NOT NULL,
    name        TEXT NOT NULL,
    version     BIGINT NOT NULL CHECK (version >= 1),
    row_count   BIGINT NOT NULL,
    byte_count  BIGINT NOT NULL,
    columns     JSONB NOT NULL,
    sha256      TEXT NOT NULL,
    storage_key TEXT NOT NULL,
    warnings    JSONB NOT NULL,
    created_by  UUID REFERENCES users (id),
    created_at  TIMESTAMPTZ NOT NULL,
    deleted_at  TIMESTAMPTZ,
    UNIQUE (name, version)
);

CREATE INDEX datasets_present ON datasets (id) WHERE deleted_at IS NULL;
CREATE INDEX datasets_storage_key ON datasets (storage_key);
CREATE INDEX datasets_creator ON datasets (created_by);
