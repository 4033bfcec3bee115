-- How long each step of a lab's start took. The usual times of an offering are computed from them.
CREATE TABLE lab_starts (
    lab_id TEXT NOT NULL REFERENCES labs (id),
    -- when the lab was ready
    ready_at BIGINT NOT NULL,
    offering_id TEXT NOT NULL,
    -- JSON: pairs of step and seconds
    steps TEXT NOT NULL,
    PRIMARY KEY (lab_id, ready_at)
);
CREATE INDEX lab_starts_offering ON lab_starts (offering_id, ready_at);
