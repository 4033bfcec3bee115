-- Prices that say how they are quoted, discounts, and usage that keeps what it was rated at.
-- 'unit' (by the hour; by the month for storage) or 'minute'; unit_micros is by the unit whatever this says
ALTER TABLE prices ADD COLUMN quoted TEXT NOT NULL DEFAULT 'unit';

-- A share off a tenant's prices for a time. Rows are ended, never deleted.
CREATE TABLE discounts (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    -- hundredths of a percent
    basis_points BIGINT NOT NULL CHECK (basis_points BETWEEN 1 AND 10000),
    from_at BIGINT NOT NULL,
    -- NULL: until it is ended; equal to from_at: withdrawn before it began
    to_at BIGINT CHECK (to_at >= from_at),
    reason TEXT NOT NULL
);
CREATE INDEX discounts_tenant ON discounts (tenant_id, from_at);

-- Hundredths of a percent, as they were when the row was rated.
ALTER TABLE usage_records ADD COLUMN discount_points BIGINT NOT NULL DEFAULT 0;

-- Every row of usage that ends before this instant is written and does not change; NULL after each change of the lab,
-- so that all of it is compared once.
ALTER TABLE labs ADD COLUMN usage_frontier BIGINT;

-- Sums of a month read this index alone, and lists follow its order.
DROP INDEX usage_records_course;
CREATE INDEX usage_records_course ON usage_records (course_id, month, from_at, amount_micros);
DROP INDEX usage_records_tenant;
CREATE INDEX usage_records_month ON usage_records
    (tenant_id, month, lab_id, meter, from_at, course_id, amount_micros, quantity, seconds);
