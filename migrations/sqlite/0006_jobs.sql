-- Background work: what waits, and which replica does it.
CREATE TABLE outbox (
    id TEXT PRIMARY KEY,
    -- reconcile_lab, set_quota
    kind TEXT NOT NULL,
    -- what it is about: a lab's or a course's id
    subject TEXT NOT NULL,
    not_before BIGINT NOT NULL,
    attempts BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    last_error TEXT,
    -- asked for again while it was being done: counts up, so that finishing the old work does not remove the new
    generation BIGINT NOT NULL DEFAULT 1,
    UNIQUE (kind, subject)
);
CREATE INDEX outbox_due ON outbox (not_before);

CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    -- fencing token: grows with every new holder
    token BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
