//! The terminal in the browser: `connection` speaks with the portal, `draw` shows the screen, `input` hears keys, text, pastes and the mouse.

mod connection;
mod draw;
mod input;

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

use leptos::{leptos_dom::helpers::TimeoutHandle, prelude::*};
use wasm_bindgen::{JsCast, closure::Closure};
use web_sys::{Event, EventTarget, HtmlElement, HtmlTextAreaElement, ResizeObserver, WebSocket};

use crate::labs::terminal::{
    flow::Flow,
    page::Parts,
    screen::{Run, Screen},
    words::State,
};

/// The elements that the page gives.
struct Elements {
    whole: HtmlElement,
    scroller: HtmlElement,
    room: HtmlElement,
    rows: HtmlElement,
    probe: HtmlElement,
    input: HtmlTextAreaElement,
    bar: HtmlElement,
    leave: HtmlElement,
}

impl Elements {
    /// `None` until all are there.
    fn of(parts: Parts) -> Option<Self> {
        Some(Self {
            whole: parts.whole.get()?.unchecked_into(),
            scroller: parts.scroller.get()?.unchecked_into(),
            room: parts.room.get()?.unchecked_into(),
            rows: parts.rows.get()?.unchecked_into(),
            probe: parts.probe.get()?.unchecked_into(),
            input: parts.input.get()?.unchecked_into(),
            bar: parts.bar.get()?.unchecked_into(),
            leave: parts.leave.get()?.unchecked_into(),
        })
    }
}

type Heard = Closure<dyn Fn(Event)>;

struct Terminal {
    parts: Parts,
    elements: Elements,
    screen: RefCell<Screen>,
    /// The rows as they are drawn.
    drawn: RefCell<Vec<Vec<Run>>>,
    /// Width and height of a cell, in pixels.
    cell: Cell<(f64, f64)>,
    /// A drawing is asked for.
    waits: Cell<bool>,
    /// Where the last drawing scrolled to, in pixels.
    top: Cell<i32>,
    socket: RefCell<Option<(WebSocket, Vec<Heard>)>>,
    retry: Cell<Option<TimeoutHandle>>,
    tries: Cell<u32>,
    /// The state that the page shows while the connection is tried again.
    until_back: Cell<State>,
    /// Of the shell's output.
    flow: Cell<Flow>,
    /// Nothing is tried any more.
    is_over: Cell<bool>,
    is_composing: Cell<bool>,
    /// The cell of the last mouse report.
    pointed: Cell<(u16, u16)>,
    listeners: RefCell<Vec<Heard>>,
    observer: RefCell<Option<ResizeObserver>>,
}

/// Keeps a shell on the page until the owner of the caller ends.
pub(super) fn start(parts: Parts) {
    let running = StoredValue::new_local(None::<Rc<Terminal>>);
    Effect::new(move |_| {
        if running.with_value(Option::is_some) {
            return;
        }
        if let Some(elements) = Elements::of(parts) {
            running.set_value(Some(Terminal::begin(parts, elements)));
        }
    });
    Effect::new(move |before: Option<u32>| {
        let asked = parts.again.get();
        if before.is_some_and(|before| before != asked) {
            running.with_value(|terminal| {
                if let Some(terminal) = terminal {
                    terminal.begin_anew();
                }
            });
        }
        asked
    });
    on_cleanup(move || {
        if let Some(terminal) = running.try_update_value(Option::take).flatten() {
            terminal.stop();
        }
    });
}

impl Terminal {
    fn begin(parts: Parts, elements: Elements) -> Rc<Self> {
        let terminal = Rc::new(Self {
            parts,
            elements,
            screen: RefCell::new(Screen::new(80, 24)),
            drawn: RefCell::default(),
            cell: Cell::new((8.0, 18.0)),
            waits: Cell::new(false),
            top: Cell::new(0),
            socket: RefCell::new(None),
            retry: Cell::new(None),
            tries: Cell::new(0),
            until_back: Cell::new(State::Again),
            flow: Cell::default(),
            is_over: Cell::new(false),
            is_composing: Cell::new(false),
            pointed: Cell::new((0, 0)),
            listeners: RefCell::default(),
            observer: RefCell::new(None),
        });
        // The size goes with the first message, before the shell is there.
        terminal.measure();
        terminal.observe();
        terminal.hear();
        terminal.connect();
        let _ = terminal.elements.input.focus();
        terminal
    }

    fn stop(&self) {
        self.is_over.set(true);
        self.hang_up();
        if let Some(observer) = self.observer.take() {
            observer.disconnect();
        }
    }

    /// Called for an event, as long as the terminal is there.
    fn heard(self: &Rc<Self>, heard: impl Fn(&Rc<Self>, Event) + 'static) -> Heard {
        let terminal = Rc::downgrade(self);
        Closure::<dyn Fn(Event)>::new(move |event: Event| {
            if let Some(terminal) = terminal.upgrade() {
                heard(&terminal, event);
            }
        })
    }

    fn listen(self: &Rc<Self>, target: &EventTarget, name: &str, heard: impl Fn(&Rc<Self>, Event) + 'static) {
        let closure = self.heard(heard);
        // It only fails for a listener that is none.
        let _ = target.add_event_listener_with_callback(name, closure.as_ref().unchecked_ref());
        self.listeners.borrow_mut().push(closure);
    }

    /// Follows the size of the page.
    fn observe(self: &Rc<Self>) {
        let closure = self.heard(|terminal, _| {
            if terminal.measure() {
                terminal.send_size();
            }
        });
        if let Ok(observer) = ResizeObserver::new(closure.as_ref().unchecked_ref()) {
            observer.observe(&self.elements.scroller);
            *self.observer.borrow_mut() = Some(observer);
        }
        self.listeners.borrow_mut().push(closure);
    }
}
