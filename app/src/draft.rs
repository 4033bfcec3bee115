//! Typed text that was not sent, kept in the tab's session storage: for signing in again in the middle of a form, for the reload that the
//! switch of language or theme brings, and for Back to the order form. Only controls that the reader changed are kept, for half an hour, never secrets (`may_be_kept`), and only the person
//! who typed the text sees it again: with a toast that takes it out again. The browser's half is in `browser`.

#[cfg(feature = "hydrate")]
mod browser;

#[cfg(feature = "hydrate")]
pub use browser::{moved_to, restore_at_load, save_all, watch};
use serde::{Deserialize, Serialize};

use crate::routes;
#[cfg(feature = "hydrate")]
use crate::{
    components::{ToastBoard, use_toasts},
    i18n::td_string,
    language::{self, Language},
};

/// How long typed text is kept.
const KEPT_MILLISECONDS: f64 = 30.0 * 60.0 * 1000.0;

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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Draft {
    pub person: String,
    /// Path and query of the page.
    pub page: String,
    pub controls: Vec<Control>,
    /// Milliseconds since 1970, by the browser's clock.
    pub kept_at: f64,
    /// Whether the tab has been to the sign-in page since: without it the form was sent and answered. Only for signing in again.
    pub at_sign_in: bool,
}

/// Fate of a kept draft when a page is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Restore,
    Keep,
    Drop,
}

/// How the reader came to a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// By Back or Forward.
    History,
    /// By a link, an address or a reload.
    Anew,
}

