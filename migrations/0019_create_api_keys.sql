-- API keys of accounts, for scripts and services. A deleted row is a revoked key.
CREATE TABLE api_keys (
    id           UUID PRIMARY KEY NOT NULL,
    user_id      UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    -- The first characters of the key, for lists.
    prefix       TEXT NOT NULL,
    -- SHA-256 of the whole key, hexadecimal. The key itself is not stored.
    key_hash     TEXT NOT NULL UNIQUE,
    -- The highest role of the key. The role of the account limits it as well.
    role         TEXT NOT NULL CHECK (role IN ('user', 'admin')),
    created_at   TIMESTAMPTZ NOT NULL,
    expires_at   TIMESTAMPTZ,
    -- Written at most once a minute.
    last_used_at TIMESTAMPTZ
);

-- The keys of an account, newest first.
CREATE INDEX api_keys_user ON api_keys (user_id, id);
