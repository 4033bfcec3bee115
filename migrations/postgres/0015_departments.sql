-- Departments below the college, roles at either, archived courses, budgets with a term.
-- `parent_id` NULL is a college: the boundary of isolation, and what `tenant_id` means everywhere else.
ALTER TABLE tenants ADD COLUMN parent_id TEXT REFERENCES tenants (id);
-- college, department, project, customer
ALTER TABLE tenants ADD COLUMN kind TEXT NOT NULL DEFAULT 'college';
CREATE INDEX tenants_parent ON tenants (parent_id);

ALTER TABLE courses ADD COLUMN department_id TEXT REFERENCES tenants (id);
ALTER TABLE courses ADD COLUMN archived_at BIGINT;
-- The budget counts what is used from here; NULL is from the beginning.
ALTER TABLE courses ADD COLUMN budget_from BIGINT;
-- From here on nothing more is granted; NULL is never.
ALTER TABLE courses ADD COLUMN budget_to BIGINT;
-- JSON: what happens at which percentage
ALTER TABLE courses ADD COLUMN budget_thresholds TEXT NOT NULL DEFAULT '[{"percent":100,"action":"block"}]';
CREATE INDEX courses_department ON courses (department_id);

-- A role is given at a college or at a department; until now all were the college's.
CREATE TABLE user_roles_by_place (
    user_id TEXT NOT NULL REFERENCES users (id),
    tenant_id TEXT NOT NULL REFERENCES tenants (id),
    role TEXT NOT NULL,
    PRIMARY KEY (user_id, tenant_id, role)
);
INSERT INTO user_roles_by_place (user_id, tenant_id, role)
SELECT r.user_id, u.tenant_id, r.role FROM user_roles r JOIN users u ON u.id = r.user_id;
DROP TABLE user_roles;
ALTER TABLE user_roles_by_place RENAME TO user_roles;
CREATE INDEX user_roles_place ON user_roles (tenant_id, role);
