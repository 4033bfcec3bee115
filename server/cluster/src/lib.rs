//! Kubernetes behind the `Cluster` port: manifests from an order, server-side apply, observation, watches.
//! One code path for a kubeconfig, for in-cluster use and for the simulator; the configuration is all that differs.

mod apply;
mod capabilities;
mod client;
mod courses;
mod destroy;
mod errors;
mod info;
mod kinds;
mod labels;
pub mod manifests;
mod observe;
mod port;
mod quantity;
mod stop;
mod watch;

pub use capabilities::Capabilities;
pub use client::{ConnectError, Kubernetes};
pub use kinds::Kind;
