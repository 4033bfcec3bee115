-- Public keys by which people sign in to their labs over SSH.
CREATE TABLE ssh_keys (
    -- UUIDv7: newest last
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    -- as in authorized_keys, without a comment: ssh-ed25519 AAAA…
    public_key TEXT NOT NULL,
    -- SHA256:…, as ssh-keygen -l shows it
    fingerprint TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX ssh_keys_of_user ON ssh_keys (user_id, fingerprint);
