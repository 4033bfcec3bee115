-- Which college an offering belongs to: only its operators write it, whoever may order it.
ALTER TABLE offerings ADD COLUMN tenant_id TEXT REFERENCES tenants (id);
-- Until now: the college of whoever changed it last, or the one that was set up first.
UPDATE offerings SET tenant_id = COALESCE(
    (SELECT u.tenant_id FROM offering_versions v JOIN users u ON u.id = v.changed_by WHERE v.offering_id = offerings.id ORDER BY v.version DESC LIMIT 1),
    (SELECT t.id FROM tenants t WHERE t.parent_id IS NULL ORDER BY t.created_at, t.id LIMIT 1)
);
