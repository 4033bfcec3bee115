-- Tenants, courses, people and how they prove who they are.
-- Ids are UUIDv7 text, instants microseconds UTC, money micro-units, flags BIGINT 0/1.
CREATE TABLE tenants (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE courses (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    -- Kubernetes namespace
    namespace TEXT NOT NULL UNIQUE,
    -- 1/840 of a card
    cards_limit BIGINT NOT NULL,
    cpu_cores_limit BIGINT NOT NULL,
    memory_gib_limit BIGINT NOT NULL,
    storage_gib_limit BIGINT NOT NULL,
    running_labs_limit BIGINT NOT NULL,
    budget_micros BIGINT NOT NULL,
    currency TEXT NOT NULL,
    -- 1/840 of a card; above it an order asks for approval
    cards_per_order BIGINT NOT NULL,
    starts_per_day BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (tenant_id, code)
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    -- lower case
    login TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    -- argon2id, PHC string
    password_hash TEXT NOT NULL,
    -- counts password changes and disabling: a session made under another number is over
    credentials_version BIGINT NOT NULL DEFAULT 1,
    disabled_at BIGINT,
    created_at BIGINT NOT NULL,
    last_sign_in_at BIGINT
);

CREATE TABLE user_roles (
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    PRIMARY KEY (user_id, role)
);

CREATE TABLE course_members (
    user_id TEXT NOT NULL REFERENCES users (id),
    course_id TEXT NOT NULL REFERENCES courses (id),
    PRIMARY KEY (user_id, course_id)
);
CREATE INDEX course_members_course ON course_members (course_id);

CREATE TABLE sessions (
    -- SHA-256 of the cookie's value: a copy of the table opens no session
    id TEXT PRIMARY KEY,
    user_id TEXT REFERENCES users (id),
    -- JSON
    data TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE sign_in_attempts (
    -- account or address, prefixed with which
    bucket TEXT NOT NULL,
    -- seconds since 1970: any window of 60 of them can be summed
    second BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (bucket, second)
);
CREATE INDEX sign_in_attempts_second ON sign_in_attempts (second);

CREATE TABLE tokens (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL,
    -- SHA-256 of the secret
    secret_hash TEXT NOT NULL UNIQUE,
    -- JSON array
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX tokens_user ON tokens (user_id);

CREATE TABLE settings (
    key TEXT PRIMARY KEY,
    -- JSON
    value TEXT NOT NULL,
    -- caches compare it
    version BIGINT NOT NULL
);
