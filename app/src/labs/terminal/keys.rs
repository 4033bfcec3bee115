//! From keys to what a terminal sends for them. Text is not here: it comes from the input element, which knows input methods, dead keys
//! and layouts.

/// A key that went down.
#[expect(clippy::struct_excessive_bools, reason = "the modifiers of a keyboard")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Press<'a> {
    /// As the browser names it: `a`, `Enter`, `ArrowUp`.
    pub key: &'a str,
    pub ctrl: bool,
    pub alt: bool,
    pub shift: bool,
    pub meta: bool,
}

/// Reaction of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    Send(Vec<u8>),
    /// Copies what is selected.
    Copy,
    /// Moves the focus out of the terminal.
    Leave,
    /// Moves through earlier lines by so many pages.
    Scroll(i8),
    /// Nothing: the browser does what it does with the key, and text comes as input.
    Browser,
}

/// `application`: whether the program asked for the cursor keys' other sequences.
pub fn does(press: Press<'_>, application: bool) -> Does {
    let Press { key, ctrl, shift, meta, .. } = press;
    if meta {
        return Does::Browser;
    }
    if ctrl && shift {
        match key {
            "C" | "c" => return Does::Copy,
            "L" | "l" => return Does::Leave,
            // Pasting, and what the browser keeps for itself.
            _ if key.chars().count() == 1 => return Does::Browser,
            _ => {}
        }
    }
    match key {
        "PageUp" if shift => return Does::Scroll(-1),
        "PageDown" if shift => return Does::Scroll(1),
        // Pastes in every browser.
        "Insert" if shift => return Does::Browser,
        _ => {}
    }
    named(press, application).or_else(|| character(press)).map_or(Does::Browser, Does::Send)
}

/// The number by which xterm says which modifiers were held; 1 for none.
fn modifiers(press: Press<'_>) -> u8 {
    1 + u8::from(press.shift) + 2 * u8::from(press.alt) + 4 * u8::from(press.ctrl)
}

/// Keys that have a name.
fn named(press: Press<'_>, application: bool) -> Option<Vec<u8>> {
    let after_escape = |bytes: &[u8]| if press.alt { [&b"\x1b"[..], bytes].concat() } else { bytes.to_vec() };
    let held = modifiers(press);
    let letter = |letter: char| match (held, application) {
        (1, true) => format!("\x1bO{letter}"),
        (1, false) => format!("\x1b[{letter}"),
        _ => format!("\x1b[1;{held}{letter}"),
    };
    let function = |letter: char| if held == 1 { format!("\x1bO{letter}") } else { format!("\x1b[1;{held}{letter}") };
    let number = |number: u8| if held == 1 { format!("\x1b[{number}~") } else { format!("\x1b[{number};{held}~") };
    let text = match press.key {
        "Enter" => return Some(after_escape(b"\r")),
        "Backspace" => return Some(after_escape(if press.ctrl { b"\x08" } else { b"\x7f" })),
        "Tab" if press.shift => "\x1b[Z".to_owned(),
        "Tab" => return Some(after_escape(b"\t")),
        "Escape" => return Some(after_escape(b"\x1b")),
        "ArrowUp" => letter('A'),
        "ArrowDown" => letter('B'),
        "ArrowRight" => letter('C'),
        "ArrowLeft" => letter('D'),
        "Home" => letter('H'),
        "End" => letter('F'),
        "Insert" => number(2),
        "Delete" => number(3),
        "PageUp" => number(5),
        "PageDown" => number(6),
        "F1" => function('P'),
        "F2" => function('Q'),
        "F3" => function('R'),
        "F4" => function('S'),
        "F5" => number(15),
        "F6" => number(17),
        "F7" => number(18),
        "F8" => number(19),
        "F9" => number(20),
        "F10" => number(21),
        "F11" => number(23),
        "F12" => number(24),
        _ => return None,
    };
    Some(text.into_bytes())
}

/// Characters with Ctrl or Alt. With both it is often AltGr, by which layouts type more characters.
fn character(press: Press<'_>) -> Option<Vec<u8>> {
    let mut characters = press.key.chars();
    let (Some(character), None) = (characters.next(), characters.next()) else { return None };
    match (press.ctrl, press.alt) {
        (true, false) => control(character).map(|byte| vec![byte]),
        (false, true) if character.is_ascii() => Some(vec![0x1b, u8::try_from(character).ok()?]),
        _ => None,
    }
}

