-- A retry is given the first answer, byte for byte, whatever became of the order meanwhile.
-- JSON of domain::orders::OrderView; none for keys from before this step
ALTER TABLE idempotency_keys ADD COLUMN answer TEXT;
