-- Labs, their life, and the cards that exist and are held.
CREATE TABLE labs (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL UNIQUE REFERENCES orders (id),
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    course_id TEXT NOT NULL REFERENCES courses (id),
    owner_id TEXT NOT NULL REFERENCES users (id),
    name TEXT NOT NULL UNIQUE,
    namespace TEXT NOT NULL,
    offering_name TEXT NOT NULL,
    spec TEXT NOT NULL,
    card TEXT NOT NULL,
    cards BIGINT NOT NULL,
    card_parts BIGINT NOT NULL,
    cpu_cores BIGINT NOT NULL,
    memory_gib BIGINT NOT NULL,
    storage_gib BIGINT NOT NULL,
    minutes BIGINT NOT NULL,
    state TEXT NOT NULL,
    -- JSON of domain::labs::Failure
    failure TEXT,
    created_at BIGINT NOT NULL,
    -- when it began to wait for cards again after a stop
    queued_at BIGINT,
    first_running_at BIGINT,
    ends_at BIGINT,
    -- metered so far, all meters
    cost_micros BIGINT NOT NULL DEFAULT 0,
    currency TEXT NOT NULL,
    -- every change before this instant is metered and closed
    metered_to BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX labs_course ON labs (course_id, state);
CREATE INDEX labs_owner ON labs (owner_id, id);
CREATE INDEX labs_tenant ON labs (tenant_id, id);
CREATE INDEX labs_state ON labs (state, ends_at);

CREATE TABLE lab_changes (
    lab_id TEXT NOT NULL REFERENCES labs (id),
    seq BIGINT NOT NULL,
    from_state TEXT,
    to_state TEXT NOT NULL,
    at BIGINT NOT NULL,
    cause TEXT NOT NULL,
    by_user TEXT REFERENCES users (id),
    PRIMARY KEY (lab_id, seq)
);
CREATE INDEX lab_changes_at ON lab_changes (at);

-- The last thing the cluster said of a lab.
CREATE TABLE lab_observations (
    lab_id TEXT PRIMARY KEY REFERENCES labs (id),
    -- JSON of domain::labs::Observation
    document TEXT NOT NULL,
    observed_at BIGINT NOT NULL
);

-- Cards set aside, one row a lab. The sum per card never exceeds the pool when a row is added.
CREATE TABLE reservations (
    lab_id TEXT PRIMARY KEY REFERENCES labs (id),
    card TEXT NOT NULL,
    cards BIGINT NOT NULL CHECK (cards >= 0),
    reserved_at BIGINT NOT NULL
);
CREATE INDEX reservations_card ON reservations (card);

-- Cards that the cluster has, by kind.
CREATE TABLE card_pools (
    card TEXT PRIMARY KEY,
    total BIGINT NOT NULL,
    largest_node BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

-- What is known of the cluster; one row.
CREATE TABLE cluster_status (
    name TEXT PRIMARY KEY,
    -- JSON of domain::cluster::ClusterStatus without its pools
    document TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);
