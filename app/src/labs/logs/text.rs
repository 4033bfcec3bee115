//! The text of a log as it comes in pieces: lines are bounded in number and length, `\r` begins a line anew (progress bars are drawn so), and
//! bytes that are no UTF-8, or not yet, are shown as U+FFFD.

use std::collections::VecDeque;

/// Most lines that are kept; the oldest go first.
pub const LINES_MOST: usize = 5_000;
/// Most bytes of a line; a longer one is cut into several.
const LINE_MOST: usize = 16 * 1_024;

#[derive(Debug, Clone, Default)]
pub struct LogText {
    lines: VecDeque<String>,
    /// The line that is still being written.
    last: Vec<u8>,
    /// The last byte was `\r`: what comes next is written over the line, unless it ends there.
    returned: bool,
    /// Lines that are not kept any more.
    dropped: bool,
}

impl LogText {
    pub fn push(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                b'\r' => self.returned = true,
                other => {
                    if self.returned {
                        self.last.clear();
                        self.returned = false;
                    }
                    self.last.push(other);
                    if self.last.len() >= LINE_MOST {
                        self.end_line();
                    }
                }
            }
        }
    }

    fn end_line(&mut self) {
        self.returned = false;
        let line = String::from_utf8_lossy(&self.last).into_owned();
        self.last.clear();
        self.lines.push_back(line);
        if self.lines.len() > LINES_MOST {
            self.lines.pop_front();
            self.dropped = true;
        }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.last.is_empty()
    }

    /// Whether earlier lines are not kept any more.
    pub const fn is_cut(&self) -> bool {
        self.dropped
    }

    /// All lines, and the one that is still being written.
    pub fn shown(&self) -> String {
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(line);
            text.push('\n');
        }
        text.push_str(&String::from_utf8_lossy(&self.last));
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(pieces: &[&[u8]]) -> String {
        let mut text = LogText::default();
        for piece in pieces {
            text.push(piece);
        }
        text.shown()
    }

    #[test]
    fn a_progress_bar_is_drawn_over_itself() {
        assert_eq!(shown(&[b"start\n 1%\r 2%\r", b" 3%"]), "start\n 3%");
        assert_eq!(shown(&[b" 99%\r100%\r\ndone\r\n"]), "100%\ndone\n");
    }

    #[test]
    fn a_character_that_is_cut_is_whole_once_the_rest_came() {
        let text = "深".as_bytes();
        assert_eq!(shown(&[&text[..2]]), "\u{fffd}");
        assert_eq!(shown(&[&text[..2], &text[2..]]), "深");
        assert_eq!(shown(&[b"a\xffb\n"]), "a\u{fffd}b\n");
    }

    #[test]
    fn the_oldest_lines_go_and_no_line_grows_for_ever() {
        let mut text = LogText::default();
        for number in 0..LINES_MOST + 2 {
            text.push(format!("{number}\n").as_bytes());
        }
        assert!(text.is_cut() && text.shown().starts_with("2\n"), "{}", &text.shown()[..20]);
        let mut long = LogText::default();
        long.push(&vec![b'x'; 3 * LINE_MOST]);
        assert_eq!(long.shown().lines().count(), 3);
    }
}
