-- Passes of programs: an access token stands in the place of the portal's session.
-- the token; session_id is then empty, and the ticket is one that nobody has
ALTER TABLE lab_passes ADD COLUMN token_id TEXT REFERENCES tokens (id);
CREATE INDEX lab_passes_token ON lab_passes (token_id, lab_id) WHERE token_id IS NOT NULL AND ended_at IS NULL;
