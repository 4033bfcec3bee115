-- Orders for a class and for a timetable, and who is in the class.
-- when its lab comes up; none for at once
ALTER TABLE orders ADD COLUMN starts_at BIGINT;
-- a student of the roster as they were then, or 3/30
ALTER TABLE orders ADD COLUMN seat TEXT;
-- the same for orders that were made together
ALTER TABLE orders ADD COLUMN class_id TEXT;
ALTER TABLE orders ADD COLUMN class_seats BIGINT;
ALTER TABLE orders ADD COLUMN class_lessons BIGINT;
-- which of the lessons, from 1
ALTER TABLE orders ADD COLUMN class_lesson BIGINT;
CREATE INDEX orders_scheduled ON orders (course_id, starts_at) WHERE starts_at IS NOT NULL;
CREATE INDEX orders_class ON orders (class_id, id) WHERE class_id IS NOT NULL;

-- The roster of a course, in the order of its lines.
CREATE TABLE course_students (
    course_id TEXT NOT NULL REFERENCES courses (id),
    -- from 1
    position BIGINT NOT NULL,
    number TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (course_id, position),
    UNIQUE (course_id, number)
);
