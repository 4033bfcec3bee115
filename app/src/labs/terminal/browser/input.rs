//! Input of the reader: keys, text (also of input methods), pastes, the mouse and the wheel.

use std::{rc::Rc, time::Duration};

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{ClipboardEvent, Element, Event, HtmlDocument, InputEvent, KeyboardEvent, MouseEvent, Selection, WheelEvent};

use super::{Terminal, draw::whole};
use crate::labs::terminal::{
    keys::{self, Does, Press},
    mouse::{self, Act, Report},
    paste::pasted,
};

/// The key code of every key that an input method takes.
const TAKEN: u32 = 229;
/// Lines that a turn of the wheel moves a program which shows its own pages.
const WHEEL_LINES: usize = 3;

/// The selected text, if there is any.
fn selection() -> Option<Selection> {
    window().get_selection().ok().flatten().filter(|selection| !selection.is_collapsed())
}

impl Terminal {
    pub(super) fn hear(self: &Rc<Self>) {
        let (whole, input, rows) = (&self.elements.whole, &self.elements.input, &self.elements.rows);
        self.listen(whole, "keydown", |terminal, event| {
            if let Some(event) = event.dyn_ref() {
                terminal.key_down(event);
            }
        });
        self.listen(whole, "paste", |terminal, event| {
            if let Some(event) = event.dyn_ref() {
                terminal.paste(event);
            }
        });
        self.listen(input, "input", |terminal, event| {
            let composes = event.dyn_ref::<InputEvent>().is_some_and(InputEvent::is_composing);
            if !composes && !terminal.is_composing.get() {
                terminal.take_text();
            }
        });
        self.listen(input, "compositionstart", |terminal, _| terminal.compose(true));
        // The text is in the input by now, in every browser; what comes as an input event after it finds nothing.
        self.listen(input, "compositionend", |terminal, _| {
            terminal.compose(false);
            terminal.take_text();
        });
        for (name, act) in [("mousedown", Act::Press), ("mouseup", Act::Release), ("mousemove", Act::Move)] {
            self.listen(rows, name, move |terminal, event| {
                if let Some(event) = event.dyn_ref() {
                    terminal.point(event, act);
                }
            });
        }
        let bar = &self.elements.bar;
        // The keyboard of a phone stays only as long as the input has the focus.
        self.listen(bar, "mousedown", |_, event| event.prevent_default());
        self.listen(bar, "click", |terminal, event| terminal.press_button(&event));
        self.listen(whole, "wheel", |terminal, event| {
            if let Some(event) = event.dyn_ref() {
                terminal.turn_wheel(event);
            }
        });
        self.listen(&self.elements.scroller, "scroll", |terminal, _: Event| terminal.scrolled());
    }

    fn key_down(self: &Rc<Self>, event: &KeyboardEvent) {
        // The page has keys of its own, such as Ctrl+K for its search; here they are the shell's.
        event.stop_propagation();
        // Also Enter, with which an input method takes what was typed.
        if event.is_composing() || event.key_code() == TAKEN || self.is_composing.get() {
            return;
        }
        let key = event.key();
        if matches!(key.as_str(), "Shift" | "Control" | "Alt" | "Meta" | "AltGraph" | "CapsLock") {
            return;
        }
        let press = if event.get_modifier_state("AltGraph") {
            Press { key: &key, shift: event.shift_key(), ..Press::default() }
        } else {
            let ctrl = event.ctrl_key() || self.let_go();
            Press { key: &key, ctrl, alt: event.alt_key(), shift: event.shift_key(), meta: event.meta_key() }
        };
        if press.ctrl && !press.shift && !press.alt && key == "c" && selection().is_some() {
            // The browser copies; the next Ctrl-C is for the program again.
            set_timeout(forget_selection, Duration::ZERO);
            return;
        }
        let application = self.screen.borrow().wants_application_keys();
        match keys::does(press, application) {
            Does::Send(bytes) => {
                event.prevent_default();
                self.focus();
                self.type_in(&bytes);
            }
            Does::Copy => {
                event.prevent_default();
                copy();
            }
            Does::Leave => {
                event.prevent_default();
                let _ = self.elements.leave.focus();
            }
            Does::Scroll(pages) => {
                event.prevent_default();
                let scroller = &self.elements.scroller;
                scroller.set_scroll_top(scroller.scroll_top() + i32::from(pages) * scroller.client_height());
            }
            // Text is for the input, wherever the focus was; not what the browser does by Ctrl or Meta, such as copying.
            // A paste too, which some browsers have for an input only.
            Does::Browser if !press.meta && !press.ctrl || is_paste(press) => self.focus(),
            Does::Browser => {}
        }
    }

