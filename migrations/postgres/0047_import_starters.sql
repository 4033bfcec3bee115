-- The rows of a list are taken over in the name of whoever started it.
-- who started it last; none before the first start
ALTER TABLE imports ADD COLUMN started_by TEXT REFERENCES users (id);
UPDATE imports SET started_by = created_by WHERE state <> 'preview';
-- who typed the row anew; none for a row as it was uploaded
ALTER TABLE import_rows ADD COLUMN mended_by TEXT REFERENCES users (id);
