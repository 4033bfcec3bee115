//! What is around every page: the document, the navigation, the bar above, and the page for what cannot be shown.

mod bar;
mod document;
mod frame;
mod gate;
mod menus;
mod nav;
mod navigation;
mod not_found;
mod preference_forms;

#[cfg(feature = "ssr")]
pub use document::assets;
pub use document::shell;
pub use frame::App;
pub use gate::Gate;
pub use not_found::NotFound;
#[cfg(feature = "design")]
pub use preference_forms::ThemeSwitch;