/// The control character of a text that came while Ctrl was held, if it is one character that has one.
pub fn with_ctrl(text: &str) -> Option<u8> {
    let mut characters = text.chars();
    match (characters.next(), characters.next()) {
        (Some(character), None) => control(character),
        _ => None,
    }
}

/// The control character of a key.
fn control(character: char) -> Option<u8> {
    match character.to_ascii_lowercase() {
        letter @ 'a'..='z' => Some(u8::try_from(letter).ok()? - b'a' + 1),
        ' ' | '@' | '2' => Some(0),
        '[' | '3' => Some(0x1b),
        '\\' | '4' => Some(0x1c),
        ']' | '5' => Some(0x1d),
        '^' | '6' => Some(0x1e),
        '_' | '/' | '7' => Some(0x1f),
        '?' | '8' => Some(0x7f),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(key: &str) -> Press<'_> {
        Press { key, ..Press::default() }
    }

    fn sent(press: Press<'_>) -> String {
        match does(press, false) {
            Does::Send(bytes) => String::from_utf8(bytes).unwrap(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn keys_send_what_xterm_sends() {
        for (key, bytes) in [
            ("Enter", "\r"),
            ("Backspace", "\x7f"),
            ("Tab", "\t"),
            ("Escape", "\x1b"),
            ("ArrowUp", "\x1b[A"),
            ("Home", "\x1b[H"),
            ("End", "\x1b[F"),
            ("Delete", "\x1b[3~"),
            ("PageDown", "\x1b[6~"),
            ("F1", "\x1bOP"),
            ("F5", "\x1b[15~"),
            ("F12", "\x1b[24~"),
        ] {
            assert_eq!(sent(press(key)), bytes, "{key}");
        }
        assert_eq!(does(press("ArrowLeft"), true), Does::Send(b"\x1bOD".to_vec()));
        assert_eq!(does(press("Home"), true), Does::Send(b"\x1bOH".to_vec()));
    }

    #[test]
    fn modifiers_are_sent_too() {
        assert_eq!(sent(Press { ctrl: true, ..press("ArrowRight") }), "\x1b[1;5C");
        assert_eq!(sent(Press { alt: true, ..press("ArrowRight") }), "\x1b[1;3C");
        assert_eq!(sent(Press { shift: true, ..press("F5") }), "\x1b[15;2~");
        assert_eq!(sent(Press { shift: true, ..press("Tab") }), "\x1b[Z");
        assert_eq!(sent(Press { alt: true, ..press("Backspace") }), "\x1b\x7f");
        assert_eq!(sent(Press { ctrl: true, ..press("c") }), "\x03");
        assert_eq!(sent(Press { ctrl: true, ..press(" ") }), "\0");
        assert_eq!(sent(Press { ctrl: true, ..press("[") }), "\x1b");
        assert_eq!(sent(Press { alt: true, ..press("f") }), "\x1bf");
    }

    #[test]
    fn ctrl_of_the_bar_makes_a_control_character_of_one_letter() {
        assert_eq!((with_ctrl("c"), with_ctrl("D"), with_ctrl("[")), (Some(3), Some(4), Some(0x1b)));
        assert_eq!((with_ctrl(""), with_ctrl("cd"), with_ctrl("深")), (None, None, None));
    }

    #[test]
    fn text_and_the_browsers_own_keys_are_left_to_the_browser() {
        for key in ["a", "深", "Dead", "Process", "Shift", "Unidentified"] {
            assert_eq!(does(press(key), false), Does::Browser, "{key}");
        }
        assert_eq!(does(Press { ctrl: true, alt: true, ..press("@") }, false), Does::Browser, "AltGr");
        assert_eq!(does(Press { meta: true, ..press("v") }, false), Does::Browser);
        assert_eq!(does(Press { ctrl: true, shift: true, ..press("V") }, false), Does::Browser);
        assert_eq!(does(Press { ctrl: true, shift: true, ..press("C") }, false), Does::Copy);
        assert_eq!(does(Press { ctrl: true, shift: true, ..press("L") }, false), Does::Leave);
        assert_eq!(does(Press { shift: true, ..press("PageUp") }, false), Does::Scroll(-1));
        assert_eq!(does(Press { shift: true, ..press("Insert") }, false), Does::Browser);
    }
}
