//! The line that is being typed: echo, erasing by whole characters, Ctrl-C and Ctrl-D. Keys that a simple terminal does not know (arrows,
//! marks of a paste) do nothing.

use bytes::{Bytes, BytesMut};

/// An event that a key causes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Typed {
    /// With its end.
    Line(Bytes),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
}

#[derive(Debug, Default)]
pub struct LineEditor {
    line: Vec<u8>,
    escape: Escape,
    /// The last key was Enter as `\r`: a `\n` after it is the same key.
    after_return: bool,
}

/// The state within a key that is sent as several bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    Begun,
    /// `ESC O` and one more.
    One,
    /// `ESC [` up to a letter or a tilde.
    Parameters,
}

impl LineEditor {
    /// Takes a byte; what the terminal shows of it is put into `echo`.
    pub fn feed(&mut self, byte: u8, echo: &mut BytesMut) -> Option<Typed> {
        let after_return = std::mem::take(&mut self.after_return);
        if self.escape != Escape::None || byte == 0x1b {
            self.escape = self.escape.after(byte);
            return None;
        }
        match byte {
            b'\n' if after_return => {}
            b'\r' | b'\n' => {
                self.after_return = byte == b'\r';
                echo.extend_from_slice(b"\r\n");
                self.line.push(b'\n');
                return Some(Typed::Line(std::mem::take(&mut self.line).into()));
            }
            0x03 => {
                self.line.clear();
                echo.extend_from_slice(b"^C\r\n");
                return Some(Typed::Interrupt);
            }
            0x04 => return self.line.is_empty().then_some(Typed::End),
            0x08 | 0x7f => self.erase(echo),
            0x15 => {
                while !self.line.is_empty() {
                    self.erase(echo);
                }
            }
            0..=0x1f => {}
            _ => {
                self.line.push(byte);
                echo.extend_from_slice(&[byte]);
            }
        }
        None
    }

    /// Erases the last character and its columns.
    fn erase(&mut self, echo: &mut BytesMut) {
        let start = self.line.iter().rposition(|byte| byte & 0xc0 != 0x80).unwrap_or_default();
        let erased = self.line.split_off(start);
        let columns = std::str::from_utf8(&erased).ok().and_then(|text| text.chars().next()).map_or(usize::from(!erased.is_empty()), columns);
        for _ in 0..columns {
            echo.extend_from_slice(b"\x08 \x08");
        }
    }
}

impl Escape {
    fn after(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::None, _) | (_, 0x1b) => Self::Begun,
            (Self::Begun, b'[') => Self::Parameters,
            (Self::Begun, b'O') => Self::One,
            (Self::Parameters, 0x20..=0x3f) => Self::Parameters,
            _ => Self::None,
        }
    }
}

/// Columns that a character takes: two for those of East Asia and pictures, none for marks on the one before.
fn columns(character: char) -> usize {
    match u32::from(character) {
        0x300..=0x36f | 0x200b..=0x200f | 0xfe00..=0xfe0f => 0,
        0x1100..=0x115f | 0x2e80..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 => 2,
        0x1_f300..=0x1_faff | 0x2_0000..=0x3_fffd => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn type_in(keys: &[u8]) -> (Vec<Typed>, String) {
        let (mut editor, mut echo) = (LineEditor::default(), BytesMut::new());
        let typed = keys.iter().filter_map(|byte| editor.feed(*byte, &mut echo)).collect();
        (typed, String::from_utf8_lossy(&echo).into_owned())
    }

    fn line(text: &str) -> Typed {
        Typed::Line(Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn a_backspace_erases_one_character_and_its_columns() {
        assert_eq!(type_in("a\u{7f}b\r".as_bytes()), (vec![line("b\n")], "a\u{8} \u{8}b\r\n".to_owned()));
        assert_eq!(type_in("中\u{7f}é\u{7f}x\r".as_bytes()), (vec![line("x\n")], "中\u{8} \u{8}\u{8} \u{8}é\u{8} \u{8}x\r\n".to_owned()));
        assert_eq!(type_in(b"\x7f\x15\r"), (vec![line("\n")], "\r\n".to_owned()), "nothing to erase");
        assert_eq!(type_in(b"ab\x15c\r").0, [line("c\n")]);
    }

    #[test]
    fn control_c_and_control_d_end_what_they_end_in_a_terminal() {
        assert_eq!(type_in(b"ab\x03c\r"), (vec![Typed::Interrupt, line("c\n")], "ab^C\r\nc\r\n".to_owned()));
        assert_eq!(type_in(b"a\x04\r\x04").0, [line("a\n"), Typed::End]);
    }

    #[test]
    fn one_enter_is_one_line_and_other_keys_do_nothing() {
        assert_eq!(type_in(b"a\r\nb\n").0, [line("a\n"), line("b\n")]);
        assert_eq!(type_in(b"\x1b[A\x1bOP\x1b[200~a\x1b[201~\t\r"), (vec![line("a\n")], "a\r\n".to_owned()));
    }
}
