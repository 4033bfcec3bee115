-- Searches of the audit record that somebody keeps under a name.
CREATE TABLE audit_searches (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    owner_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    -- 1: every auditor of the tenant sees it
    shared BIGINT NOT NULL CHECK (shared IN (0, 1)),
    -- JSON of domain::audit::Filter
    filter TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (owner_id, name)
);
CREATE INDEX audit_searches_tenant ON audit_searches (tenant_id, name);
