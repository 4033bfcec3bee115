//! What the palette offers: pages that the reader may open, commands, and what the search found.

use domain::{access::Action, search::Hit};

use super::words;
use crate::{
    caller_view::Viewer,
    components::Glyph,
    i18n::td_string,
    language::{self, Language},
    layout::navigation::entries,
    preferences::Theme,
    routes,
};

/// One line of the palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub group: &'static str,
    pub glyph: Glyph,
    pub text: String,
    pub about: String,
    pub does: Does,
}

/// What choosing it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    Go(String),
    /// Posts a form: path, and one field.
    Post(&'static str, &'static str, &'static str),
    /// Shows the keys.
    Help,
}

/// Pages and commands that hold every word of `typed`; all of them before anything is typed.
pub fn own(language: Language, viewer: &Viewer, typed: &str) -> Vec<Choice> {
    let words = domain::search::words(typed);
    let fits = |choice: &Choice| {
        let hay = choice.text.to_lowercase();
        words.iter().all(|word| hay.contains(word.as_str()))
    };
    pages(language, viewer).into_iter().chain(commands(language)).filter(fits).collect()
}

fn pages(language: Language, viewer: &Viewer) -> Vec<Choice> {
    let go = |glyph, text: &str, href: &str| Choice {
        group: td_string!(language, search.pages),
        glyph,
        text: text.to_owned(),
        about: String::new(),
        does: Does::Go(href.to_owned()),
    };
    let mut pages: Vec<_> = entries(viewer, language).into_iter().map(|entry| go(entry.glyph, entry.text, entry.href)).collect();
    pages.push(go(Glyph::Bell, td_string!(language, notifications.title), routes::NOTIFICATIONS));
    pages.push(go(Glyph::Key, td_string!(language, layout.account), routes::ACCOUNT));
    pages
}

fn commands(language: Language) -> Vec<Choice> {
    let command =
        |glyph, text: &str, does| Choice { group: td_string!(language, search.actions), glyph, text: text.to_owned(), about: String::new(), does };
    let other = match language {
        Language::zh_CN => Language::en,
        Language::en => Language::zh_CN,
    };
    let post = |name, value| Does::Post(crate::preferences::PATH, name, value);
    let theme = |theme: Theme| post(crate::preferences::THEME_COOKIE, theme.name());
    vec![
        command(Glyph::Globe, td_string!(language, search.other_language), post(language::COOKIE, language::tag(other))),
        command(Glyph::Theme, td_string!(language, search.theme_light), theme(Theme::Light)),
        command(Glyph::Theme, td_string!(language, search.theme_dark), theme(Theme::Dark)),
        command(Glyph::Theme, td_string!(language, search.theme_system), theme(Theme::System)),
        command(Glyph::Ask, td_string!(language, search.keys), Does::Help),
        command(Glyph::Power, td_string!(language, search.sign_out), Does::Post(routes::SIGN_OUT, "", "")),
    ]
}

/// What the search found, and where to look further.
pub fn found(language: Language, viewer: &Viewer, hits: &[Hit], typed: &str) -> Vec<Choice> {
    let mut choices: Vec<_> = hits
        .iter()
        .map(|hit| {
            let (text, about) = words::texts(language, hit);
            // An offering is there to be ordered.
            let orders = matches!(hit, Hit::Offering { .. }) && viewer.may(Action::OrderSubmit);
            let text = if orders { td_string!(language, search.order_offering, name = text).to_string() } else { text };
            Choice { group: words::group(language, hit), glyph: words::glyph(hit), text, about, does: Does::Go(words::link(viewer, hit)) }
        })
        .collect();
    let typed = typed.trim();
    if !typed.is_empty() {
        let further = |glyph, text: String, href: String| Choice {
            group: td_string!(language, search.title),
            glyph,
            text,
            about: String::new(),
            does: Does::Go(href),
        };
        let everything = td_string!(language, search.everything_for, text = typed).to_string();
        choices.push(further(Glyph::Find, everything, routes::with_query(routes::SEARCH, &[("q", typed)])));
        if viewer.may(Action::AuditRead) {
            let record = td_string!(language, search.audit_for, text = typed).to_string();
            choices.push(further(Glyph::Shield, record, routes::with_query(routes::AUDIT, &[("text", typed)])));
        }
    }
    choices
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(role: &str) -> Viewer {
        crate::caller_view::viewer_with(domain::access::Role::parse(role).into_iter().collect(), std::collections::BTreeSet::new())
    }

    fn texts(choices: &[Choice]) -> Vec<&str> {
        choices.iter().map(|choice| choice.text.as_str()).collect()
    }

    #[test]
    fn a_page_that_one_may_not_open_is_not_offered() {
        let teacher = own(Language::en, &viewer("teacher"), "");
        assert!(texts(&teacher).contains(&"Catalogue") && !texts(&teacher).contains(&"Audit"));
        assert!(texts(&own(Language::en, &viewer("auditor"), "")).contains(&"Audit"));
    }

    #[test]
    fn typing_narrows_pages_and_commands_in_either_language() {
        assert_eq!(texts(&own(Language::zh_CN, &viewer("teacher"), "外观")), ["浅色外观", "深色外观", "外观跟随系统"]);
        assert_eq!(texts(&own(Language::en, &viewer("teacher"), "SIGN")), ["Sign out"]);
        assert_eq!(texts(&own(Language::en, &viewer("teacher"), "nothing like it")), [""; 0]);
    }

    #[test]
    fn only_an_auditor_is_sent_on_to_the_record() {
        assert_eq!(found(Language::en, &viewer("teacher"), &[], " x ").len(), 1);
        assert_eq!(found(Language::en, &viewer("auditor"), &[], "x").len(), 2);
        assert_eq!(found(Language::en, &viewer("auditor"), &[], " "), []);
    }
}
