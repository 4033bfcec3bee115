//! Kubernetes behind the `Cluster` port: manifests from an order, server-side apply, observation, watches. One code path for a kubeconfig,
//! for in-cluster use and for the simulator. Rights that it needs in the whole cluster: get, list, watch, create, patch and delete on
//! every kind that `manifests` makes; list and watch on pods, nodes and events; list on controllerrevisions; delete on those and pods.

mod apply;
mod capabilities;
mod client;
mod courses;
mod destroy;
mod end;
mod errors;
mod holds;
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
