//! What only the simulator can be made to do: storage classes, webhooks, roles.

mod drift;
mod ends;
mod rights;
mod volumes;
mod webhooks;
