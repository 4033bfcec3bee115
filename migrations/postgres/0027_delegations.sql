-- Somebody decides for somebody who is away.
CREATE TABLE delegations (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    absent_id TEXT NOT NULL REFERENCES users (id),
    stand_in_id TEXT NOT NULL REFERENCES users (id),
    -- first instant of the first day, and first instant after the last one
    from_at BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    -- when one of the two ended it, or when it was seen to be over
    ended_at BIGINT
);
CREATE INDEX delegations_absent ON delegations (absent_id, until_at);
CREATE INDEX delegations_stand_in ON delegations (stand_in_id, until_at);
CREATE INDEX delegations_open ON delegations (until_at) WHERE ended_at IS NULL;

-- whose stage it was, where a stand-in acted
ALTER TABLE order_decisions ADD COLUMN on_behalf_of TEXT REFERENCES users (id);
