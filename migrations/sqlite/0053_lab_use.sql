-- The last real use of each lab that was ever used: what stops unused labs goes by it.
CREATE TABLE lab_use (
    lab_id TEXT PRIMARY KEY REFERENCES labs (id),
    last_used_at BIGINT NOT NULL,
    -- page, change, cell, input, terminal, connection, kernel, processor, job, kept
    kind TEXT NOT NULL,
    -- null for what no person did
    user_id TEXT REFERENCES users (id)
);
