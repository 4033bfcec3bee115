//! Draws the screen: a row is an element, and only rows that changed are drawn anew, once for each picture of the browser's.

use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement};

use super::Terminal;
use crate::labs::terminal::screen::{Look, Run, mixed};

/// Characters of the probe.
const PROBE: f64 = 40.0;

/// The index of a colour that the palette of the style sheet has.
const fn named(color: vt100::Color) -> Option<u8> {
    match color {
        vt100::Color::Idx(index @ 0..=15) => Some(index),
        _ => None,
    }
}

impl Terminal {
    /// Measures the cell and how many fit. Returns whether the size is another one now.
    pub(super) fn measure(self: &Rc<Self>) -> bool {
        let elements = &self.elements;
        let probe = elements.probe.get_bounding_client_rect();
        let (width, height) = (probe.width() / PROBE, probe.height());
        if width < 1.0 || height < 1.0 {
            return false;
        }
        self.cell.set((width, height));
        let _ = elements.whole.style().set_property("--cell", &format!("{width}px"));
        let (columns, rows) = (fitting(elements.scroller.client_width(), width), fitting(elements.scroller.client_height(), height));
        let (columns, rows) = domain::terminal::fitting(columns, rows);
        let is_other = self.screen.borrow().size() != (columns, rows);
        if is_other {
            self.screen.borrow_mut().resize(columns, rows);
        }
        self.ask_to_draw();
        is_other
    }

    pub(super) fn ask_to_draw(self: &Rc<Self>) {
        if self.waits.replace(true) {
            return;
        }
        let terminal = Rc::downgrade(self);
        request_animation_frame(move || {
            if let Some(terminal) = terminal.upgrade() {
                terminal.waits.set(false);
                terminal.draw();
            }
        });
    }

    fn draw(&self) {
        let elements = &self.elements;
        let screen = self.screen.borrow();
        let (_, rows) = screen.size();
        let (earlier, shown) = screen.earlier();
        let (width, height) = self.cell.get();
        let total = f64::from(u32::try_from(earlier).unwrap_or(u32::MAX)) + f64::from(rows);
        let _ = elements.room.style().set_property("height", &format!("{}px", total * height));
        let mut drawn = self.drawn.borrow_mut();
        let rows = usize::from(rows);
        while drawn.len() > rows {
            drawn.pop();
            if let Some(last) = elements.rows.last_element_child() {
                last.remove();
            }
        }
        for row in 0..rows {
            let runs = screen.row(u16::try_from(row).unwrap_or(u16::MAX));
            if drawn.get(row) == Some(&runs) {
                continue;
            }
            if row < drawn.len() {
                if let Some(element) = elements.rows.children().item(u32::try_from(row).unwrap_or(u32::MAX)) {
                    fill(&element, &runs);
                }
                drawn[row] = runs;
            } else {
                if let Some(element) = made("div", "terminal-row") {
                    fill(&element, &runs);
                    let _ = elements.rows.append_child(&element);
                }
                drawn.push(runs);
            }
        }
        // The input method shows its choices beside the input.
        let (row, column) = screen.cursor();
        let input = web_sys::HtmlElement::style(&elements.input);
        let _ = input.set_property("left", &format!("{}px", f64::from(column) * width));
        let _ = input.set_property("top", &format!("{}px", f64::from(row) * height));
        drop(screen);
        let top = whole(f64::from(u32::try_from(earlier - shown).unwrap_or(u32::MAX)) * height);
        if (elements.scroller.scroll_top() - top).abs() > 1 {
            elements.scroller.set_scroll_top(top);
        }
        // The browser has its own idea of the end.
        self.top.set(elements.scroller.scroll_top());
    }

    /// The reader moved to other lines.
    pub(super) fn scrolled(self: &Rc<Self>) {
        let (earlier, shown) = self.screen.borrow().earlier();
        let (_, height) = self.cell.get();
        let top = self.elements.scroller.scroll_top();
        // It was moved by a drawing.
        if (top - self.top.get()).abs() <= 1 {
            return;
        }
        let above = whole(f64::from(top) / height);
        let wanted = earlier.saturating_sub(usize::try_from(above).unwrap_or_default());
        if wanted != shown {
            self.screen.borrow_mut().show_earlier(wanted);
            self.ask_to_draw();
        }
    }
}

/// How many cells of this size fit.
fn fitting(room: i32, cell: f64) -> u16 {
    u16::try_from(whole((f64::from(room) / cell).floor())).unwrap_or(u16::MAX)
}

/// The number of pixels, lines or cells that is nearest.
#[expect(clippy::cast_possible_truncation, reason = "bounded before")]
pub(super) fn whole(number: f64) -> i32 {
    number.round().clamp(0.0, f64::from(i32::MAX)) as i32
}

fn made(name: &str, class: &str) -> Option<Element> {
    let element = document().create_element(name).ok()?;
    element.set_class_name(class);
    Some(element)
}

/// Writes the runs into the element of a row, as text and never as markup.
fn fill(row: &Element, runs: &[Run]) {
    row.set_text_content(None);
    for run in runs {
        if run.look == Look::default() && run.cells.is_none() {
            let _ = row.append_with_str_1(&run.text);
            continue;
        }
        if let Some(span) = made("span", &classes(run)) {
            span.set_text_content(Some(&run.text));
            paint(&span, run.look);
            let _ = row.append_child(&span);
        }
    }
}

fn classes(run: &Run) -> String {
    let look = run.look;
    let (ink, paper) = if look.inverse { (look.paper, look.ink) } else { (look.ink, look.paper) };
    let mut classes = String::new();
    let mut add = |class: &str| {
        classes.push_str(class);
        classes.push(' ');
    };
    if let Some(index) = named(ink) {
        add(&format!("ink-{index}"));
    } else if look.inverse && ink == vt100::Color::Default {
        add("ink-paper");
    }
    if let Some(index) = named(paper) {
        add(&format!("paper-{index}"));
    } else if look.inverse && paper == vt100::Color::Default {
        add("paper-ink");
    }
    for (is_on, class) in [(look.bold, "bold"), (look.dim, "dim"), (look.italic, "italic"), (look.underline, "underline"), (look.is_cursor, "cursor")]
    {
        if is_on {
            add(class);
        }
    }
    match run.cells {
        Some(2) => add("wide"),
        Some(_) => add("narrow"),
        None => {}
    }
    classes
}

/// Colours that the style sheet does not name.
fn paint(span: &Element, look: Look) {
    let (ink, paper) = if look.inverse { (look.paper, look.ink) } else { (look.ink, look.paper) };
    let Some(span) = span.dyn_ref::<HtmlElement>() else { return };
    for (property, color) in [("color", ink), ("background-color", paper)] {
        if let Some((red, green, blue)) = mixed(color) {
            let _ = span.style().set_property(property, &format!("rgb({red} {green} {blue})"));
        }
    }
}
