//! The whole server over HTTP: the real router on a real database, asked as browsers and programs ask.
//! Tests run on several threads, as the server does. A new area is a file here; `support` starts a portal and gives browsers and tokens.

#![expect(clippy::unwrap_used, reason = "what cannot be had fails the test")]

mod approvals;
mod audit;
mod billing;
mod campus;
mod command_line;
mod compression;
mod connections;
mod contrast;
mod cross_site;
mod database_gone;
mod delegations;
mod documents;
mod events;
mod files;
mod hosts;
mod lab_logs;
mod lists;
mod metrics;
mod nul;
mod offerings;
mod oidc;
mod oidc_claims;
mod openapi;
mod opening;
mod people;
mod refusals;
mod rest_classes;
mod rest_errors;
mod rest_lab_changes;
mod rest_nodes;
mod rest_thread;
mod round_trips;
mod secrets;
mod sharing;
mod sign_in;
mod ssh;
mod ssh_keys;
mod strangers;
mod support;
mod terminal;
mod who_may;
