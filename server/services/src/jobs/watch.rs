//! The cluster's changes become work: a changed lab is observed, changed nodes are counted again.
