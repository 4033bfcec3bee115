//! Typed text that was not sent, kept in the tab's session storage: for signing in again in the middle of a form, for the reload that the
//! switch of language or theme brings, and for Back and Forward. Only controls that the reader changed are kept, for half an hour, never
//! secrets (`may_be_kept`), and only the person who typed the text sees it again: with a toast that takes it out again. The browser's half is
//! in `browser`, and that for Back and Forward in `back`.

#[cfg(feature = "hydrate")]
mod back;
#[cfg(feature = "hydrate")]
mod browser;

#[cfg(feature = "hydrate")]
pub use browser::{moved_to, restore_at_load, save_all, watch};
use serde::{Deserialize, Serialize};

use crate::routes;
#[cfg(feature = "hydrate")]
use crate::{components::ToastBoard, i18n::td_string, language::Language};

/// How long typed text is kept.
const KEPT_MILLISECONDS: f64 = 30.0 * 60.0 * 1000.0;
/// Pages whose typed text is kept for Back; the oldest makes room.
#[cfg(any(feature = "hydrate", test))]
const MOST_PAGES: usize = 20;
/// Prefix of the key of a form that uses GET.
#[cfg(any(feature = "hydrate", test))]
const GET: &str = "get ";

/// One control that the reader changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    /// The form's `action`, and its number among the forms of the page with that action; `get ` before it if the form uses GET.
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
    /// Whether a secret was typed too: it is not kept.
    #[serde(default)]
    pub without_secrets: bool,
}

/// Values that were restored into the forms of a page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Restored {
    /// Values that the page came with; empty if none was restored.
    pub before: Vec<Control>,
    pub without_secrets: bool,
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

/// Takes the draft among those for Back in place of an older one of its page. One that holds nothing is not kept.
#[cfg(any(feature = "hydrate", test))]
fn keep_page(drafts: &mut Vec<Draft>, draft: Draft) {
    drafts.retain(|known| known.page != draft.page);
    if !draft.controls.is_empty() {
        drafts.push(draft);
    }
    drafts.drain(..drafts.len().saturating_sub(MOST_PAGES));
}

/// The form with this key was sent from this page: what was typed into it goes, and what was typed into the form that led here to look at the
/// change first (one that uses GET leads to its own path).
#[cfg(any(feature = "hydrate", test))]
fn sent_from(drafts: &mut Vec<Draft>, page: &str, key: &str) {
    let path = |page: &str| page.split('?').next().unwrap_or_default().to_owned();
    for draft in drafts.iter_mut().filter(|draft| path(&draft.page) == path(page)) {
        let is_of_page = draft.page == page;
        let goes = |control: &Control| control.form.starts_with(GET) || is_of_page && control.form == key;
        draft.controls.retain(|control| !goes(control));
    }
    drafts.retain(|draft| !draft.controls.is_empty());
}

/// Whether an input holds a secret: by its type, its `autocomplete` (its own or its form's), or the mark `data-secret`. `autocomplete="off"`
/// alone says that the browser has nothing to suggest.
#[cfg(any(feature = "hydrate", test))]
pub fn is_secret(input_type: &str, autocomplete: &str, is_marked: bool) -> bool {
    let secret = ["one-time-code", "current-password", "new-password"];
    is_marked || input_type == "password" || autocomplete.split_whitespace().any(|word| secret.iter().any(|name| word.eq_ignore_ascii_case(name)))
}

