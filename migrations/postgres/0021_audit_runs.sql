-- Verifications of the audit chains that somebody asked for. A run that was cut off begins anew.
CREATE TABLE audit_runs (
    -- UUIDv7: newest last
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    asked_by TEXT NOT NULL REFERENCES users (id),
    asked_at BIGINT NOT NULL,
    -- waiting, running, good, broken
    state TEXT NOT NULL,
    -- records checked so far, of those that were sealed when it began
    checked BIGINT NOT NULL,
    total BIGINT NOT NULL,
    finished_at BIGINT,
    -- JSON list of domain::audit::run::ChainResult
    chains TEXT NOT NULL
);
CREATE INDEX audit_runs_tenant ON audit_runs (tenant_id, id);
CREATE INDEX audit_runs_open ON audit_runs (state, id);
