//! Typed text that was not sent, kept in the tab's session storage: for signing in again in the middle of a form, and for Back to the
//! order form. Only controls that the reader changed are kept, never passwords, hidden fields or files, and only the person who typed
//! the text sees it again. The browser's half is in `browser`.

#[cfg(feature = "hydrate")]
mod browser;

#[cfg(feature = "hydrate")]
pub use browser::{restore_after_sign_in, save_all, watch};
use serde::{Deserialize, Serialize};

use crate::routes;

/// One control that the reader changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The form's `action`, and its number among the forms of the page with that action.
    pub form: String,
    pub name: String,
    /// The text, or the value of the box or choice.
    pub value: String,
    /// Only for boxes and choices.
    pub checked: Option<bool>,
}

/// What a person typed into the forms of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    pub person: String,
    /// Path and query of the page.
    pub page: String,
    pub controls: Vec<Control>,
    /// Whether the tab has been to the sign-in page since: without it the form was sent and answered.
    pub at_sign_in: bool,
}

/// What becomes of a kept draft when a page is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Restore,
    Keep,
    Drop,
}

impl Draft {
    /// `person`: who is signed in, if somebody is.
    pub fn fate(&self, page: &str, person: Option<&str>) -> Fate {
        if page.split('?').next() == Some(routes::SIGN_IN) {
            return Fate::Keep;
        }
        match person {
            _ if !self.at_sign_in => Fate::Drop,
            None => Fate::Keep,
            Some(person) if person != self.person => Fate::Drop,
            Some(_) if page == self.page => Fate::Restore,
            Some(_) => Fate::Keep,
        }
    }
}

/// Path and query of this page.
pub fn here() -> String {
    #[cfg(feature = "ssr")]
    {
        let parts = leptos::prelude::use_context::<http::request::Parts>();
        parts.and_then(|parts| parts.uri.path_and_query().map(ToString::to_string)).unwrap_or_default()
    }
    #[cfg(all(feature = "hydrate", not(feature = "ssr")))]
    {
        browser::here()
    }
    #[cfg(not(any(feature = "ssr", feature = "hydrate")))]
    String::new()
}

/// Restores what the person typed into the form of this id before they left the page, and keeps what they type from now on.
/// Forget it once the form was sent.
pub fn follow(form: &'static str) {
    #[cfg(feature = "hydrate")]
    leptos::prelude::Effect::new(move |_| browser::follow(form));
    #[cfg(not(feature = "hydrate"))]
    let _ = form;
}

/// The form was sent: Back leads to a new one.
pub fn forget() {
    #[cfg(feature = "hydrate")]
    browser::forget();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(at_sign_in: bool) -> Draft {
        Draft { person: "li".into(), page: "/policies/new".into(), controls: Vec::new(), at_sign_in }
    }

    #[test]
    fn a_draft_waits_at_the_sign_in_page_and_comes_back_on_its_own() {
        assert_eq!(draft(false).fate("/sign-in?back=/policies/new", None), Fate::Keep);
        assert_eq!(draft(true).fate("/policies/new", Some("li")), Fate::Restore);
        assert_eq!(draft(true).fate("/", Some("li")), Fate::Keep);
    }

    #[test]
    fn another_person_never_sees_it_and_a_form_that_was_answered_leaves_none() {
        assert_eq!(draft(true).fate("/policies/new", Some("wang")), Fate::Drop);
        assert_eq!(draft(true).fate("/", Some("wang")), Fate::Drop);
        assert_eq!(draft(false).fate("/policies/new", Some("li")), Fate::Drop);
        assert_eq!(draft(false).fate("/policies", Some("li")), Fate::Drop);
    }
}
