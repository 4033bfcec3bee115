-- Entering labs: who may enter a lab's site from which browser, and who was there when.
-- The right of one browser to enter one lab. It begins as a ticket, which is taken once, and goes on as a cookie of the lab's site.
CREATE TABLE lab_passes (
    -- UUIDv7: newest last
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    lab_id TEXT NOT NULL REFERENCES labs (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    -- sessions.id of the portal's session that opened it; the pass ends with it
    session_id TEXT NOT NULL,
    -- owner, teacher, manager, break_glass
    role TEXT NOT NULL,
    -- of a break-glass pass
    reason TEXT,
    -- origin of the portal that opened it: the ticket is taken from no other
    origin TEXT NOT NULL,
    -- path on the lab's site that is shown first
    next TEXT NOT NULL,
    -- hexadecimal SHA-256
    ticket_hash TEXT NOT NULL UNIQUE,
    ticket_expires_at BIGINT NOT NULL,
    -- hexadecimal SHA-256; null until the ticket is taken
    cookie_hash TEXT UNIQUE,
    -- address of the browser that took the ticket
    address TEXT,
    created_at BIGINT NOT NULL,
    entered_at BIGINT,
    ended_at BIGINT,
    -- signed_out, access_lost, expired, lab_destroyed
    ended_by TEXT
);
CREATE INDEX lab_passes_live ON lab_passes (created_at) WHERE ended_at IS NULL;

-- A span of time in which a pass was used.
CREATE TABLE lab_visits (
    -- UUIDv7: newest last
    id TEXT PRIMARY KEY,
    pass_id TEXT NOT NULL REFERENCES lab_passes (id),
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    lab_id TEXT NOT NULL REFERENCES labs (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    -- those of the pass
    role TEXT NOT NULL,
    reason TEXT,
    address TEXT,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    -- left, lab_stopped, pass_ended
    ended_by TEXT,
    -- bytes to the lab, and from it
    bytes_in BIGINT NOT NULL,
    bytes_out BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE INDEX lab_visits_lab ON lab_visits (lab_id, id);
CREATE INDEX lab_visits_live ON lab_visits (last_used_at) WHERE ended_at IS NULL;