impl Draft {
    /// Of a draft for signing in again. `person`: who is signed in, if somebody is.
    pub fn fate(&self, page: &str, person: Option<&str>, now: f64) -> Fate {
        if !self.is_young(now) {
            return Fate::Drop;
        }
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

    /// Of a draft for Back.
    pub fn fate_on_arrival(&self, page: &str, person: &str, now: f64, arrival: Arrival) -> Fate {
        if !self.is_young(now) || person != self.person {
            Fate::Drop
        } else if page == self.page && arrival == Arrival::History {
            Fate::Restore
        } else {
            Fate::Keep
        }
    }

    /// Of a draft for the reload that a switch of language or theme brings. `person`: who is signed in; both are empty if nobody is.
    pub fn returns_after_switch(&self, page: &str, person: &str, now: f64) -> bool {
        self.is_young(now) && person == self.person && page == self.page
    }

    /// A clock that was set back makes no draft younger.
    fn is_young(&self, now: f64) -> bool {
        (0.0..=KEPT_MILLISECONDS).contains(&(now - self.kept_at))
    }
}

/// Whether the text of an input of this type, with this `autocomplete` (its own or its form's), may be kept: what the browser must not
/// remember is not kept here either.
#[cfg(any(feature = "hydrate", test))]
pub fn may_be_kept(input_type: &str, autocomplete: &str) -> bool {
    !matches!(input_type, "password" | "hidden" | "file" | "submit" | "button" | "image" | "reset")
        && !["off", "one-time-code", "current-password", "new-password"].iter().any(|never| autocomplete.trim().eq_ignore_ascii_case(never))
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

/// Keeps what the person types into the form of this id, and restores it when they come back by Back or Forward.
/// Forget it once the form was sent.
pub fn follow(form: &'static str) {
    #[cfg(feature = "hydrate")]
    {
        let (language, toasts) = (language::current(), use_toasts());
        leptos::prelude::Effect::new(move |_| browser::follow(form, move |before| say_restored(language, toasts, before)));
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = form;
}

/// Says that typed text came back, and offers to take it out again. `before`: what the page came with; empty when nothing came back.
#[cfg(feature = "hydrate")]
pub fn say_restored(language: Language, toasts: ToastBoard, before: Vec<Control>) {
    if !before.is_empty() {
        toasts.show_with_undo(td_string!(language, layout.typed_restored), move || browser::discard(&before));
    }
}

/// The form was sent: Back leads to a new one.
pub fn forget() {
    #[cfg(feature = "hydrate")]
    browser::forget();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon of some day.
    const NOON: f64 = 1_700_000_000_000.0;
    const MINUTE: f64 = 60_000.0;

    fn draft(at_sign_in: bool) -> Draft {
        Draft { person: "li".into(), page: "/policies/new".into(), controls: Vec::new(), kept_at: NOON, at_sign_in }
    }

    #[test]
    fn a_draft_waits_at_the_sign_in_page_and_comes_back_on_its_own() {
        assert_eq!(draft(false).fate("/sign-in?back=/policies/new", None, NOON), Fate::Keep);
        assert_eq!(draft(true).fate("/policies/new", Some("li"), NOON + MINUTE), Fate::Restore);
        assert_eq!(draft(true).fate("/", Some("li"), NOON + MINUTE), Fate::Keep);
    }

    #[test]
    fn another_person_never_sees_it_and_a_form_that_was_answered_leaves_none() {
        assert_eq!(draft(true).fate("/policies/new", Some("wang"), NOON), Fate::Drop);
        assert_eq!(draft(true).fate("/", Some("wang"), NOON), Fate::Drop);
        assert_eq!(draft(false).fate("/policies/new", Some("li"), NOON), Fate::Drop);
        assert_eq!(draft(false).fate("/policies", Some("li"), NOON), Fate::Drop);
        for arrival in [Arrival::History, Arrival::Anew] {
            assert_eq!(draft(false).fate_on_arrival("/policies/new", "wang", NOON, arrival), Fate::Drop);
            assert_eq!(draft(false).fate_on_arrival("/", "wang", NOON, arrival), Fate::Drop);
        }
    }

    #[test]
    fn a_draft_returns_by_back_alone() {
        assert_eq!(draft(false).fate_on_arrival("/policies/new", "li", NOON, Arrival::History), Fate::Restore);
        assert_eq!(draft(false).fate_on_arrival("/policies/new", "li", NOON, Arrival::Anew), Fate::Keep);
        assert_eq!(draft(false).fate_on_arrival("/policies/2", "li", NOON, Arrival::History), Fate::Keep);
    }

    #[test]
    fn a_switch_brings_the_text_back_to_the_same_page_and_person_alone() {
        let draft = draft(false);
        assert!(draft.returns_after_switch("/policies/new", "li", NOON + MINUTE));
        assert!(!draft.returns_after_switch("/policies", "li", NOON + MINUTE));
        assert!(!draft.returns_after_switch("/policies/new", "wang", NOON + MINUTE));
        assert!(!draft.returns_after_switch("/policies/new", "", NOON + MINUTE));
        assert!(!draft.returns_after_switch("/policies/new", "li", NOON + 31.0 * MINUTE));
        let of_nobody = Draft { person: String::new(), page: "/join/x".into(), ..draft };
        assert!(of_nobody.returns_after_switch("/join/x", "", NOON));
        assert!(!of_nobody.returns_after_switch("/join/x", "li", NOON));
    }

    #[test]
    fn a_draft_is_kept_for_half_an_hour() {
        let last = NOON + 30.0 * MINUTE;
        assert_eq!(draft(true).fate("/policies/new", Some("li"), last), Fate::Restore);
        assert_eq!(draft(false).fate_on_arrival("/policies/new", "li", last, Arrival::History), Fate::Restore);
        for wrong in [last + 1.0, NOON - 1.0] {
            assert_eq!(draft(true).fate("/policies/new", Some("li"), wrong), Fate::Drop);
            assert_eq!(draft(true).fate("/sign-in", None, wrong), Fate::Drop);
            assert_eq!(draft(false).fate_on_arrival("/policies/new", "li", wrong, Arrival::History), Fate::Drop);
        }
    }

    #[test]
    fn secrets_are_never_kept() {
        for (input_type, autocomplete) in [
            ("password", ""),
            ("password", "current-password"),
            ("text", "off"),
            ("text", " OFF "),
            ("text", "one-time-code"),
            ("text", "new-password"),
            ("textarea", "off"),
            ("hidden", ""),
            ("file", ""),
        ] {
            assert!(!may_be_kept(input_type, autocomplete), "{input_type} {autocomplete}");
        }
        for (input_type, autocomplete) in [("text", ""), ("textarea", ""), ("checkbox", "on"), ("text", "name")] {
            assert!(may_be_kept(input_type, autocomplete), "{input_type} {autocomplete}");
        }
    }
}
