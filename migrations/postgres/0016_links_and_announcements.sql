-- One-time links by which people set their password, and what is announced.
CREATE TABLE one_time_links (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    -- invite, reset
    kind TEXT NOT NULL,
    -- SHA-256 of the secret
    secret_hash TEXT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX one_time_links_user ON one_time_links (user_id);

CREATE TABLE announcements (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    -- A department; NULL is everybody in the college, and the sign-in page.
    department_id TEXT REFERENCES tenants (id),
    -- info, maintenance
    level TEXT NOT NULL,
    text_zh TEXT NOT NULL,
    text_en TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    ended_at BIGINT
);
CREATE INDEX announcements_time ON announcements (to_at);

CREATE TABLE announcement_dismissals (
    user_id TEXT NOT NULL REFERENCES users (id),
    announcement_id TEXT NOT NULL REFERENCES announcements (id),
    PRIMARY KEY (user_id, announcement_id)
);
