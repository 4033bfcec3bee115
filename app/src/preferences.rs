//! Language and theme: two cookies that the reader sets by `POST /preferences` (fields `language`, `theme`, `back`),
//! without an account and without a script.

use crate::language::{self, Language};

/// Where the forms go. Each field is optional; an unknown value is ignored.
pub const PATH: &str = "/preferences";
/// The cookie that remembers the theme: `system`, `light` or `dark`.
pub const THEME_COOKIE: &str = "theme";
/// How long both cookies last, in seconds: a year.
pub const COOKIE_SECONDS: u32 = 31_536_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Self; 3] = [Self::System, Self::Light, Self::Dark];

    /// As in the cookie, in the form and on `<html data-theme>`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|theme| theme.name() == name)
    }
}

/// What the reader chose, as far as this request tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Preferences {
    pub language: Language,
    pub theme: Theme,
}

impl Preferences {
    /// From the headers `Cookie` and `Accept-Language`: the cookie wins.
    pub fn from_headers(cookie: &str, accept_language: &str) -> Self {
        Self {
            language: cookie_value(cookie, language::COOKIE).and_then(language::parse).unwrap_or_else(|| language::negotiate(accept_language)),
            theme: cookie_value(cookie, THEME_COOKIE).and_then(Theme::parse).unwrap_or_default(),
        }
    }
}

/// The value of one cookie in a `Cookie` header.
pub fn cookie_value<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    header.split(';').find_map(|pair| {
        let (key, value) = pair.trim().split_once('=')?;
        (key == name).then_some(value)
    })
}

/// The `Set-Cookie` value that remembers `value`. Scripts may read it: it is no secret and the theme switch uses it.
pub fn set_cookie(name: &str, value: &str) -> String {
    format!("{name}={value}; Path=/; Max-Age={COOKIE_SECONDS}; SameSite=Lax")
}

/// Where to go after a form: `back` if it is a path of this site, `/` otherwise, so that nobody can be sent elsewhere.
pub fn safe_back(back: &str) -> &str {
    // Browsers drop some control characters (`/\t/elsewhere`), and no header takes the others.
    let own = back.starts_with('/') && !back.starts_with("//") && !back.contains('\\') && !back.contains(char::is_control);
    if own { back } else { "/" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cookie_wins_over_the_browser() {
        let chosen = Preferences::from_headers("a=b; language=en; theme=dark", "zh-CN");
        assert_eq!(chosen, Preferences { language: Language::en, theme: Theme::Dark });
        let silent = Preferences::from_headers("language=xx; theme=pink", "en");
        assert_eq!(silent, Preferences { language: Language::en, theme: Theme::System });
    }

    #[test]
    fn only_paths_of_this_site_are_gone_back_to() {
        assert_eq!(safe_back("/orders?state=queued"), "/orders?state=queued");
        for elsewhere in ["", "orders", "//evil.example", "/\\evil.example", "https://evil.example", "/\t/evil.example", "/\0", "/\u{7f}"] {
            assert_eq!(safe_back(elsewhere), "/", "{elsewhere:?}");
        }
    }
}
