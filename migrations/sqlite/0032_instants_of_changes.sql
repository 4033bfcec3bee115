-- Usage is counted by when a change took place, not by when the portal noticed it: an outage is charged to nobody.
-- when the portal noticed the change, where that was more than a minute after it took place
ALTER TABLE lab_changes ADD COLUMN noticed_at BIGINT;
-- until when the lab's pods were there although its time was over
ALTER TABLE lab_changes ADD COLUMN ran_until BIGINT;
CREATE INDEX lab_changes_ran_until ON lab_changes (ran_until) WHERE ran_until IS NOT NULL;
-- From when on the volume of a lab that is down is kept without charge: the end of a lesson, or when the lab was to be destroyed, where the
-- portal was away then and gives its owner another day.
ALTER TABLE labs ADD COLUMN grace_from BIGINT;
-- Such stretches that are over, because somebody wants the lab again.
CREATE TABLE lab_free_storage (
    lab_id TEXT NOT NULL REFERENCES labs (id),
    from_at BIGINT NOT NULL,
    to_at BIGINT NOT NULL,
    PRIMARY KEY (lab_id, from_at)
);
