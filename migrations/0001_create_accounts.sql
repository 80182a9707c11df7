-- Accounts, the refresh tokens that keep them signed in, and who did what.
-- Portable: every statement in this folder runs unchanged on Postgres and on SQLite.

CREATE TABLE users (
    id            UUID PRIMARY KEY NOT NULL,
    email         TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role          TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    disabled      BOOLEAN NOT NULL DEFAULT FALSE,
    created_at    TIMESTAMPTZ NOT NULL
);

-- Read by every inference process at every refresh.
CREATE INDEX users_disabled ON users (id) WHERE disabled;
-- "Is there still an active administrator?"
CREATE INDEX users_active_admins ON users (id) WHERE role = 'admin' AND NOT disabled;

CREATE TABLE refresh_tokens (
    id         UUID PRIMARY KEY NOT NULL,
    family     UUID NOT NULL,
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_hash TEXT NOT NULL UNIQUE,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    used_at    TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ
);

CREATE INDEX refresh_tokens_family ON refresh_tokens (family);
CREATE INDEX refresh_tokens_user ON refresh_tokens (user_id);
CREATE INDEX refresh_tokens_expiry ON refresh_tokens (expires_at);

-- No foreign key on the actor: an entry outlives what it speaks of. `detail` is a JSON object that no query looks into,
-- kept as the text it is.
CREATE TABLE audit_entries (
    id         UUID PRIMARY KEY NOT NULL,
    at         TIMESTAMPTZ NOT NULL,
    actor      UUID,
    action     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    request_id TEXT,
    detail     TEXT NOT NULL
);