    /// A button of the bar, which is a key that keyboards of phones lack.
    fn press_button(self: &Rc<Self>, event: &Event) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let button = target.and_then(|target| target.closest("[data-key]").ok().flatten());
        let Some(key) = button.and_then(|button| button.get_attribute("data-key")) else { return };
        if key == "Control" {
            self.parts.ctrl.update(|is_held| *is_held = !*is_held);
        } else {
            let application = self.screen.borrow().wants_application_keys();
            let press = Press { key: &key, ctrl: self.let_go(), ..Press::default() };
            if let Does::Send(bytes) = keys::does(press, application) {
                self.type_in(&bytes);
            }
        }
        self.focus();
    }

    /// Lets the bar's Ctrl go, which is held for one key. Returns whether it was held.
    fn let_go(&self) -> bool {
        let was_held = self.parts.ctrl.get_untracked();
        if was_held {
            self.parts.ctrl.set(false);
        }
        was_held
    }

    fn focus(&self) {
        // It only fails for an element that cannot have it.
        let _ = self.elements.input.focus();
    }

    /// Shows what an input method composes, at the cursor.
    fn compose(&self, composes: bool) {
        self.is_composing.set(composes);
        let class = if composes { "terminal-input composing" } else { "terminal-input" };
        self.elements.input.set_class_name(class);
    }

    /// Sends what stands in the input, and empties it.
    fn take_text(self: &Rc<Self>) {
        let text = self.elements.input.value();
        if text.is_empty() {
            return;
        }
        self.elements.input.set_value("");
        if self.let_go()
            && let Some(byte) = keys::with_ctrl(&text)
        {
            self.type_in(&[byte]);
            return;
        }
        self.type_in(text.replace('\n', "\r").as_bytes());
    }

    fn paste(self: &Rc<Self>, event: &ClipboardEvent) {
        event.prevent_default();
        let text = event.clipboard_data().and_then(|data| data.get_data("text/plain").ok()).unwrap_or_default();
        let is_bracketed = self.screen.borrow().wants_bracketed_paste();
        self.type_in(&pasted(&text, is_bracketed));
        self.focus();
    }

    /// The cell at a point of the page.
    fn cell_at(&self, event: &MouseEvent) -> (u16, u16) {
        let place = self.elements.rows.get_bounding_client_rect();
        let (width, height) = self.cell.get();
        let (columns, rows) = self.screen.borrow().size();
        let cell = |at: f64, size: f64, most: u16| u16::try_from(whole((at / size).floor())).unwrap_or(u16::MAX).min(most - 1);
        let (x, y) = (f64::from(event.client_x()) - place.left(), f64::from(event.client_y()) - place.top());
        (cell(x, width, columns), cell(y, height, rows))
    }

    /// Sends a report. `false` if the program does not want it.
    fn report(self: &Rc<Self>, event: &MouseEvent, act: Act, button: u8) -> bool {
        // With Shift the mouse selects text in any case.
        if event.shift_key() {
            return false;
        }
        let (mode, encoding) = self.screen.borrow().mouse();
        let (column, row) = self.cell_at(event);
        let report = Report { act, button, column, row, ctrl: event.ctrl_key(), alt: event.alt_key() };
        let Some(bytes) = mouse::bytes(report, mode, encoding) else { return false };
        if act != Act::Move || self.pointed.get() != (column, row) {
            self.type_in(&bytes);
        }
        self.pointed.set((column, row));
        true
    }

    fn point(self: &Rc<Self>, event: &MouseEvent, act: Act) {
        let button = match act {
            Act::Move => match event.buttons() {
                held if held & 1 != 0 => 0,
                held if held & 4 != 0 => 1,
                held if held & 2 != 0 => 2,
                _ => 3,
            },
            _ => u8::try_from(event.button()).unwrap_or(3).min(2),
        };
        if self.report(event, act, button) {
            event.prevent_default();
            if act == Act::Press {
                self.focus();
            }
        } else if act == Act::Release && selection().is_none() {
            self.focus();
        }
    }

    fn turn_wheel(self: &Rc<Self>, event: &WheelEvent) {
        let is_down = event.delta_y() > 0.0;
        if event.delta_y() == 0.0 || event.ctrl_key() {
            return;
        }
        if self.report(event, Act::Wheel, u8::from(is_down)) {
            event.prevent_default();
        } else if self.screen.borrow().is_other_screen() {
            event.prevent_default();
            let application = self.screen.borrow().wants_application_keys();
            let key = if is_down { "ArrowDown" } else { "ArrowUp" };
            if let Does::Send(bytes) = keys::does(Press { key, ..Press::default() }, application) {
                self.type_in(&bytes.repeat(WHEEL_LINES));
            }
        }
    }
}

/// Keys by which browsers paste.
fn is_paste(press: Press<'_>) -> bool {
    matches!(press.key, "v" | "V") && (press.meta || press.ctrl && press.shift) || press.key == "Insert" && press.shift
}

fn forget_selection() {
    if let Some(selection) = selection() {
        let _ = selection.remove_all_ranges();
    }
}

/// Copies the selected text, and leaves it selected.
fn copy() {
    let Some(selection) = selection() else { return };
    if window().is_secure_context() {
        let text = String::from(selection.to_string());
        // A promise that nobody waits for.
        let _ = window().navigator().clipboard().write_text(&text);
    } else if let Some(document) = document().dyn_ref::<HtmlDocument>() {
        // Over http pages have no clipboard, but may ask the browser to do as its menu does.
        let _ = document.exec_command("copy");
    }
}
