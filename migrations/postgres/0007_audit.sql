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
CREATE FUNCTION audit_events_only_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF OLD.seq IS NULL AND NEW.seq IS NOT NULL
            AND to_jsonb(NEW) - 'seq' - 'prev' - 'hash' = to_jsonb(OLD) - 'seq' - 'prev' - 'hash' THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit records are only added';
END;
$$;
CREATE TRIGGER audit_events_fixed BEFORE UPDATE OR DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION audit_events_only_added();
CREATE TRIGGER audit_events_stay BEFORE TRUNCATE ON audit_events FOR EACH STATEMENT EXECUTE FUNCTION audit_events_only_added();

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
CREATE TABLE audit_words (
    id TEXT PRIMARY KEY,
    words TEXT NOT NULL
);
CREATE INDEX audit_words_index ON audit_words USING GIN (to_tsvector('simple', words));
