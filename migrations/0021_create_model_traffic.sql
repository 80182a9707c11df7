-- Which version served when, which versions serve, and the guards of new versions.

-- One row for each change of an alias. The newest thousand of an alias are kept.
CREATE TABLE alias_moves (
    model_name   TEXT NOT NULL REFERENCES models (name) ON DELETE CASCADE,
    alias        TEXT NOT NULL,
    number       BIGINT NOT NULL CHECK (number >= 1),
    -- NULL: the alias did not exist.
    from_version BIGINT,
    -- NULL: the alias was deleted.
    to_version   BIGINT,
    -- The number of the move to whose version a rollback returns; NULL: there is none.
    returns_to   BIGINT,
    reason       TEXT NOT NULL,
    actor        UUID,
    detail       TEXT,
    moved_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (model_name, alias, number)
);

INSERT INTO alias_moves (model_name, alias, number, from_version, to_version, returns_to, reason, actor, detail, moved_at)
SELECT model_name, alias, 1, NULL, version, NULL, 'upgrade', NULL, NULL, updated_at FROM model_aliases;

-- The versions that answer requests without a version and without an alias.
CREATE TABLE model_traffic (
    model_name TEXT NOT NULL,
    version    BIGINT NOT NULL,
    -- 0: the version only gets copies of the requests.
    weight     BIGINT NOT NULL CHECK (weight >= 0),
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (model_name, version),
    FOREIGN KEY (model_name, version) REFERENCES model_versions (model_name, version) ON DELETE CASCADE
);

-- Limits on the failed and slow predictions of a version. A version that exceeds a limit is rolled back.
CREATE TABLE model_guards (
    id             UUID PRIMARY KEY NOT NULL,
    model_name     TEXT NOT NULL,
    version        BIGINT NOT NULL,
    -- NULL: the weights of the traffic are guarded.
    alias          TEXT,
    max_error_rate DOUBLE PRECISION,
    max_p99_ms     DOUBLE PRECISION,
    min_requests   BIGINT NOT NULL,
    ends_at        TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (model_name, version) REFERENCES model_versions (model_name, version) ON DELETE CASCADE
);

CREATE INDEX model_guards_version ON model_guards (model_name, version);

-- What each inference process has counted since the guard began.
CREATE TABLE guard_reports (
    guard_id UUID NOT NULL REFERENCES model_guards (id) ON DELETE CASCADE,
    process  UUID NOT NULL,
    requests BIGINT NOT NULL,
    failed   BIGINT NOT NULL,
    slow     BIGINT NOT NULL,
    PRIMARY KEY (guard_id, process)
);
