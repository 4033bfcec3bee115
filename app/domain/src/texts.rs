//! The common rule for longer texts that people write for others: purposes, reasons, notes, announcements. They may have several lines, and
//! nothing that hides or reverses the text around it. A new kind of text calls [`check`] with its own length; names follow [`crate::names`].

use crate::{error::Problem, names};

/// The text without blanks at its ends: 0 to `max` characters. One of which nothing is seen is an empty one.
///
/// Errors: `Invisible` for a character that is invisible or that changes how the text around it is shown; `TooLong`.
pub fn check(text: &str, max: u32) -> Result<&str, Problem> {
    let text = text.trim();
    // The two that Indic and Arabic scripts and emoji need between other characters.
    let is_joiner = |c: char| matches!(c, '\u{200c}' | '\u{200d}');
    let is_text = |c: char| matches!(c, '\n' | '\r' | '\t') || is_joiner(c) || !names::is_invisible(c);
    if let Some(found) = text.chars().find(|c| !is_text(*c)) {
        return Err(names::invisible(found));
    }
    if !text.chars().any(|c| names::is_seen(c) && !is_joiner(c)) {
        return Ok("");
    }
    if text.chars().count() > max as usize { Err(Problem::TooLong { max }) } else { Ok(text) }
}

/// The same for a text that must say something: at least one character of it is seen. Errors: `Missing` too.
pub fn check_some(text: &str, max: u32) -> Result<&str, Problem> {
    match check(text, max) {
        Ok("") => Err(Problem::Missing),
        checked => checked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_kept_as_people_write_it() {
        for text in ["期中实验，第 3 组", "First line\r\nsecond\tline\n\nlast", "👩\u{200d}🔬 ❤\u{fe0f}", "नमस्\u{200d}ते", "محمد", "5 < 6 & 7 > 3"]
        {
            assert_eq!(check(&format!(" {text}\n"), 100), Ok(text), "{text:?}");
        }
        assert_eq!((check(" \n", 5), check_some(" \n", 5)), (Ok(""), Err(Problem::Missing)));
        assert_eq!((check("李华李华李", 5), check("李华李华李华", 5)), (Ok("李华李华李"), Err(Problem::TooLong { max: 5 })));
    }

    #[test]
    fn a_text_that_must_say_something_shows_something() {
        for nothing in ["\u{200d}", " \u{200c}\n\u{200d} ", "\u{fe0f}", "\u{200d}\u{fe0f}", "\u{3000}"] {
            assert_eq!((check(nothing, 5), check_some(nothing, 5)), (Ok(""), Err(Problem::Missing)), "{nothing:?}");
        }
        for hidden in ["\u{200b}", "\u{200d}\u{2060}", "\u{2800}", "\u{3164}", "\u{e0041}", "\u{7}"] {
            assert!(matches!(check_some(hidden, 5), Err(Problem::Invisible { .. })), "{hidden:?}");
        }
    }

    #[test]
    fn what_hides_or_reverses_a_text_is_refused_and_named() {
        for (character, code) in [
            ('\0', "U+0000"),
            ('\u{1}', "U+0001"),
            ('\u{1b}', "U+001B"),
            ('\u{85}', "U+0085"),
            ('\u{200b}', "U+200B"),
            ('\u{200e}', "U+200E"),
            ('\u{202e}', "U+202E"),
            ('\u{2066}', "U+2066"),
            ('\u{2028}', "U+2028"),
            ('\u{feff}', "U+FEFF"),
            ('\u{ffff}', "U+FFFF"),
        ] {
            let refused = Problem::Invisible { character: code.into() };
            assert_eq!(check(&format!("The card{character} was away"), 100), Err(refused), "{code}");
            assert_eq!(check_some(&format!("{character}x"), 100).is_err(), !character.is_whitespace(), "{code}: at an end too");
        }
    }
}
