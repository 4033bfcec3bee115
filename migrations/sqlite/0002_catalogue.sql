-- What can be ordered, what it costs and who must agree.
CREATE TABLE offerings (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    -- order in the catalogue
    position BIGINT NOT NULL
);

CREATE TABLE offering_versions (
    offering_id TEXT NOT NULL REFERENCES offerings (id),
    version BIGINT NOT NULL,
    -- JSON of domain::catalogue::Offering
    document TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    retired_at BIGINT,
    PRIMARY KEY (offering_id, version)
);

CREATE TABLE price_books (
    id TEXT PRIMARY KEY,
    -- NULL: for every tenant without one of its own
    tenant_id TEXT UNIQUE REFERENCES tenants (id),
    currency TEXT NOT NULL
);

CREATE TABLE prices (
    book_id TEXT NOT NULL REFERENCES price_books (id),
    meter TEXT NOT NULL,
    from_at BIGINT NOT NULL,
    -- micro-units per unit of the meter
    unit_micros BIGINT NOT NULL CHECK (unit_micros >= 0),
    PRIMARY KEY (book_id, meter, from_at)
);

CREATE TABLE approval_policies (
    tenant_id TEXT PRIMARY KEY REFERENCES tenants (id),
    version BIGINT NOT NULL,
    -- JSON of domain::approvals::Policy
    document TEXT NOT NULL
);
