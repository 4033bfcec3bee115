-- The end of the log of each container of a job, kept since its pod is deleted when the job ends.
CREATE TABLE lab_logs (
    lab_id TEXT NOT NULL REFERENCES labs (id),
    pod_uid TEXT NOT NULL,
    container TEXT NOT NULL,
    pod_name TEXT NOT NULL,
    -- of the container in its pod
    place BIGINT NOT NULL,
    -- of the lab, when the pod was made
    generation BIGINT NOT NULL,
    -- counts from 1 in each start
    attempt BIGINT NOT NULL,
    exit_code BIGINT,
    ended_at BIGINT,
    kept_at BIGINT NOT NULL,
    -- of the text
    bytes BIGINT NOT NULL,
    -- 1 if earlier lines were left out
    cut BIGINT NOT NULL,
    -- the text, compressed; null where there is a problem
    body TEXT,
    -- of the body
    stored_bytes BIGINT NOT NULL,
    -- unreachable, gone, late
    problem TEXT,
    PRIMARY KEY (lab_id, pod_uid, container)
);
CREATE INDEX lab_logs_kept_at ON lab_logs (kept_at);
