//! Tests that need the simulator: storage classes, webhooks, roles.

mod drains;
mod drift;
mod ends;
mod rights;
mod volumes;
mod webhooks;
