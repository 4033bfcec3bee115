-- The kind of card that a lab had when the row was used: a lab that is resized has another one today.
ALTER TABLE usage_records ADD COLUMN card TEXT NOT NULL DEFAULT '';
-- Rows of cards say it themselves; of the rest the lab's card is the best that is known.
UPDATE usage_records SET card = SUBSTR(meter, 5, LENGTH(meter) - 9) WHERE meter LIKE 'gpu-%-hour';
UPDATE usage_records SET card = (SELECT l.card FROM labs l WHERE l.id = usage_records.lab_id) WHERE card = '';
-- Sums of a month read this index alone.
DROP INDEX usage_records_month;
CREATE INDEX usage_records_month ON usage_records
    (tenant_id, month, lab_id, meter, from_at, course_id, amount_micros, quantity, seconds, card);
