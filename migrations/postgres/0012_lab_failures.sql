-- Every failure of a lab with its evidence; a retry does not take the first one's away.
CREATE TABLE lab_failures (
    lab_id TEXT NOT NULL REFERENCES labs (id),
    -- counts from 1
    attempt BIGINT NOT NULL,
    at BIGINT NOT NULL,
    reason TEXT NOT NULL,
    message TEXT NOT NULL,
    -- JSON of domain::labs::Observation as it was then; null when the cluster refused before there was anything to see
    evidence TEXT,
    PRIMARY KEY (lab_id, attempt)
);
