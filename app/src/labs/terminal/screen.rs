//! The screen: what the shell wrote, as rows of cells. `vt100` reads it, since it knows the modes that programs set (paste, mouse, cursor
//! keys, other screen) and leaves every question to us; `avt` would wrap earlier lines anew at another width, but knows neither pastes nor the
//! mouse. Its parser joins characters that are cut between two pieces. What is not asked for here is not answered: the clipboard cannot be
//! read or written, and no title is typed back.

use std::num::NonZeroU16;

use domain::terminal::fitting;
use vt100::{Callbacks, Color, Parser};

/// Earlier lines that are kept.
pub const LINES: usize = 10_000;
/// Characters of a title that are shown.
const TITLE: usize = 200;

pub struct Screen {
    parser: Parser<Aside>,
}

/// Message beside the text.
#[derive(Default)]
struct Aside {
    title: Option<String>,
    answers: Vec<u8>,
    /// Output that was answered before is drawn again.
    is_repeated: bool,
}

impl Callbacks for Aside {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        let text = String::from_utf8_lossy(title);
        self.title = Some(text.chars().filter(|character| !character.is_control()).take(TITLE).collect());
    }

    fn unhandled_csi(&mut self, screen: &mut vt100::Screen, first: Option<u8>, _: Option<u8>, parameters: &[&[u16]], kind: char) {
        if self.is_repeated || first.is_some() {
            return;
        }
        let number = parameters.first().and_then(|parameter| parameter.first()).copied().unwrap_or_default();
        match (kind, number) {
            ('n', 6) => {
                let (row, column) = screen.cursor_position();
                self.answers.extend_from_slice(format!("\x1b[{};{}R", row + 1, column + 1).as_bytes());
            }
            // A VT100 with advanced video.
            ('c', 0) => self.answers.extend_from_slice(b"\x1b[?1;2c"),
            _ => {}
        }
    }
}

/// The looks of characters.
#[expect(clippy::struct_excessive_bools, reason = "the attributes of a cell")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Look {
    pub ink: Color,
    pub paper: Color,
    pub bold: bool,
    pub dim: bool,
    pub italic: bool,
    pub underline: bool,
    pub inverse: bool,
    pub is_cursor: bool,
}

/// Characters of a row with the same looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    pub text: String,
    pub look: Look,
    /// Cells of the one character in it, whose glyph may come from another font; `None` for text of the terminal's own font.
    pub cells: Option<u16>,
}

fn side(number: u16) -> NonZeroU16 {
    NonZeroU16::new(number).unwrap_or(NonZeroU16::MIN)
}

impl Screen {
    pub fn new(columns: u16, rows: u16) -> Self {
        let (columns, rows) = fitting(columns, rows);
        Self { parser: Parser::new_with_callbacks(side(rows), side(columns), LINES, Aside::default()) }
    }

    /// Columns and rows.
    pub fn size(&self) -> (u16, u16) {
        let (rows, columns) = self.inner().size();
        (columns.get(), rows.get())
    }

    pub fn resize(&mut self, columns: u16, rows: u16) {
        let (columns, rows) = fitting(columns, rows);
        self.parser.set_size(side(rows), side(columns));
    }

