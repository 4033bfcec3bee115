-- The audit record. Rows are only ever added; sealing fills seq, prev and hash once.
CREATE TABLE audit_events (
    id TEXT PRIMARY KEY,
    -- 'system' or a tenant's id
    chain TEXT NOT NULL,
    at BIGINT NOT NULL,
    who_kind TEXT NOT NULL,
    who_id TEXT,
    -- login, job, or what was typed
    who_label TEXT NOT NULL,
    who_name TEXT NOT NULL,
    via TEXT NOT NULL,
    address TEXT,
    request_id TEXT,
    action TEXT NOT NULL,
    object_kind TEXT NOT NULL,
    object_id TEXT NOT NULL,
    object_label TEXT NOT NULL,
    course_id TEXT,
    outcome TEXT NOT NULL,
    code TEXT,
    before_json TEXT,
    after_json TEXT,
    attempts BIGINT NOT NULL,
    seq BIGINT,
    prev TEXT,
    hash TEXT,
    UNIQUE (chain, seq)
);
CREATE INDEX audit_events_chain ON audit_events (chain, id);
CREATE INDEX audit_events_who ON audit_events (chain, who_label, id);
CREATE INDEX audit_events_action ON audit_events (chain, action, id);
CREATE INDEX audit_events_object ON audit_events (chain, object_id, id);
CREATE INDEX audit_events_object_label ON audit_events (chain, object_label, id);
CREATE INDEX audit_events_outcome ON audit_events (chain, outcome, id);
CREATE INDEX audit_events_unsealed ON audit_events (at) WHERE seq IS NULL;

-- Last sealed record of each chain.
CREATE TABLE audit_heads (
    chain TEXT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);

-- Refused attempts of nobody in particular, counted per source and minute until they are written as one record.
CREATE TABLE audit_floods (
    action TEXT NOT NULL,
    address TEXT NOT NULL,
    minute BIGINT NOT NULL,
    -- what was typed last as a login; may be empty
    login TEXT NOT NULL,
    code TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    PRIMARY KEY (action, address, minute)
);

-- Words of each record: the application writes bigrams of Chinese text and whole words of the rest.
CREATE TABLE audit_words (
    id TEXT PRIMARY KEY,
    words TEXT NOT NULL
);
CREATE INDEX audit_words_index ON audit_words USING GIN (to_tsvector('simple', words));
