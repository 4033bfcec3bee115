-- Lists of people or courses that are taken over row by row.
CREATE TABLE imports (
    id TEXT PRIMARY KEY,
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    -- people, courses
    kind TEXT NOT NULL,
    file_name TEXT NOT NULL,
    -- preview, running, done
    state TEXT NOT NULL,
    created_by TEXT NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    finished_at BIGINT,
    -- when the links of the people it made were taken
    links_at BIGINT
);
CREATE INDEX imports_tenant ON imports (tenant_id, id);
CREATE INDEX imports_state ON imports (state);

CREATE TABLE import_rows (
    import_id TEXT NOT NULL REFERENCES imports (id),
    -- line of the list, the header not counted
    number BIGINT NOT NULL,
    -- JSON object: what was typed, by field
    cells TEXT NOT NULL,
    -- new, change, unchanged, error
    verdict TEXT NOT NULL,
    -- JSON array of field problems
    problems TEXT NOT NULL,
    -- done, failed; NULL is not yet
    result TEXT,
    -- the person or course that it is about
    subject_id TEXT,
    done_at BIGINT,
    PRIMARY KEY (import_id, number)
);
