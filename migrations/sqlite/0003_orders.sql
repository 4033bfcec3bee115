-- Orders, and the requests that made them.
CREATE TABLE orders (
    id TEXT PRIMARY KEY,
    number BIGINT NOT NULL UNIQUE,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    course_id TEXT NOT NULL REFERENCES courses (id),
    owner_id TEXT NOT NULL REFERENCES users (id),
    offering_id TEXT NOT NULL REFERENCES offerings (id),
    offering_version BIGINT NOT NULL,
    -- JSON of the localized name
    offering_name TEXT NOT NULL,
    -- JSON, as typed
    parameters TEXT NOT NULL,
    -- JSON of domain::catalogue::LabSpec
    spec TEXT NOT NULL,
    -- what the queue and the quota sum by; copies from spec
    card TEXT NOT NULL,
    cards BIGINT NOT NULL,
    -- 1/840 of a card
    card_parts BIGINT NOT NULL,
    cpu_cores BIGINT NOT NULL,
    memory_gib BIGINT NOT NULL,
    storage_gib BIGINT NOT NULL,
    minutes BIGINT NOT NULL,
    purpose TEXT NOT NULL,
    state TEXT NOT NULL,
    -- JSON of domain::approvals::Ruling
    ruling TEXT NOT NULL,
    -- JSON of domain::pricing::Estimate
    estimate TEXT NOT NULL,
    -- held from the budget while the order lives: the estimate's total
    held_micros BIGINT NOT NULL,
    currency TEXT NOT NULL,
    submitted_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    decided_at BIGINT,
    decided_by TEXT REFERENCES users (id),
    reason TEXT,
    queued_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX orders_course ON orders (course_id, state);
CREATE INDEX orders_owner ON orders (owner_id, id);
CREATE INDEX orders_tenant_state ON orders (tenant_id, state, id);
CREATE INDEX orders_queue ON orders (state, card, queued_at);

-- The next order number; one row.
CREATE TABLE order_numbers (
    name TEXT PRIMARY KEY,
    next BIGINT NOT NULL
);
INSERT INTO order_numbers (name, next) VALUES ('order', 1001);

CREATE TABLE idempotency_keys (
    user_id TEXT NOT NULL REFERENCES users (id),
    key TEXT NOT NULL,
    -- SHA-256 of the request: the same key with another body is refused
    request_hash TEXT NOT NULL,
    order_id TEXT NOT NULL REFERENCES orders (id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, key)
);
