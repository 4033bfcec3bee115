-- Closed months, and what stands on bills beside usage.
-- A tenant's month that is closed: none of its usage, adjustments or bills changes.
CREATE TABLE bill_closings (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    -- 2026-11, on campus time
    month TEXT NOT NULL,
    closed_at BIGINT NOT NULL,
    closed_by TEXT REFERENCES users (id),
    PRIMARY KEY (tenant_id, month)
);

-- What each course had to pay when the month was closed.
CREATE TABLE bills (
    tenant_id TEXT NOT NULL,
    month TEXT NOT NULL,
    course_id TEXT NOT NULL REFERENCES courses (id),
    usage_micros BIGINT NOT NULL,
    adjustments_micros BIGINT NOT NULL,
    currency TEXT NOT NULL,
    labs BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, month, course_id),
    FOREIGN KEY (tenant_id, month) REFERENCES bill_closings (tenant_id, month)
);

CREATE TABLE adjustments (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    course_id TEXT NOT NULL REFERENCES courses (id),
    -- the month on whose bill it stands
    month TEXT NOT NULL,
    -- 'credit', 'charge' or 'correction'
    kind TEXT NOT NULL,
    -- negative for what is given back
    amount_micros BIGINT NOT NULL,
    currency TEXT NOT NULL,
    reason TEXT NOT NULL,
    lab_id TEXT REFERENCES labs (id),
    -- the closed month that a correction belongs to
    of_month TEXT,
    created_at BIGINT NOT NULL,
    -- NULL: metering
    created_by TEXT REFERENCES users (id)
);
CREATE INDEX adjustments_tenant ON adjustments (tenant_id, month);
CREATE INDEX adjustments_course ON adjustments (course_id, month);
CREATE INDEX adjustments_lab ON adjustments (lab_id, of_month);
