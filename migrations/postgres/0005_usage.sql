-- Rated usage: one row for each lab, meter and begin. An open row grows until its interval ends.
CREATE TABLE usage_records (
    lab_id TEXT NOT NULL REFERENCES labs (id),
    meter TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    course_id TEXT NOT NULL REFERENCES courses (id),
    quantity BIGINT NOT NULL,
    seconds BIGINT NOT NULL,
    unit_micros BIGINT NOT NULL,
    amount_micros BIGINT NOT NULL,
    currency TEXT NOT NULL,
    -- 2026-11, on campus time
    month TEXT NOT NULL,
    open BIGINT NOT NULL CHECK (open IN (0, 1)),
    PRIMARY KEY (lab_id, meter, from_at)
);
CREATE INDEX usage_records_course ON usage_records (course_id, month);
CREATE INDEX usage_records_tenant ON usage_records (tenant_id, month);
