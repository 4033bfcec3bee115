-- Secrets, encrypted under a key that is not in the database.
CREATE TABLE secrets (
    id TEXT PRIMARY KEY,
    -- what it belongs to; part of what the ciphertext is bound to, as are the id and the name
    owner_kind TEXT NOT NULL CHECK (owner_kind IN ('offering', 'order')),
    owner_id TEXT NOT NULL,
    -- of an environment variable: HF_TOKEN
    name TEXT NOT NULL,
    -- the key that opens it: a row of secret_keys
    key_id TEXT NOT NULL,
    -- nonce and ciphertext in hexadecimal
    sealed TEXT NOT NULL,
    -- 1: it lay in the database in clear before and should be replaced at its source
    was_clear BIGINT NOT NULL CHECK (was_clear IN (0, 1)),
    created_at BIGINT NOT NULL
);
CREATE INDEX secrets_owner ON secrets (owner_kind, owner_id, name);
CREATE INDEX secrets_key ON secrets (key_id);

-- The keys that this database needs, by their fingerprints. A process that lacks one of them does not start.
CREATE TABLE secret_keys (
    id TEXT PRIMARY KEY,
    -- 1: new secrets are encrypted under it
    is_current BIGINT NOT NULL CHECK (is_current IN (0, 1)),
    created_at BIGINT NOT NULL
);
-- Of two processes that start on an empty database, one makes the key.
CREATE UNIQUE INDEX secret_keys_current ON secret_keys (is_current) WHERE is_current = 1;
