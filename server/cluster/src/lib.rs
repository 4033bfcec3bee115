//! Kubernetes behind the `Cluster` port: manifests from an order, server-side apply, observation, watches, the way into pods. One code path for a kubeconfig,
//! for in-cluster use and for the simulator. `rights` lists the cluster-wide rights that Lectern needs.

mod apply;
mod capabilities;
mod client;
mod connector;
mod courses;
mod destroy;
mod drift;
mod end;
mod errors;
mod holds;
mod info;
mod kinds;
mod labels;
mod loads;
pub mod manifests;
mod observe;
mod own_secrets;
mod port;
mod quantity;
mod reach;
pub mod rights;
mod stop;
mod surplus;
mod template;
mod volumes;
mod watch;

pub use capabilities::Capabilities;
pub use client::{ConnectError, Kubernetes};
pub use kinds::Kind;
