-- Models, their versions, and the aliases that say which version is served.

-- A deleted model keeps its row, so that its version numbers are never used again.
CREATE TABLE models (
    name           TEXT PRIMARY KEY NOT NULL,
    id             UUID NOT NULL UNIQUE,
    latest_version BIGINT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    deleted_at     TIMESTAMPTZ
);

CREATE INDEX models_present ON models (id) WHERE deleted_at IS NULL;

CREATE TABLE model_versions (
    model_name   TEXT NOT NULL REFERENCES models (name) ON DELETE CASCADE,
    version      BIGINT NOT NULL CHECK (version >= 1),
    -- No job publishes twice, however often it ran.
    job_id       UUID NOT NULL UNIQUE REFERENCES jobs (id),
    algorithm    TEXT NOT NULL,
    features     JSONB NOT NULL,
    target       TEXT NOT NULL,
    metrics      JSONB NOT NULL,
    dataset_id   UUID NOT NULL REFERENCES datasets (id),
    byte_count   BIGINT NOT NULL,
    sha256       TEXT NOT NULL,
    artifact_key TEXT NOT NULL UNIQUE,
    -- Where in a trace it was published; NULL where nobody asked.
    traceparent  TEXT,
    created_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (model_name, version)
);

CREATE INDEX model_versions_dataset ON model_versions (dataset_id);

CREATE TABLE model_aliases (
    model_name TEXT NOT NULL,
    alias      TEXT NOT NULL,
    version    BIGINT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (model_name, alias),
    FOREIGN KEY (model_name, version) REFERENCES model_versions (model_name, version) ON DELETE CASCADE
);

CREATE INDEX model_aliases_version ON model_aliases (model_name, version);

-- One row: moves with everything the inference role has to hear of, and is what it polls.
CREATE TABLE serving_state (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    revision BIGINT NOT NULL
);
INSERT INTO serving_state (id, revision) VALUES (1, 0);
