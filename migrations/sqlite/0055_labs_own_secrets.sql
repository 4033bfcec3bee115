-- The secret that labs' own secrets are derived from is a secret of no offering and no order.
CREATE TABLE secrets_next (
    id TEXT PRIMARY KEY,
    -- what it belongs to; part of what the ciphertext is bound to, as are the id and the name
    owner_kind TEXT NOT NULL CHECK (owner_kind IN ('offering', 'order', 'labs')),
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
INSERT INTO secrets_next SELECT id, owner_kind, owner_id, name, key_id, sealed, was_clear, created_at FROM secrets;
DROP TABLE secrets;
ALTER TABLE secrets_next RENAME TO secrets;
CREATE INDEX secrets_owner ON secrets (owner_kind, owner_id, name);
CREATE INDEX secrets_key ON secrets (key_id);
-- There is one.
CREATE UNIQUE INDEX secrets_of_labs ON secrets (owner_kind) WHERE owner_kind = 'labs';
