-- Decisions in stages, changes that wait for the requester's yes, questions and answers.

-- stages of the ruling that are passed
ALTER TABLE orders ADD COLUMN stage BIGINT NOT NULL DEFAULT 0;
-- the role whose decision a pending order waits for; NULL in every other state
ALTER TABLE orders ADD COLUMN awaits TEXT;
-- JSON list of the people who passed a stage and may not decide another one
ALTER TABLE orders ADD COLUMN barred TEXT NOT NULL DEFAULT '[]';
-- JSON of domain::decisions::Proposal; only while the requester must agree
ALTER TABLE orders ADD COLUMN proposal TEXT;
-- when the approvers were told that it expires soon
ALTER TABLE orders ADD COLUMN reminded_at BIGINT;
-- Until now a manager decided everything.
UPDATE orders SET awaits = 'manager' WHERE state = 'pending_approval';
CREATE INDEX orders_awaits ON orders (tenant_id, awaits, id);
CREATE INDEX orders_submitted ON orders (tenant_id, submitted_at);

-- One row for every step: approved, changed, rejected, asked, answered, expired.
CREATE TABLE order_decisions (
    id TEXT PRIMARY KEY,
    order_id TEXT NOT NULL REFERENCES orders (id),
    -- number of the stage, from 0
    stage BIGINT NOT NULL,
    -- role in which an approver acted; NULL for the requester and for time
    role TEXT,
    -- NULL for time
    user_id TEXT REFERENCES users (id),
    at BIGINT NOT NULL,
    step TEXT NOT NULL,
    -- reason, question or answer
    text TEXT NOT NULL,
    -- JSON list of domain::decisions::Change
    changes TEXT NOT NULL
);
CREATE INDEX order_decisions_order ON order_decisions (order_id, id);
-- What was decided before there were stages had one, a manager's.
INSERT INTO order_decisions (id, order_id, stage, role, user_id, at, step, text, changes)
SELECT id, id, 0, 'manager', decided_by, decided_at,
       CASE WHEN state = 'rejected' THEN 'reject' ELSE 'approve' END,
       CASE WHEN state = 'rejected' THEN COALESCE(reason, '') ELSE '' END, '[]'
FROM orders WHERE decided_by IS NOT NULL AND decided_at IS NOT NULL;
