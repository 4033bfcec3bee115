-- Orders that ask for more time or another size of a lab that exists.
-- the lab; none for an order that makes a lab of its own
ALTER TABLE orders ADD COLUMN changes_lab TEXT;
-- JSON of domain::orders::LabChange
ALTER TABLE orders ADD COLUMN lab_change TEXT;
CREATE INDEX orders_changes_lab ON orders (changes_lab, state) WHERE changes_lab IS NOT NULL;
