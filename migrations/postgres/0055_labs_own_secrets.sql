-- The secret that labs' own secrets are derived from is a secret of no offering and no order.
ALTER TABLE secrets DROP CONSTRAINT secrets_owner_kind_check;
ALTER TABLE secrets ADD CONSTRAINT secrets_owner_kind_check CHECK (owner_kind IN ('offering', 'order', 'labs'));
-- There is one.
CREATE UNIQUE INDEX secrets_of_labs ON secrets (owner_kind) WHERE owner_kind = 'labs';
