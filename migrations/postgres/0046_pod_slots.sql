-- Free cards on a node that takes no more pods are no place for a pod.
-- Pods that labs can have of the node: those that it takes without other pods. Null where the node does not say.
ALTER TABLE node_cards ADD COLUMN pods BIGINT;
-- Pods of the lab on all of its nodes together.
ALTER TABLE labs ADD COLUMN pods BIGINT NOT NULL DEFAULT 1;
UPDATE labs SET pods = COALESCE(CAST(CAST(spec AS json) ->> 'nodes' AS BIGINT), 1);
