//! The pages of Lectern and the server functions behind them. One folder for each feature: `page.rs` arranges,
//! `api.rs` talks to the server. A new page is one line in `routes.rs`, one folder here and one file of texts in
//! each `locales/` folder.

#![expect(clippy::needless_pass_by_value, reason = "a component owns its props")]
// Clippy does not look for them in tests.
#![cfg_attr(all(feature = "ssr", not(test)), expect(clippy::wildcard_imports, reason = "an `api.rs` needs most of `caller`"))]

#[cfg(not(any(erase_components, doc)))]
compile_error!("RUSTFLAGS hides .cargo/config.toml: add `--cfg erase_components` to it, or the browser cannot take the pages over");

pub mod caller_view;
pub mod components;
pub mod draft;
pub mod error;
pub mod error_text;
pub mod flash;
pub mod html_text;
pub mod language;
pub mod layout;
pub mod lazy;
pub mod preferences;
pub mod routes;

#[cfg(feature = "ssr")]
pub mod caller;

pub mod account;
pub mod announcements;
pub mod api_docs;
pub mod approvals;
pub mod audit;
pub mod billing;
pub mod catalogue;
pub mod courses;
#[cfg(feature = "design")]
pub mod design;
pub mod home;
pub mod imports;
pub mod join;
pub mod labs;
pub mod nodes;
pub mod notifications;
pub mod offerings;
pub mod orders;
pub mod people;
pub mod policies;
pub mod prices;
pub mod quotas;
pub mod search;
pub mod session;
pub mod setup;

pub use layout::{App, shell};

include!(concat!(env!("OUT_DIR"), "/i18n.rs"));

/// Takes over the page that the server sent, once the page's own part of the program is there. Called by the script in the
/// document head.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub async fn hydrate() {
    console_error_panic_hook::set_once();
    let path = leptos::prelude::window().location().pathname().unwrap_or_default();
    // Without its part the page stays as the server sent it, which works too.
    if lazy::fetch(&path).await {
        leptos::mount::hydrate_body(App);
        // For whoever drives the page from outside: from now on it answers.
        if let Some(root) = leptos::prelude::document().document_element() {
            let _ = root.set_attribute("data-hydrated", "");
        }
    }
}
