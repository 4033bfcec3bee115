-- Cards by node: four free cards on two nodes are no place for a pod that wants four.
-- What each node that takes pods has, as the cluster last reported it.
CREATE TABLE node_cards (
    card TEXT NOT NULL,
    node TEXT NOT NULL,
    total BIGINT NOT NULL,
    -- held by pods that are no lab of this portal
    others BIGINT NOT NULL,
    PRIMARY KEY (card, node)
);

-- Where the cards of a lab are: planned when they are set aside, then as the cluster placed its pods.
CREATE TABLE lab_places (
    lab_id TEXT NOT NULL,
    node TEXT NOT NULL,
    cards BIGINT NOT NULL,
    PRIMARY KEY (lab_id, node)
);
CREATE INDEX lab_places_node ON lab_places (node);

-- The node that the pod of a lab is asked to go to; it stays as long as the cards are set aside.
ALTER TABLE reservations ADD COLUMN preferred_node TEXT;
