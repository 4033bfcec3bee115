-- Messages to one person: kept until they are old, counted until they are read.
CREATE TABLE notifications (
    -- UUIDv7: newest last
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id),
    -- JSON of domain::notifications::Notice
    notice TEXT NOT NULL,
    -- SHA-256 of the notice: work that runs twice tells once
    digest TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    read_at BIGINT,
    UNIQUE (user_id, digest)
);
CREATE INDEX notifications_unread ON notifications (user_id, read_at, id);
CREATE INDEX notifications_age ON notifications (created_at);
