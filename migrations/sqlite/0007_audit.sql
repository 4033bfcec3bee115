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
-- Pages are newest first: (at, id) is the key of their cursor.
CREATE INDEX audit_events_chain ON audit_events (chain, at, id);
CREATE INDEX audit_events_who ON audit_events (chain, who_label, at, id);
CREATE INDEX audit_events_action ON audit_events (chain, action, at, id);
CREATE INDEX audit_events_object ON audit_events (chain, object_id, at, id);
CREATE INDEX audit_events_object_label ON audit_events (chain, object_label, at, id);
CREATE INDEX audit_events_outcome ON audit_events (chain, outcome, at, id);
CREATE INDEX audit_events_unsealed ON audit_events (id) WHERE seq IS NULL;

-- A record stays as it is; only sealing may fill seq, prev and hash, once.
CREATE TRIGGER audit_events_stay BEFORE DELETE ON audit_events
BEGIN
    SELECT RAISE(ABORT, 'audit records are only added');
END;
CREATE TRIGGER audit_events_fixed BEFORE UPDATE ON audit_events
WHEN OLD.seq IS NOT NULL OR NEW.seq IS NULL
     OR NEW.id IS NOT OLD.id
     OR NEW.chain IS NOT OLD.chain
     OR NEW.at IS NOT OLD.at
     OR NEW.who_kind IS NOT OLD.who_kind
     OR NEW.who_id IS NOT OLD.who_id
     OR NEW.who_label IS NOT OLD.who_label
     OR NEW.who_name IS NOT OLD.who_name
     OR NEW.via IS NOT OLD.via
     OR NEW.address IS NOT OLD.address
     OR NEW.request_id IS NOT OLD.request_id
     OR NEW.action IS NOT OLD.action
     OR NEW.object_kind IS NOT OLD.object_kind
     OR NEW.object_id IS NOT OLD.object_id
     OR NEW.object_label IS NOT OLD.object_label
     OR NEW.course_id IS NOT OLD.course_id
     OR NEW.outcome IS NOT OLD.outcome
     OR NEW.code IS NOT OLD.code
     OR NEW.before_json IS NOT OLD.before_json
     OR NEW.after_json IS NOT OLD.after_json
     OR NEW.attempts IS NOT OLD.attempts
BEGIN
    SELECT RAISE(ABORT, 'audit records are only added');
END;

-- Last sealed record of each chain.
CREATE TABLE audit_heads (
    chain TEXT PRIMARY KEY,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL
);

-- Refused attempts of nobody in particular, counted per source and minute until they are written as one record.
CREATE TABLE audit_floods (
    action TEXT NOT NULL,
    via TEXT NOT NULL,
    -- IP address; empty when unknown
    address TEXT NOT NULL,
    minute BIGINT NOT NULL,
    -- what was typed last as a login; may be empty
    login TEXT NOT NULL,
    code TEXT NOT NULL,
    -- those that have no record of their own yet
    attempts BIGINT NOT NULL,
    PRIMARY KEY (action, via, address, minute)
);

-- Words of each record: the application writes bigrams of Chinese text and whole words of the rest.
CREATE VIRTUAL TABLE audit_words USING fts5 (id UNINDEXED, words, tokenize = "unicode61 remove_diacritics 2");
