//! Tests that need the simulator: storage classes, webhooks, roles, nodes of a known size.

mod drains;
mod drift;
mod ends;
mod own_secrets;
mod places;
mod reach;
mod rights;
mod volumes;
mod webhooks;
