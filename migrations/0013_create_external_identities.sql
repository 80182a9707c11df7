-- Which account the users of outside token issuers (`auth.issuers`) have here.

CREATE TABLE external_identities (
    -- `iss` of the tokens, or the name of an issuer whose tokens carry none.
    issuer         TEXT NOT NULL,
    -- The user's id at the issuer.
    subject        TEXT NOT NULL,
    user_id        UUID NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Whether the issuer vouched for the e-mail address when the identity was linked.
    email_verified BOOLEAN NOT NULL,
    -- `iat` of the token that last set the account's role. NULL: administrators set the role.
    role_as_of     TIMESTAMPTZ,
    created_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (issuer, subject)
);

-- An account has one identity per issuer: an issuer that gives an e-mail address to another person must not hand over the account.
CREATE UNIQUE INDEX external_identities_user ON external_identities (user_id, issuer);
