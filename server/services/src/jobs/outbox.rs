//! Work that waits: rows written in the transaction of the change, taken in order, retried with growing pauses.
