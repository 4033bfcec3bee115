-- Kept answers are looked for by their age, to be forgotten.
CREATE INDEX idempotency_keys_kept ON idempotency_keys (created_at) WHERE answer IS NOT NULL;
