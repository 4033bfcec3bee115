-- What searches compare: names and numbers without case and width, by domain::text::fold, which no database knows. NULL in rows that an
-- earlier version wrote, until a start fills it (storage::folded::fill).
ALTER TABLE users ADD COLUMN folded TEXT;
ALTER TABLE courses ADD COLUMN folded TEXT;
ALTER TABLE labs ADD COLUMN folded TEXT;
ALTER TABLE orders ADD COLUMN folded TEXT;
-- Empty but for what is to be filled.
CREATE INDEX users_unfolded ON users (id) WHERE folded IS NULL;
CREATE INDEX courses_unfolded ON courses (id) WHERE folded IS NULL;
CREATE INDEX labs_unfolded ON labs (id) WHERE folded IS NULL;
CREATE INDEX orders_unfolded ON orders (id) WHERE folded IS NULL;
-- A search reads the newest orders of a college first.
CREATE INDEX orders_tenant ON orders (tenant_id, id);
