//! The socket. A connection that breaks is made again, with the token of its shell and the count of what is on the screen; the token is kept
//! in the tab, so that a reload comes back too.

use std::{rc::Rc, time::Duration};

use domain::terminal::{Attached, FromBrowser, Hello, KEPT_SECONDS, Notice, ToBrowser};
use js_sys::{ArrayBuffer, Uint8Array};
use leptos::{leptos_dom::helpers::set_timeout_with_handle, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{BinaryType, CloseEvent, Event, MessageEvent, Storage, WebSocket};

use super::Terminal;
use crate::{
    labs::terminal::{flow::Flow, screen::Screen, words::State},
    routes,
};

/// Bytes of input in one message.
const PIECE: usize = 16 * 1_024;
/// Pauses between tries; the last one stays.
const PAUSES: [Duration; 5] =
    [Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(5)];
/// Tries before the reader is asked: ten minutes.
const TRIES: u32 = 120;
/// The close code of a server that restarts.
const RESTART: u16 = 1012;
/// The prefix of what is kept in the tab.
const KEPT: &str = "lectern.terminal.";

fn kept() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

impl Terminal {
    fn key(&self) -> String {
        format!("{KEPT}{}", self.parts.id.get_value())
    }

    /// The next connection is for a new shell.
    fn forget(&self) {
        if let Some(kept) = kept() {
            let _ = kept.remove_item(&self.key());
        }
    }

    pub(super) fn connect(self: &Rc<Self>) {
        self.hang_up();
        let location = window().location();
        let scheme = if location.protocol().is_ok_and(|protocol| protocol == "https:") { "wss" } else { "ws" };
        let path = routes::lab_terminal_socket(self.parts.id.get_value());
        let Ok(socket) = WebSocket::new(&format!("{scheme}://{}{path}", location.host().unwrap_or_default())) else {
            self.try_again();
            return;
        };
        socket.set_binary_type(BinaryType::Arraybuffer);
        let on_open = self.heard(|terminal, _| terminal.say_hello());
        let on_message = self.heard(|terminal, event| terminal.take(&event));
        let on_close = self.heard(|terminal, event| {
            if event.dyn_ref::<CloseEvent>().is_some_and(|event| event.code() == RESTART) {
                terminal.until_back.set(State::Restarts);
            }
            terminal.try_again();
        });
        socket.set_onopen(Some(on_open.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        *self.socket.borrow_mut() = Some((socket, vec![on_open, on_message, on_close]));
    }

    /// Closes the connection, if there is one; nothing of it is heard any more.
    pub(super) fn hang_up(&self) {
        if let Some(retry) = self.retry.take() {
            retry.clear();
        }
        if let Some((socket, heard)) = self.socket.take() {
            socket.set_onopen(None);
            socket.set_onmessage(None);
            socket.set_onclose(None);
            let _ = socket.close();
            // This may be called by one of them.
            set_timeout(move || drop(heard), Duration::ZERO);
        }
    }

    /// Another shell in the place of one that is over.
    pub(super) fn begin_anew(self: &Rc<Self>) {
        self.forget();
        self.clear();
        self.is_over.set(false);
        self.tries.set(0);
        self.until_back.set(State::Again);
        self.parts.news.set(None);
        self.parts.state.set(State::Connecting);
        self.connect();
        let _ = self.elements.input.focus();
    }

    fn try_again(self: &Rc<Self>) {
        self.hang_up();
        if self.is_over.get() {
            return;
        }
        let tries = self.tries.get();
        if tries >= TRIES {
            self.end(Notice::Lost);
            return;
        }
        self.tries.set(tries + 1);
        self.parts.state.set(self.until_back.get());
        let pause = PAUSES.get(tries as usize).or(PAUSES.last()).copied().unwrap_or_default();
        let terminal = Rc::downgrade(self);
        let again = move || {
            if let Some(terminal) = terminal.upgrade() {
                terminal.connect();
            }
        };
        self.retry.set(set_timeout_with_handle(again, pause).ok());
    }

    fn end(&self, by: Notice) {
        self.is_over.set(true);
        // Another tab has the shell that was taken; every other one is over.
        if by != Notice::Taken {
            self.forget();
        }
        self.hang_up();
        self.parts.state.set(State::Over(by));
    }

    fn say_hello(&self) {
        let (columns, rows) = self.screen.borrow().size();
        let token = kept().and_then(|kept| kept.get_item(&self.key()).ok().flatten());
        let seen = self.flow.get().seen();
        self.send(&FromBrowser::Hello(Hello { columns, rows, token, seen, reason: self.parts.reason.get_value() }));
    }

    fn send(&self, message: &FromBrowser<'_>) {
        if let Some((socket, _)) = &*self.socket.borrow()
            && socket.ready_state() == WebSocket::OPEN
        {
            // It only fails while the connection is made.
            let _ = socket.send_with_u8_array(&message.write());
        }
    }

    pub(super) fn send_size(&self) {
        let (columns, rows) = self.screen.borrow().size();
        self.send(&FromBrowser::Size { columns, rows });
    }

    /// What is typed. The screen goes back to where it happens.
    pub(super) fn type_in(self: &Rc<Self>, bytes: &[u8]) {
        for piece in bytes.chunks(PIECE) {
            self.send(&FromBrowser::Data(piece));
        }
        let is_back = self.screen.borrow().earlier().1 > 0;
        if is_back {
            self.screen.borrow_mut().show_earlier(0);
            self.ask_to_draw();
        }
    }

    fn take(self: &Rc<Self>, event: &Event) {
        let Some(message) = event.dyn_ref::<MessageEvent>() else { return };
        let Ok(buffer) = message.data().dyn_into::<ArrayBuffer>() else { return };
        let bytes = Uint8Array::new(&buffer).to_vec();
        match ToBrowser::read(&bytes) {
            Some(ToBrowser::Data(data)) => self.write(data),
            Some(ToBrowser::Attached(attached)) => self.attached(&attached),
            Some(ToBrowser::Notice(notice)) if notice.goes_on() => self.parts.news.set(Some(notice)),
            // The socket closes after it, and is tried again.
            Some(ToBrowser::Notice(notice)) if notice.is_passing() => self.until_back.set(State::Waits(notice)),
            Some(ToBrowser::Notice(notice)) => self.end(notice),
            // A later version of the portal says more.
            None => {}
        }
    }

    fn attached(self: &Rc<Self>, attached: &Attached) {
        if let Some(kept) = kept() {
            let _ = kept.set_item(&self.key(), &attached.token);
        }
        let mut flow = self.flow.get();
        if flow.attach(attached) {
            self.clear();
        }
        self.flow.set(flow);
        self.tries.set(0);
        self.until_back.set(State::Again);
        self.parts.state.set(State::Connected);
        self.ask_to_draw();
    }

    /// An empty screen.
    fn clear(self: &Rc<Self>) {
        let (columns, rows) = self.screen.borrow().size();
        *self.screen.borrow_mut() = Screen::new(columns, rows);
        self.flow.set(Flow::default());
        self.parts.title.set(String::new());
        self.ask_to_draw();
    }

    fn write(self: &Rc<Self>, data: &[u8]) {
        let mut flow = self.flow.get();
        let (before, after) = data.split_at(flow.repeated(data.len()));
        let (answers, title) = {
            let mut screen = self.screen.borrow_mut();
            screen.write(before, true);
            let answers = screen.write(after, false);
            (answers, screen.new_title())
        };
        let told = flow.take(data.len());
        self.flow.set(flow);
        if !answers.is_empty() {
            self.send(&FromBrowser::Data(&answers));
        }
        if let Some(title) = title {
            self.parts.title.set(title);
        }
        // Drawing takes no part in it: it comes once a frame, and a page in the background is not drawn at all.
        if let Some(count) = told {
            self.send(&FromBrowser::Seen(count));
        }
        self.ask_to_draw();
    }
}

const _: () = assert!(KEPT_SECONDS == 60, "the texts say a minute");
