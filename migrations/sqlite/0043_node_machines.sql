-- Free cards on a node without processor or memory are no place for a pod.
-- What labs can have of the node: what it offers without what other pods request. Null where the node does not say.
ALTER TABLE node_cards ADD COLUMN cpu_cores BIGINT;
ALTER TABLE node_cards ADD COLUMN memory_gib BIGINT;
