//! The server: command line, configuration, sessions, router, background jobs. Wiring only; rules live in `domain`, use cases in
//! `services`. `main.rs` calls [`cli::run`]; tests call [`router::router`].

#![recursion_limit = "256"]

pub mod audit_export;
pub mod auth;
pub mod bodies;
pub mod cli;
pub mod commands;
pub mod config;
pub mod error_page;
pub mod events;
pub mod export;
pub mod forms;
pub mod headers;
pub mod health;
pub mod hosts;
pub mod imports;
pub mod lab_logs;
pub mod lab_site;
pub mod landing;
pub mod lock;
pub mod methods;
pub mod metrics;
pub mod nul;
pub mod oidc;
pub mod open;
pub mod outside;
pub mod preferences;
pub mod progress;
pub mod reading;
pub mod refusals;
pub mod request;
pub mod rest;
pub mod router;
pub mod secret_key;
pub mod shared;
pub mod sign_out;
pub mod site;
pub mod slashes;
pub mod state;
pub mod streams;
pub mod telemetry;
pub mod terminal;
pub mod world;
