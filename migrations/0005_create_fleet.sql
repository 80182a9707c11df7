-- The running processes: workers that beat, and the one process that leads the sweep.

CREATE TABLE workers (
    id           TEXT PRIMARY KEY NOT NULL,
    busy         BIGINT NOT NULL,
    capacity     BIGINT NOT NULL,
    version      TEXT NOT NULL,
    started_at   TIMESTAMPTZ NOT NULL,
    heartbeat_at TIMESTAMPTZ NOT NULL
);

CREATE INDEX workers_heartbeat ON workers (heartbeat_at);

CREATE TABLE leader_leases (
    name       TEXT PRIMARY KEY NOT NULL,
    owner      TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);
