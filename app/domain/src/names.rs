//! The common rule for names that people type and others read: of people, courses, departments, colleges, tokens and saved searches. A name
//! is one line of visible characters, so it cannot hide, reverse or imitate the text beside it. A new kind of name calls [`check`] with its
//! own length.

use crate::error::Problem;

/// The name in its stored form: 1 to `max` characters, one space between words, nothing invisible at the ends.
///
/// Errors: `Missing`; `TooLong`; `Invisible` for a character that is invisible or that changes how the text around it is shown; `LooseMark` for
/// a mark at the beginning, which would be drawn on what stands before the name; `Stacked` for so many marks on one letter that they cover the
/// lines beside it.
pub fn check(name: &str, max: u32) -> Result<String, Problem> {
    let ends = |c: char| c.is_whitespace() || is_invisible(c);
    let name = name.trim_start_matches(|c: char| ends(c) || is_selector(c)).trim_end_matches(ends);
    // Spaces of any width come from spreadsheets and input methods; tabs and line ends are refused.
    if let Some(found) = first_hidden(name) {
        return Err(invisible(found));
    }
    let name = name.split(char::is_whitespace).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if !name.chars().any(is_seen) {
        return Err(Problem::Missing);
    }
    if let Some(mark) = name.chars().next().filter(|first| is_mark(*first)) {
        return Err(Problem::LooseMark { character: code(mark) });
    }
    if name.chars().count() > max as usize {
        return Err(Problem::TooLong { max });
    }
    if is_stacked(&name) { Err(Problem::Stacked { max: MOST_ACCENTS }) } else { Ok(name) }
}

/// Accents, tones and points of one letter, which stack above and below it. Pointed Hebrew has up to four.
const MOST_ACCENTS: u32 = 4;

/// Whether a letter bears more marks than any script needs, in its shortest form (NFC).
#[cfg(not(target_arch = "wasm32"))]
fn is_stacked(name: &str) -> bool {
    use unicode_normalization::{
        UnicodeNormalization as _,
        char::{canonical_combining_class, is_combining_mark},
    };
    /// Vowels and second consonants too: Burmese and Tibetan write up to six marks, which do not all stack.
    const MOST_MARKS: u32 = 8;
    let (mut accents, mut marks) = (0_u32, 0_u32);
    name.nfc().any(|c| {
        if !is_combining_mark(c) {
            (accents, marks) = (0, 0);
            return false;
        }
        marks += 1;
        accents += u32::from(canonical_combining_class(c) != 0);
        accents > MOST_ACCENTS || marks > MOST_MARKS
    })
}

/// Whether the character is drawn on the one before it.
#[cfg(not(target_arch = "wasm32"))]
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// The browser has no tables of marks: the server decides.
#[cfg(target_arch = "wasm32")]
const fn is_mark(_c: char) -> bool {
    false
}

/// As [`is_mark`].
#[cfg(target_arch = "wasm32")]
const fn is_stacked(_name: &str) -> bool {
    false
}

/// Whether the name, stored as it is written, is one that [`check`] takes: for documents whose names keep their form.
///
/// Errors: those of [`check`], and `Invisible` at an end too.
pub fn check_written(name: &str, max: u32) -> Result<(), Problem> {
    check_ends(name)?;
    check(name, max).map(drop)
}

/// For names in lists, whose preview shows what will be stored: [`check`] would strip what nobody sees at their ends.
///
/// Errors: `Invisible`.
pub(crate) fn check_ends(name: &str) -> Result<(), Problem> {
    first_hidden(name.trim()).map_or(Ok(()), |found| Err(invisible(found)))
}

pub(crate) fn invisible(found: char) -> Problem {
    Problem::Invisible { character: code(found) }
}

/// `U+202E`
fn code(c: char) -> String {
    format!("U+{:04X}", u32::from(c))
}

/// A name that was stored before this rule, without invisible characters: for places where it is shown beside other text.
pub fn shown(name: &str) -> String {
    let mut shown = String::with_capacity(name.len());
    for c in name.chars().map(|c| if c.is_whitespace() { ' ' } else { c }) {
        if !is_hidden(shown.chars().next_back(), c) {
            shown.push(c);
        }
    }
    shown
}

fn first_hidden(name: &str) -> Option<char> {
    let mut last = None;
    name.chars().find(|c| is_hidden(last.replace(*c), *c))
}

/// Whether the character is invisible behind `before`: a variation selector is part of an ideograph or an emoji, and hides elsewhere.
fn is_hidden(before: Option<char>, c: char) -> bool {
    is_invisible(c) || is_selector(c) && !before.is_some_and(has_variants)
}

/// Ideographs, and signs that are shown as text or as emoji.
const fn has_variants(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3fffd}'
        | '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// A character that only chooses the form of the one before it.
const fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Control characters and line ends; zero-width characters; characters that change the direction of writing; blank letters; characters that
/// Unicode leaves to private use or never assigns, which every font shows as it likes.
pub fn is_invisible(c: char) -> bool {
    let is_never_assigned = u32::from(c) & 0xfffe == 0xfffe || matches!(c, '\u{fdd0}'..='\u{fdef}');
    let is_private = matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    c.is_control()
        || is_never_assigned
        || is_private
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffc}' | '\u{13430}'..='\u{1345f}' | '\u{16fe4}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d159}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e00ff}' | '\u{e01f0}'..='\u{e0fff}')
}

