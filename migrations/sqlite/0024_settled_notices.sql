-- What a notice asked for is done: it is found for everybody who was told.
CREATE INDEX notifications_digest ON notifications (digest);