    fn inner(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// Takes output in, and gives what is to be answered. `is_repeated`: it was answered before.
    pub fn write(&mut self, bytes: &[u8], is_repeated: bool) -> Vec<u8> {
        self.parser.callbacks_mut().is_repeated = is_repeated;
        self.parser.process(bytes);
        std::mem::take(&mut self.parser.callbacks_mut().answers)
    }

    /// The title, if it was set since the last time.
    pub fn new_title(&mut self) -> Option<String> {
        self.parser.callbacks_mut().title.take()
    }

    /// How many earlier lines there are, and how many of them are in view.
    pub fn earlier(&self) -> (usize, usize) {
        (self.inner().scrollback_len(), self.inner().scrollback())
    }
    pub fn show_earlier(&mut self, lines: usize) {
        self.parser.screen_mut().set_scrollback(lines);
    }

    pub fn wants_application_keys(&self) -> bool {
        self.inner().application_cursor()
    }
    pub fn wants_bracketed_paste(&self) -> bool {
        self.inner().bracketed_paste()
    }
    pub fn is_other_screen(&self) -> bool {
        self.inner().alternate_screen()
    }
    pub fn mouse(&self) -> (vt100::MouseProtocolMode, vt100::MouseProtocolEncoding) {
        (self.inner().mouse_protocol_mode(), self.inner().mouse_protocol_encoding())
    }
    /// Row and column.
    pub fn cursor(&self) -> (u16, u16) {
        self.inner().cursor_position()
    }

    /// A row that is in view, without the empty cells at its end.
    pub fn row(&self, row: u16) -> Vec<Run> {
        let screen = self.inner();
        let (columns, _) = self.size();
        let has_cursor = screen.scrollback() == 0 && !screen.hide_cursor();
        let cursor = screen.cursor_position();
        // Past the last column the cursor waits to wrap.
        let cursor = (cursor.0, cursor.1.min(columns - 1));
        let mut runs: Vec<Run> = Vec::new();
        for column in 0..columns {
            let Some(cell) = screen.cell(row, column) else { break };
            if cell.is_wide_continuation() {
                continue;
            }
            let look = Look {
                ink: cell.fgcolor(),
                paper: cell.bgcolor(),
                bold: cell.bold(),
                dim: cell.dim(),
                italic: cell.italic(),
                underline: cell.underline(),
                inverse: cell.inverse(),
                is_cursor: has_cursor && cursor.0 == row && (cursor.1 == column || (cell.is_wide() && cursor.1 == column + 1)),
            };
            let text = if cell.has_contents() { cell.contents() } else { " " };
            let cells = if cell.is_wide() {
                Some(2)
            } else if text.chars().all(|character| character < '\u{250}') {
                None
            } else {
                Some(1)
            };
            match runs.last_mut() {
                Some(last) if cells.is_none() && last.cells.is_none() && last.look == look => last.text.push_str(text),
                _ => runs.push(Run { text: text.to_owned(), look, cells }),
            }
        }
        trim(&mut runs);
        runs
    }
}

fn trim(runs: &mut Vec<Run>) {
    while let Some(last) = runs.last_mut().filter(|last| last.look == Look::default()) {
        last.text.truncate(last.text.trim_end_matches(' ').len());
        if !last.text.is_empty() {
            return;
        }
        runs.pop();
    }
}

/// The red, green and blue of a colour that has no name in the palette: those of the cube and the greys.
pub fn mixed(color: Color) -> Option<(u8, u8, u8)> {
    match color {
        Color::Default | Color::Idx(0..=15) => None,
        Color::Idx(index @ 16..=231) => {
            let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
            let index = index - 16;
            Some((level(index / 36), level(index / 6 % 6), level(index % 6)))
        }
        Color::Idx(index) => {
            let grey = 8 + 10 * (index - 232);
            Some((grey, grey, grey))
        }
        Color::Rgb(red, green, blue) => Some((red, green, blue)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(screen: &Screen, row: u16) -> String {
        screen.row(row).into_iter().map(|run| run.text).collect::<String>().trim_end().to_owned()
    }

    #[test]
    fn characters_that_are_cut_between_pieces_are_whole() {
        let mut screen = Screen::new(20, 4);
        for byte in "深度 é\r\n".as_bytes() {
            assert!(screen.write(&[*byte], false).is_empty());
        }
        assert_eq!(text(&screen, 0), "深度 é");
        let runs = screen.row(0);
        assert_eq!(runs.iter().map(|run| run.cells).collect::<Vec<_>>(), [Some(2), Some(2), None]);
        assert_eq!(screen.cursor(), (1, 0));
        // One Backspace of the shell takes one character of two cells.
        screen.write("深\x08\x08  \x08\x08".as_bytes(), false);
        assert_eq!((text(&screen, 1).as_str(), screen.cursor()), ("", (1, 0)));
    }

    #[test]
    fn only_two_questions_are_answered_and_never_twice() {
        let mut screen = Screen::new(20, 4);
        screen.write(b"\x1b[2;5H", false);
        assert_eq!(screen.write(b"\x1b[6n", false), b"\x1b[2;5R");
        assert_eq!(screen.write(b"\x1b[c\x1b[0c", false), b"\x1b[?1;2c\x1b[?1;2c");
        assert_eq!(screen.write(b"\x1b[6n\x1b[c", true), b"", "a repetition");
        for other in
            ["\x1b]2;rm -rf ~\x07\x1b[21t", "\x1b]52;c;?\x07", "\x1b]52;c;ZWNobyBoaQ==\x07", "\x1b[>c", "\x1b[?6n", "\x1b[5n", "\x1bZ", "\x05"]
        {
            assert_eq!(screen.write(other.as_bytes(), false), b"", "{other:?}");
        }
    }

    #[test]
    fn a_title_is_text_of_a_bounded_length() {
        let mut screen = Screen::new(20, 4);
        screen.write("\x1b]2;<b>深</b>\x07".as_bytes(), false);
        assert_eq!(screen.new_title().as_deref(), Some("<b>深</b>"));
        assert_eq!(screen.new_title(), None);
        screen.write(b"\x1b]0;", false);
        for _ in 0..1_000 {
            screen.write(&[b'x'; 1_000], false);
        }
        screen.write(b"\x07", false);
        assert_eq!(screen.new_title().map(|title| title.len()), Some(TITLE));
    }

    #[test]
    fn earlier_lines_are_kept_and_shown() {
        let mut screen = Screen::new(20, 3);
        for line in 0..LINES + 50 {
            screen.write(format!("{line}\r\n").as_bytes(), false);
        }
        assert_eq!(screen.earlier(), (LINES, 0));
        screen.show_earlier(LINES);
        assert_eq!(text(&screen, 0), "48");
        screen.show_earlier(0);
        assert_eq!(text(&screen, 1), (LINES + 49).to_string());
    }

    #[test]
    fn looks_make_runs_and_modes_are_known() {
        let mut screen = Screen::new(20, 3);
        screen.write(b"a\x1b[1;31mb\x1b[0mc\x1b[?1h\x1b[?2004h\x1b[?1002h\x1b[?1006h", false);
        let runs = screen.row(0);
        assert_eq!(runs.iter().map(|run| run.text.as_str()).collect::<Vec<_>>(), ["a", "b", "c", " "]);
        assert!(runs[1].look.bold && runs[1].look.ink == Color::Idx(1) && runs[3].look.is_cursor);
        assert!(screen.wants_application_keys() && screen.wants_bracketed_paste() && !screen.is_other_screen());
        assert_eq!(screen.mouse(), (vt100::MouseProtocolMode::ButtonMotion, vt100::MouseProtocolEncoding::Sgr));
        screen.resize(10, 2);
        assert_eq!(screen.size(), (10, 2));
    }

    #[test]
    fn colours_beyond_the_palette_are_mixed() {
        assert_eq!(mixed(Color::Idx(7)), None);
        assert_eq!(mixed(Color::Idx(16)), Some((0, 0, 0)));
        assert_eq!(mixed(Color::Idx(231)), Some((255, 255, 255)));
        assert_eq!(mixed(Color::Idx(255)), Some((238, 238, 238)));
        assert_eq!(mixed(Color::Rgb(1, 2, 3)), Some((1, 2, 3)));
    }
}
