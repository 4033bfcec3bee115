-- Public keys for SSH that their owners removed from the account: no lab takes them any more, also if its order names them.
CREATE TABLE ssh_keys_removed (
    user_id TEXT NOT NULL REFERENCES users (id),
    -- as in ssh_keys
    public_key TEXT NOT NULL,
    removed_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, public_key)
);
-- The outcome of the last try to bring the keys of its owner's account into a lab with an SSH server. The outbox has the work that waits.
CREATE TABLE lab_ssh_keys (
    lab_id TEXT PRIMARY KEY REFERENCES labs (id),
    -- the last try
    tried_at BIGINT NOT NULL,
    -- no_file, not_written; null if it succeeded
    problem TEXT
);
