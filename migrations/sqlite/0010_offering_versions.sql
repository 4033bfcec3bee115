-- Versions of offerings are written before they are on sale: drafts, published and retired ones, each with who changed it last.
CREATE TABLE offering_versions_next (
    offering_id TEXT NOT NULL REFERENCES offerings (id),
    version BIGINT NOT NULL,
    -- JSON of domain::catalogue::Offering
    document TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'published', 'retired')),
    -- counts changes of a draft
    revision BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    -- NULL: came with the product
    changed_by TEXT REFERENCES users (id),
    published_at BIGINT,
    retired_at BIGINT,
    PRIMARY KEY (offering_id, version)
);
INSERT INTO offering_versions_next (offering_id, version, document, state, revision, changed_at, changed_by, published_at, retired_at)
SELECT v.offering_id, v.version, v.document,
    -- only the newest was on sale
    CASE WHEN v.version = (SELECT MAX(n.version) FROM offering_versions n WHERE n.offering_id = v.offering_id AND n.retired_at IS NULL)
        THEN 'published' ELSE 'retired' END,
    1, v.published_at, NULL, v.published_at, v.retired_at
FROM offering_versions v;
DROP TABLE offering_versions;
ALTER TABLE offering_versions_next RENAME TO offering_versions;
-- How many labs run on a version.
CREATE INDEX orders_offering ON orders (offering_id, offering_version);
