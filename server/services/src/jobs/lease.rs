//! One replica at a time: a lease row with a fencing token.
