-- Who people are at the identity provider that they sign in through.
CREATE TABLE identities (
    -- the provider's own name for itself, a URL
    issuer TEXT NOT NULL,
    -- its lasting name for the person, which it never gives to another
    subject TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (issuer, subject),
    UNIQUE (user_id, issuer)
);