/// Whether the text of such an input may be kept.
#[cfg(any(feature = "hydrate", test))]
pub fn may_be_kept(input_type: &str, autocomplete: &str, is_marked: bool) -> bool {
    !matches!(input_type, "hidden" | "file" | "submit" | "button" | "image" | "reset") && !is_secret(input_type, autocomplete, is_marked)
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

/// Says that typed text came back, and offers to take it out again.
#[cfg(feature = "hydrate")]
pub fn say_restored(language: Language, toasts: ToastBoard, restored: Restored) {
    let Restored { before, without_secrets } = restored;
    if before.is_empty() {
        return;
    }
    let text =
        if without_secrets { td_string!(language, layout.typed_restored_without_secrets) } else { td_string!(language, layout.typed_restored) };
    toasts.show_with_undo(text, move || browser::discard(&before));
}

/// The form of this page was sent without leaving it: Back leads to a new one.
pub fn forget() {
    #[cfg(feature = "hydrate")]
    back::forget();
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Noon of some day.
    const NOON: f64 = 1_700_000_000_000.0;
    const MINUTE: f64 = 60_000.0;

    fn draft(at_sign_in: bool) -> Draft {
        Draft { person: "li".into(), page: "/policies/new".into(), controls: Vec::new(), kept_at: NOON, at_sign_in, without_secrets: false }
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

    fn typed(page: &str, forms: &[&str]) -> Draft {
        let control = |form: &&str| Control { form: (*form).to_owned(), name: "title".into(), value: "typed".into(), checked: None };
        Draft { page: page.into(), controls: forms.iter().map(control).collect(), ..draft(false) }
    }

    #[test]
    fn each_page_keeps_its_own_text_for_back() {
        let mut drafts = Vec::new();
        keep_page(&mut drafts, typed("/announcements", &["/a#0"]));
        keep_page(&mut drafts, typed("/policies/new", &["/p#0"]));
        keep_page(&mut drafts, typed("/announcements", &["/a#0", "/a#1"]));
        assert_eq!(drafts, [typed("/policies/new", &["/p#0"]), typed("/announcements", &["/a#0", "/a#1"])]);
        keep_page(&mut drafts, typed("/announcements", &[]));
        assert_eq!(drafts, [typed("/policies/new", &["/p#0"])]);
        for number in 0..40 {
            keep_page(&mut drafts, typed(&format!("/labs/{number}"), &["/l#0"]));
        }
        assert_eq!(drafts.len(), MOST_PAGES);
        assert_eq!(drafts[MOST_PAGES - 1].page, "/labs/39");
    }

    #[test]
    fn a_form_that_was_sent_comes_back_empty_and_the_others_of_its_page_do_not() {
        let mut drafts = vec![typed("/people/1", &["/a#0", "/a#1"]), typed("/people/2", &["/a#0"])];
        sent_from(&mut drafts, "/people/1", "/a#0");
        assert_eq!(drafts, [typed("/people/1", &["/a#1"]), typed("/people/2", &["/a#0"])]);
        // The price was looked at before it was set.
        let mut drafts = vec![typed("/prices", &["get /prices#0"]), typed("/prices?preview=price", &["/set#0"]), typed("/people", &["/a#0"])];
        sent_from(&mut drafts, "/prices?preview=price", "/set#0");
        assert_eq!(drafts, [typed("/people", &["/a#0"])]);
    }

    #[test]
    fn secrets_are_never_kept() {
        for (input_type, autocomplete, is_marked) in [
            ("password", "", false),
            ("password", "current-password", false),
            ("text", "one-time-code", false),
            ("text", " NEW-PASSWORD ", false),
            ("text", "section-x new-password", false),
            ("text", "", true),
            ("textarea", "off", true),
        ] {
            assert!(is_secret(input_type, autocomplete, is_marked), "{input_type} {autocomplete}");
            assert!(!may_be_kept(input_type, autocomplete, is_marked), "{input_type} {autocomplete}");
        }
        for input_type in ["hidden", "file"] {
            assert!(!may_be_kept(input_type, "", false), "{input_type}");
        }
    }

    #[test]
    fn a_field_that_only_switches_suggestions_off_is_kept() {
        for (input_type, autocomplete) in [("text", ""), ("text", "off"), ("textarea", "off"), ("checkbox", "on"), ("text", "name")] {
            assert!(may_be_kept(input_type, autocomplete, false), "{input_type} {autocomplete}");
        }
    }
}
