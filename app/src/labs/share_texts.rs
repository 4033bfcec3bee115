//! The words of the page of a link to a lab, which the server writes by itself (`server/src/shared.rs`).

use domain::time::Timestamp;

use crate::{
    components::{MomentStyle, moment_text},
    i18n::td_string,
    language::Language,
};

/// The owner, and the end of the link.
pub fn about(language: Language, name: &str, owner: &str, ends_at: Timestamp) -> String {
    td_string!(language, shares.about, owner = owner, name = name, at = moment_text(ends_at, MomentStyle::Minute)).to_string()
}

pub fn title(language: Language, owner: &str) -> String {
    td_string!(language, shares.landing_title, owner = owner).to_string()
}

/// Actions that the reader may take there.
pub fn limit(language: Language, view_only: bool) -> &'static str {
    if view_only { td_string!(language, shares.limit_view) } else { td_string!(language, shares.limit_whole) }
}

pub fn open(language: Language) -> &'static str {
    td_string!(language, shares.open)
}

pub fn over_title(language: Language) -> &'static str {
    td_string!(language, shares.over_title)
}

pub fn over(language: Language) -> &'static str {
    td_string!(language, shares.over_text)
}

/// Of a link that was good once.
pub fn ended_title(language: Language) -> &'static str {
    td_string!(language, shares.ended_title)
}

pub fn ended(language: Language, owner: &str) -> String {
    td_string!(language, shares.ended_text, owner = owner).to_string()
}

pub fn home(language: Language) -> &'static str {
    td_string!(language, shares.home)
}
