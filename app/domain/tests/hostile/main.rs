//! Hostile text at every parser of the domain: nothing panics, nothing hangs or grows without bound, what is written reads back, and an
//! error names its field. Which parsers there are is `server/tests/hostile/inventory.rs`, which finds one that is not fed here.
//! Another seed: `LECTERN_SEED=1 cargo test -p domain --test hostile`.

#![expect(clippy::print_stdout, reason = "a failing test shows its seed")]

mod amounts;
mod audit;
mod classes;
mod conditions;
mod forms;
mod lists;
mod offerings;
mod texts;
mod times;
mod words;
