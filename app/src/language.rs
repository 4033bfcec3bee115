//! The language of the page: chosen once per request, fixed until the next one (switching reloads the page, so no
//! text needs to be reactive). In a component: `let language = language::current();` and `td_string!(language, orders.title)`.
//! Never `td!`: it makes a closure of each text, and a tenth of the browser's wasm of all closures.

use leptos::prelude::*;

pub use crate::i18n::Locale as Language;

/// The cookie that remembers the choice: `zh-CN` or `en`.
pub const COOKIE: &str = "language";

/// The language of this page.
pub fn current() -> Language {
    use_context::<Language>().unwrap_or_default()
}

/// The BCP 47 tag, as in the cookie and on `<html lang>`.
pub fn tag(language: Language) -> &'static str {
    match language {
        Language::zh_CN => "zh-CN",
        Language::en => "en",
    }
}

/// The language that a stored or submitted tag names; `None` for one that Lectern does not speak.
pub fn parse(tag: &str) -> Option<Language> {
    match tag {
        "zh-CN" => Some(Language::zh_CN),
        "en" => Some(Language::en),
        _ => None,
    }
}

/// The best of our languages for an `Accept-Language` header; Simplified Chinese when it names none of ours.
pub fn negotiate(accept_language: &str) -> Language {
    let mut best = (Language::default(), 0.0);
    for range in accept_language.split(',') {
        let mut parts = range.split(';');
        let name = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let quality = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1.0, |text| text.parse::<f32>().unwrap_or(0.0));
        let language = match name.split('-').next() {
            Some("zh") => Language::zh_CN,
            Some("en") => Language::en,
            _ => continue,
        };
        // Strictly greater: the first of two equals is the reader's first choice.
        if quality > best.1 {
            best = (language, quality);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reader_gets_the_language_they_prefer() {
        assert_eq!(negotiate("en-GB,en;q=0.9,zh-CN;q=0.8"), Language::en);
        assert_eq!(negotiate("zh,en;q=0.9"), Language::zh_CN);
        assert_eq!(negotiate("en;q=0.5,zh-TW;q=0.7"), Language::zh_CN);
        assert_eq!(negotiate("fr-FR,en;q=0.3"), Language::en);
    }

    #[test]
    fn chinese_is_the_answer_to_silence_and_to_nonsense() {
        for header in ["", "*", "fr", "en;q=0", "en;q=x", ";;;,,,"] {
            assert_eq!(negotiate(header), Language::zh_CN, "{header:?}");
        }
    }

    #[test]
    fn a_tag_reads_back_as_its_language() {
        for language in [Language::zh_CN, Language::en] {
            assert_eq!(parse(tag(language)), Some(language));
        }
        assert_eq!(parse("de"), None);
    }
}
