-- Links by which the owner of a lab lets people of the college in, and ports of a lab beside its own.
CREATE TABLE lab_shares (
    -- UUIDv7: newest last
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    lab_id TEXT NOT NULL REFERENCES labs (id),
    -- who made it: the lab's owner
    user_id TEXT NOT NULL REFERENCES users (id),
    -- hexadecimal SHA-256
    secret_hash TEXT NOT NULL UNIQUE,
    -- whether those who come by it may look only
    view_only BIGINT NOT NULL CHECK (view_only IN (0, 1)),
    created_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL,
    withdrawn_at BIGINT
);
CREATE INDEX lab_shares_lab ON lab_shares (lab_id, id);

-- The link by which the pass was made; only with the role share.
ALTER TABLE lab_passes ADD COLUMN share_id TEXT REFERENCES lab_shares (id);
CREATE INDEX lab_passes_share ON lab_passes (share_id) WHERE share_id IS NOT NULL;
-- The port of the pod that it is for; 0 for the lab's own.
ALTER TABLE lab_passes ADD COLUMN port BIGINT NOT NULL DEFAULT 0;
