//! The rule for logins: how they are folded, and which ones may be chosen.

use crate::{error::Problem, names, text::narrow};

/// A login as it is stored and counted: in lower case and in one width (see [`narrow`]). Folding twice is folding once.
pub fn fold_login(login: &str) -> String {
    // Lower case may undo the form, as of `İ`.
    narrow(&narrow(login).trim().to_lowercase())
}

/// A login name: 2 to 64 of letters, digits, `. _ - @`, folded, with a letter or digit and each word in letters of one alphabet. Digits are
/// those of ASCII, Latin letters those of [`is_common_latin`]: others look like them. The server's `logins` stores and finds logins. Accounts
/// from before these rules keep their login.
pub fn check_login(login: &str) -> Result<String, Problem> {
    let login = fold_login(login);
    let length = login.chars().count();
    if length == 0 {
        Err(Problem::Missing)
    } else if length < 2 {
        Err(Problem::TooShort { min: 2 })
    } else if length > 64 {
        Err(Problem::TooLong { max: 64 })
    } else if !login.chars().all(|c| is_between_words(c) || is_letter_or_digit(c)) || login.chars().all(is_between_words) {
        Err(Problem::BadFormat { example: "li.hua".into() })
    } else if let Some(character) = foreign_letter(&login) {
        Err(Problem::MixedAlphabets { character: format!("{character} U+{:04X}", u32::from(character)) })
    } else {
        Ok(login)
    }
}

const fn is_between_words(c: char) -> bool {
    matches!(c, '.' | '_' | '-' | '@')
}

fn is_letter_or_digit(c: char) -> bool {
    let is_odd = c.is_numeric() && !c.is_ascii_digit() || Alphabet::of(c) == Some(Alphabet::Latin) && !is_common_latin(c);
    c.is_alphanumeric() && !names::is_invisible(c) && !is_odd
}

/// Small Latin letters of languages in daily use, Vietnamese and Pinyin among them: `a` to `z`, most of them with marks too. Small capitals,
/// phonetic letters and `ı` are none, as each of them passes for another letter.
const fn is_common_latin(c: char) -> bool {
    matches!(
        c,
        'a'..='z'
            | 'ß'..='ö'
            | 'ø'..='ÿ'
            | 'Ā'..='\u{130}'
            | '\u{132}'..='\u{137}'
            | '\u{139}'..='\u{17e}'
            | 'ơ'
            | 'ư'
            | '\u{1cd}'..='\u{1dc}'
            | '\u{218}'..='\u{21b}'
            | '\u{1e00}'..='\u{1e99}'
            | '\u{1ea0}'..='\u{1ef9}'
    )
}

/// Alphabets with letters that look like those of another one. Other scripts may stand beside any of them, as Chinese beside Latin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Alphabet {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Cherokee,
    Coptic,
    Lisu,
}

impl Alphabet {
    /// By the blocks of Unicode that hold their letters.
    const fn of(letter: char) -> Option<Self> {
        Some(match letter {
            'A'..='Z' | 'a'..='z' | '\u{aa}' | '\u{ba}' | '\u{c0}'..='\u{2af}' => Self::Latin,
            '\u{1e00}'..='\u{1eff}' | '\u{2c60}'..='\u{2c7f}' | '\u{a722}'..='\u{a7ff}' | '\u{ab30}'..='\u{ab64}' => Self::Latin,
            '\u{1d26}'..='\u{1d2a}' | '\u{370}'..='\u{3e1}' | '\u{3f0}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' | '\u{ab65}' => Self::Greek,
            '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{1d2b}' | '\u{1d78}' | '\u{a640}'..='\u{a69f}' => Self::Cyrillic,
            // The other phonetic letters are Latin ones, and so are the letters in circles and squares that are no other form of `A` to `Z`.
            '\u{1d00}'..='\u{1dbf}' | '\u{2100}'..='\u{214f}' | '\u{2183}'..='\u{2184}' => Self::Latin,
            '\u{10780}'..='\u{107bf}' | '\u{1df00}'..='\u{1dfff}' | '\u{1f100}'..='\u{1f1ff}' => Self::Latin,
            '\u{531}'..='\u{58f}' => Self::Armenian,
            '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Self::Cherokee,
            '\u{3e2}'..='\u{3ef}' | '\u{2c80}'..='\u{2cff}' => Self::Coptic,
            '\u{a4d0}'..='\u{a4ff}' | '\u{11fb0}' => Self::Lisu,
            _ => return None,
        })
    }
}

/// The first letter of another alphabet than the letters before it in the same word.
fn foreign_letter(login: &str) -> Option<char> {
    login.split(is_between_words).find_map(|word| {
        let mut letters = word.chars().filter_map(|c| Some((c, Alphabet::of(c)?)));
        let (_, first) = letters.next()?;
        letters.find(|(_, alphabet)| *alphabet != first).map(|(c, _)| c)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_a_login_has_letters_of_one_alphabet() {
        for (login, character) in [
            ("teaсher", "с U+0441"),
            ("ТEACHER", "e U+0065"),
            ("аdmin", "d U+0064"),
            ("li.huа", "а U+0430"),
            ("αdmin", "d U+0064"),
            ("οрα", "р U+0440"),
            ("2024ο1a", "a U+0061"),
            ("李huа", "а U+0430"),
        ] {
            assert_eq!(check_login(login), Err(Problem::MixedAlphabets { character: character.into() }), "{login}");
        }
        for (login, stored) in [
            ("иван.иванов", "иван.иванов"),
            ("ИВАН2", "иван2"),
            ("Ελένη", "ελένη"),
            ("李华", "李华"),
            ("李华li", "李华li"),
            ("nguyễn", "nguyễn"),
            ("カナkana", "カナkana"),
            ("иван@example", "иван@example"),
        ] {
            assert_eq!(check_login(login).as_deref(), Ok(stored), "{login}");
        }
    }

    #[test]
    fn latin_letters_and_digits_are_the_common_ones() {
        for login in ["ɑdmin", "ᴀdmin", "admın", "adminꞵ", "ɡit", "ⅎ1", "🅐dmin", "🅰dmin", "ĸit", "ƿit", "ẜun"] {
            assert_eq!(check_login(login), Err(Problem::BadFormat { example: "li.hua".into() }), "{login}");
        }
        for login in ["١٢٣", "۱۲۳", "२०२४", "২০২৪", "li١", "〇一"] {
            assert_eq!(check_login(login), Err(Problem::BadFormat { example: "li.hua".into() }), "{login}");
        }
        for login in ["..", "--", "@@", "._-"] {
            assert_eq!(check_login(login), Err(Problem::BadFormat { example: "li.hua".into() }), "{login}");
        }
        for (login, stored) in [
            ("２０２４", "2024"),
            ("①②", "12"),
            ("一二三", "一二三"),
            ("müller", "müller"),
            ("straße", "straße"),
            ("Łukasz", "łukasz"),
            ("lǚ.ǎi", "lǚ.ǎi"),
            ("ștefan", "ștefan"),
            ("trươngơ", "trươngơ"),
            ("𝐭eacher", "teacher"),
            ("a.", "a."),
        ] {
            assert_eq!(check_login(login).as_deref(), Ok(stored), "{login}");
        }
    }
}
