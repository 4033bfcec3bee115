//! When a field counts as left. What is wrong with it then shows below it and moves what follows: never between the press and the
//! release of a pointer, or the control under the pointer would be somewhere else before it is clicked.

use std::time::Duration;

use leptos::{ev, prelude::*};

use super::state::FormState;

#[derive(Clone, Copy)]
pub struct Leaving {
    state: FormState,
    /// A pointer is held down.
    pressed: StoredValue<bool>,
    /// The control that was left by that press.
    left: StoredValue<Option<String>>,
}

impl Leaving {
    pub fn new(state: FormState) -> Self {
        Self { state, pressed: StoredValue::new(false), left: StoredValue::new(None) }
    }

    /// Hears of presses anywhere on the page.
    pub fn listen(self) {
        // Effects run in the browser only.
        Effect::new(move |_| {
            let down = window_event_listener(ev::pointerdown, move |_| self.press());
            let up = window_event_listener(ev::pointerup, move |_| self.release());
            let cancel = window_event_listener(ev::pointercancel, move |_| self.release());
            on_cleanup(move || {
                down.remove();
                up.remove();
                cancel.remove();
            });
        });
    }

    pub fn press(self) {
        self.pressed.set_value(true);
    }

    /// The reader goes on from this control.
    pub fn leave(self, control: String) {
        if self.pressed.get_value() {
            self.left.set_value(Some(control));
        } else {
            self.state.touch(&control);
        }
    }

    /// The click comes right after the release, in the same turn; it may lead to another page.
    fn release(self) {
        self.pressed.set_value(false);
        set_timeout(move || self.settle(), Duration::ZERO);
    }

    /// The control that was left by a press is left now. Nothing where the page is gone.
    pub fn settle(self) {
        if let Some(control) = self.left.try_update_value(Option::take).flatten() {
            self.state.touch(&control);
        }
    }
}
