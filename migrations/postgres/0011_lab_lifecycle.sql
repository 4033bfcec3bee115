-- What owners may do with a lab after it was made: restart, extend, resize, keep, stop by the clock.
-- Counts the times that its pods were to be made anew; pods of an earlier generation are replaced.
ALTER TABLE labs ADD COLUMN generation BIGINT NOT NULL DEFAULT 0;
-- JSON of domain::labs::Autostop
ALTER TABLE labs ADD COLUMN autostop TEXT NOT NULL DEFAULT '{}';
-- the next time that the owner's daily stop comes round; only while it is up
ALTER TABLE labs ADD COLUMN daily_stop_at BIGINT;
-- when a lab that is down is destroyed by itself
ALTER TABLE labs ADD COLUMN kept_until BIGINT;
CREATE INDEX labs_daily_stop ON labs (daily_stop_at) WHERE daily_stop_at IS NOT NULL;
CREATE INDEX labs_kept_until ON labs (kept_until) WHERE kept_until IS NOT NULL;

-- What the lab was made of until it was resized; the latest size is the lab's own.
CREATE TABLE lab_sizes (
    lab_id TEXT NOT NULL REFERENCES labs (id),
    until_at BIGINT NOT NULL,
    -- JSON of domain::catalogue::LabSpec
    spec TEXT NOT NULL,
    PRIMARY KEY (lab_id, until_at)
);

-- Warnings that were given, each once: for another end there is another warning.
CREATE TABLE lab_warnings (
    lab_id TEXT NOT NULL REFERENCES labs (id),
    -- ends_15, ends_5, destroy
    kind TEXT NOT NULL,
    -- the instant that is warned of
    about_at BIGINT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (lab_id, kind, about_at)
);
