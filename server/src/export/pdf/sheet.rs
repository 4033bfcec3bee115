//! Pages of A4 that fill from the top: lines of text and tables, with the heading of a table on each page that it reaches.

use pdf_writer::{Content, Finish as _, Pdf, Rect, Ref, Str, TextStr};

use super::face::{self, BOLD, CHINESE, Face, UPRIGHT, fitting, runs, width};

const PAGE: (f32, f32) = (595.0, 842.0);
const MARGIN: f32 = 50.0;
/// Where text begins and ends.
pub const LEFT: f32 = MARGIN;
pub const RIGHT: f32 = PAGE.0 - MARGIN;
const TOP: f32 = PAGE.1 - MARGIN;
/// The foot of the page is below.
const BOTTOM: f32 = 70.0;
const FOOT: f32 = 40.0;
/// Of rows, in points.
const SIZE: f32 = 9.0;
const ROW: f32 = 16.0;
/// Between two columns.
const GAP: f32 = 8.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    /// Numbers.
    Right,
}

/// A column from `from` to `to`, in points from the left edge of the page.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    pub from: f32,
    pub to: f32,
    pub align: Align,
}

pub struct Sheet {
    pages: Vec<Content>,
    /// The next line's base.
    y: f32,
}

impl Sheet {
    pub fn new() -> Self {
        Self { pages: vec![Content::new()], y: TOP }
    }

    fn page(&mut self) -> &mut Content {
        if self.pages.is_empty() {
            self.pages.push(Content::new());
        }
        let last = self.pages.len() - 1;
        &mut self.pages[last]
    }

    /// A line of text over the whole width.
    pub fn line(&mut self, face: Face, size: f32, text: &str) {
        self.make_room(size * 1.5);
        self.y -= size * 1.5;
        let (y, text) = (self.y, fitting(face, size, text, RIGHT - LEFT));
        write(self.page(), face, size, (LEFT, y), &text);
    }

    /// Empty space, which never opens a page.
    pub fn space(&mut self, points: f32) {
        self.y -= points;
    }

    /// A table; `face` of its rows. Cells beyond the columns are left out.
    pub fn table<const N: usize>(&mut self, columns: &[Column; N], heads: [&str; N], rows: impl IntoIterator<Item = (Face, [String; N])>) {
        // The heading and one row stay together.
        self.make_room(2.0 * ROW);
        self.heads(columns, heads);
        for (face, cells) in rows {
            if self.make_room(ROW) {
                self.heads(columns, heads);
            }
            self.row(columns, face, &cells.each_ref().map(String::as_str));
        }
    }

    fn heads<const N: usize>(&mut self, columns: &[Column; N], heads: [&str; N]) {
        self.row(columns, Face::Bold, &heads);
        let y = self.y - 4.0;
        self.page().set_line_width(0.5).move_to(LEFT, y).line_to(RIGHT, y).stroke();
    }

    fn row<const N: usize>(&mut self, columns: &[Column; N], face: Face, cells: &[&str; N]) {
        self.y -= ROW;
        let y = self.y;
        for (column, cell) in columns.iter().zip(cells) {
            let room = column.to - column.from - GAP;
            // A text that does not fit is cut. A number is not, since its first digits are another number: it is written smaller.
            let (x, size, text) = match column.align {
                Align::Left => (column.from, SIZE, fitting(face, SIZE, cell, room)),
                Align::Right => {
                    let size = SIZE * (room / width(face, SIZE, cell)).min(1.0);
                    (column.to - width(face, size, cell), size, (*cell).to_owned())
                }
            };
            write(self.page(), face, size, (x, y), &text);
        }
    }

    /// Whether a new page was begun.
    fn make_room(&mut self, points: f32) -> bool {
        if self.y - points >= BOTTOM {
            return false;
        }
        self.pages.push(Content::new());
        self.y = TOP;
        true
    }

    /// The file. `foot` stands at the bottom of each page beside its number.
    pub fn finish(mut self, title: &str, language: &str, foot: &str) -> Vec<u8> {
        let count = self.pages.len();
        for (number, page) in (1..).zip(&mut self.pages) {
            write(page, Face::Upright, 8.0, (LEFT, FOOT), foot);
            let number = format!("{number} / {count}");
            write(page, Face::Upright, 8.0, (RIGHT - width(Face::Upright, 8.0, &number), FOOT), &number);
        }
        let mut pdf = Pdf::new();
        let [catalog, tree, info] = [1, 2, 3].map(Ref::new);
        let fonts = [4, 5, 6, 7, 8, 9, 10].map(Ref::new);
        let first = 11;
        // No month has a thousand million pages.
        let of = |index: usize| i32::try_from(index).unwrap_or(i32::MAX / 4);
        let page_ref = |index: usize| Ref::new(first + 2 * of(index));
        let content_ref = |index: usize| Ref::new(first + 2 * of(index) + 1);
        pdf.catalog(catalog).pages(tree).lang(TextStr(language));
        pdf.document_info(info).title(TextStr(title)).producer(TextStr("Lectern"));
        pdf.pages(tree).kids((0..count).map(page_ref)).count(of(count));
        face::write(&mut pdf, fonts);
        for (index, content) in self.pages.into_iter().enumerate() {
            let mut page = pdf.page(page_ref(index));
            page.media_box(Rect::new(0.0, 0.0, PAGE.0, PAGE.1)).parent(tree).contents(content_ref(index));
            page.resources().fonts().pair(UPRIGHT, fonts[0]).pair(BOLD, fonts[1]).pair(CHINESE, fonts[2]);
            page.finish();
            pdf.stream(content_ref(index), &content.finish());
        }
        pdf.finish()
    }
}

fn write(content: &mut Content, face: Face, size: f32, (x, y): (f32, f32), text: &str) {
    content.begin_text().next_line(x, y);
    for run in runs(face, text) {
        content.set_font(run.font, size).show(Str(&run.bytes));
    }
    content.end_text();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contains(file: &[u8], text: &[u8]) -> bool {
        file.windows(text.len()).any(|window| window == text)
    }

    #[test]
    fn a_table_goes_on_with_its_heading_on_the_next_page() {
        let mut sheet = Sheet::new();
        sheet.line(Face::Bold, 18.0, "Bill");
        let columns = [Column { from: LEFT, to: 300.0, align: Align::Left }, Column { from: 300.0, to: RIGHT, align: Align::Right }];
        let rows = (0..100).map(|number| (Face::Upright, [format!("line {number}"), format!("{number}.00")]));
        sheet.table(&columns, ["Name", "Amount"], rows);
        let file = sheet.finish("Bill", "en", "made for a test");
        assert!(file.starts_with(b"%PDF-1.") && file.ends_with(b"%%EOF\n") || file.ends_with(b"%%EOF"));
        assert!(contains(&file, b"/Count 3") && contains(&file, b"(line 99)") && contains(&file, b"(3 / 3)"));
        let heads = file.windows(6).filter(|window| *window == b"(Name)").count();
        assert_eq!(heads, 3);
        // What the last lines say of the table of objects is true.
        let text = String::from_utf8_lossy(&file);
        let at: usize = text.rsplit("startxref\n").next().and_then(|rest| rest.lines().next()).and_then(|line| line.parse().ok()).expect("a place");
        assert!(file[at..].starts_with(b"xref"));
    }
}
