-- Browsers that people have signed in with. A row gives no right: failed tries from such a browser are counted apart from all others, so that
-- whoever guesses elsewhere does not keep its owner waiting.
CREATE TABLE known_devices (
    -- hexadecimal SHA-256 of the secret in the browser's cookie
    device TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    last_used_at BIGINT NOT NULL,
    PRIMARY KEY (device, user_id)
);
CREATE INDEX known_devices_by_user ON known_devices (user_id);
CREATE INDEX known_devices_by_use ON known_devices (last_used_at);
