//! A small world for tests of use cases: a real database, a clock turned by hand, repeatable ids, a cluster in memory, and
//! builders of courses and people that read as prose:
//!
//! ```ignore
//! let world = TestWorld::college().await;
//! let course = world.course("CV2402").cards(4).budget(100).add().await;
//! let teacher = world.teacher("li.hua", &[&course]).await;      // a `Caller`
//! world.clock.advance(60);
//! world.cluster.go_away();
//! ```

mod cluster;
#[cfg(test)]
mod fail_closed;
mod fragile;
mod hand;
mod jupyter;
pub mod recount;
mod shell;
mod world;

pub use cluster::{FakeCluster, FakeProgram};
pub use fragile::FragileCluster;
pub use hand::{HandClock, HandEntropy};
pub use jupyter::{FakeJupyter, Kernel};
pub use shell::shell_order;
pub use world::{CourseBuilder, PersonBuilder, TestWorld, with_scopes};