/// Whether the character is visible: not a space, and not a variation selector, which only changes the character before it.
pub(crate) fn is_seen(c: char) -> bool {
    !c.is_whitespace() && !is_selector(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_kept_as_people_write_it() {
        for (typed, stored) in [
            (" 李华 ", "李华"),
            ("阿卜杜拉·买买提", "阿卜杜拉·买买提"),
            ("Renée O’Connor-Żak", "Renée O’Connor-Żak"),
            ("Nguyễn Văn A", "Nguyễn Văn A"),
            ("محمد", "محمد"),
            ("李\u{3000}华", "李 华"),
            ("Li \u{a0} Hua", "Li Hua"),
            ("\u{feff}李华\u{200b}", "李华"),
            ("C++ & <XML>", "C++ & <XML>"),
            ("葛\u{e0100}城", "葛\u{e0100}城"),
            ("李 ❤\u{fe0f}", "李 ❤\u{fe0f}"),
            ("\u{fe0f}Li", "Li"),
            ("\u{202e}administrator", "administrator"),
            ("Nguye\u{302}\u{303}n Va\u{306}n A", "Nguye\u{302}\u{303}n Va\u{306}n A"),
            ("สมชาย ใจดี ที่นี่", "สมชาย ใจดี ที่นี่"),
            ("ש\u{5c1}\u{5bc}\u{5b8}\u{59c}לום", "ש\u{5c1}\u{5bc}\u{5b8}\u{59c}לום"),
            ("ကြွှေး", "ကြွှေး"),
            ("བསྒྲུབས", "བསྒྲུབས"),
            ("क्षितिज़ कुँवर", "क्षितिज़ कुँवर"),
        ] {
            assert_eq!(check(typed, 100).as_deref(), Ok(stored), "{typed:?}");
            assert_eq!(check(stored, 100).as_deref(), Ok(stored), "the stored form is its own");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_refused_and_named() {
        for (character, code) in [
            ('\u{200b}', "U+200B"),
            ('\u{200d}', "U+200D"),
            ('\u{2060}', "U+2060"),
            ('\u{feff}', "U+FEFF"),
            ('\u{202e}', "U+202E"),
            ('\u{2066}', "U+2066"),
            ('\u{3164}', "U+3164"),
            ('\u{ffa0}', "U+FFA0"),
            ('\u{2800}', "U+2800"),
            ('\u{ad}', "U+00AD"),
            ('\u{1}', "U+0001"),
            ('\u{7f}', "U+007F"),
            ('\n', "U+000A"),
            ('\r', "U+000D"),
            ('\t', "U+0009"),
            ('\u{2028}', "U+2028"),
            ('\u{e0041}', "U+E0041"),
            ('\u{1d159}', "U+1D159"),
            ('\u{16fe4}', "U+16FE4"),
            ('\u{ffff}', "U+FFFF"),
            ('\u{fdd0}', "U+FDD0"),
            ('\u{1fffe}', "U+1FFFE"),
            ('\u{e000}', "U+E000"),
            ('\u{fe0f}', "U+FE0F"),
            ('\u{e0100}', "U+E0100"),
            ('\u{10fffd}', "U+10FFFD"),
        ] {
            let name = format!("Li{character}Hua");
            assert_eq!(check(&name, 100), Err(Problem::Invisible { character: code.into() }), "{name:?}");
            assert_eq!(check(&character.to_string(), 100), Err(Problem::Missing), "alone it is no name: {code}");
            assert!(!shown(&name).contains(character) && shown(&name).starts_with("Li"), "{name:?}");
        }
    }

    #[test]
    fn marks_that_stack_over_other_lines_are_refused() {
        let stacked: Result<String, Problem> = Err(Problem::Stacked { max: 4 });
        for marks in ["\u{301}".repeat(40), "\u{323}".repeat(6), "\u{301}\u{316}".repeat(3), "\u{20dd}".repeat(9)] {
            for name in [format!("Li{marks}Hua"), format!("李{marks}"), format!("Li {marks}")] {
                assert_eq!(check(&name, 100), stacked, "{name:?}");
                assert_eq!(check_written(&name, 100).err(), stacked.clone().err(), "{name:?}");
            }
        }
        assert!(check(&format!("L{}", "i\u{301}".repeat(40)), 100).is_ok(), "one mark each");
    }

    #[test]
    fn a_name_begins_with_a_letter_that_carries_its_marks() {
        for (name, mark) in [("\u{301}a", "U+0301"), (" \u{200b}\u{5b0}שלום", "U+05B0"), ("\u{93e}म", "U+093E")] {
            let loose: Result<String, Problem> = Err(Problem::LooseMark { character: mark.into() });
            assert_eq!(check(name, 100), loose, "{name:?}");
        }
        assert_eq!(check("e\u{301}a", 100).as_deref(), Ok("e\u{301}a"));
    }

    #[test]
    fn a_written_name_has_nothing_invisible_at_its_ends_either() {
        assert_eq!(check_written(" JupyterLab  slice ", 80), Ok(()));
        for name in ["\u{202e}JupyterLab", "JupyterLab\u{200b}", "A\0B", "A\nB", "\u{fe0f}JupyterLab", "JupyterLab\u{fe0f}", "葛\u{fe00}\u{fe00}"] {
            assert!(matches!(check_written(name, 80), Err(Problem::Invisible { .. })), "{name:?}");
        }
        assert_eq!((check_written(" ", 5), check_written("李华李华李华", 5)), (Err(Problem::Missing), Err(Problem::TooLong { max: 5 })));
    }

    #[test]
    fn a_name_has_a_length() {
        assert_eq!(check("", 5), Err(Problem::Missing));
        assert_eq!(check(" \u{3000}\u{fe0f} ", 5), Err(Problem::Missing));
        assert_eq!(check("李华李华李", 5).as_deref(), Ok("李华李华李"));
        assert_eq!(check("李华李华李华", 5), Err(Problem::TooLong { max: 5 }));
    }
}
