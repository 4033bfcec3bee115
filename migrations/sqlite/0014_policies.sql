-- Editing approval policies: a draft beside what is in force, and every version that was.

-- JSON of domain::approvals::Policy; NULL when nobody edits
ALTER TABLE approval_policies ADD COLUMN draft TEXT;
-- counts every step of the editor and every publication
ALTER TABLE approval_policies ADD COLUMN revision BIGINT NOT NULL DEFAULT 1;

CREATE TABLE approval_policy_versions (
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    version BIGINT NOT NULL,
    -- JSON of domain::approvals::Policy
    document TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    -- NULL for what the installation began with
    published_by TEXT REFERENCES users (id),
    PRIMARY KEY (tenant_id, version)
);
INSERT INTO approval_policy_versions (tenant_id, version, document, published_at, published_by)
SELECT p.tenant_id, p.version, p.document, t.created_at, NULL FROM approval_policies p JOIN tenants t ON t.id = p.tenant_id;
