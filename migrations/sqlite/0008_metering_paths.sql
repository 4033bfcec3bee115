-- Ways to rows that background work and long lists look for again and again.
-- Metering looks only at labs that still count.
CREATE INDEX labs_unmetered ON labs (id) WHERE metered_to IS NULL;
-- Usage of a whole tenant, latest first.
CREATE INDEX usage_records_latest ON usage_records (tenant_id, from_at);
