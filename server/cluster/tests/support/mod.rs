//! What the cluster tests share: orders, a cluster to run them on, waiting.

pub mod gate;
pub mod orders;
pub mod rig;
pub mod volume;
pub mod wait;

pub use self::{gate::Gate, orders::Orders, wait::until};
