-- What ends an account's sessions, passwords for one sign-in, deleted accounts, and the addresses that accounts signed in from.
-- Tables of their own and no new columns: processes of the version before go on reading `users` and `refresh_tokens` as
-- their prepared statements know them.

CREATE TABLE account_security (
    user_id             UUID PRIMARY KEY NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    sessions_end        TIMESTAMPTZ,
    kept_session        UUID,
    password_expires_at TIMESTAMPTZ,
    password_used_at    TIMESTAMPTZ,
    deleted_at          TIMESTAMPTZ
);

-- Who exchanged a refresh token, and whether the answer was repeated.
CREATE TABLE refresh_token_uses (
    token_id  UUID PRIMARY KEY NOT NULL REFERENCES refresh_tokens (id) ON DELETE CASCADE,
    used_from TEXT NOT NULL,
    repeated  BOOLEAN NOT NULL
);

-- `address` is a keyed hash.
CREATE TABLE known_addresses (
    user_id    UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address    TEXT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, address)
);

CREATE INDEX known_addresses_expiry ON known_addresses (expires_at);
