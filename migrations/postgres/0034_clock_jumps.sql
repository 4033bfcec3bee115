-- Times that never were, because the machine's clock was moved ahead while the portal ran: no usage falls into them.
CREATE TABLE clock_jumps (
    from_at BIGINT PRIMARY KEY,
    to_at BIGINT NOT NULL
);
