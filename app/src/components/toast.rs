//! Toasts: what was just done, with Undo where it can be undone. For everything reversible act at once and offer it.

use std::time::Duration;

use leptos::prelude::*;

use super::{Glyph, Icon};
use crate::{i18n::td_string, language};

/// Time that a toast stays: enough to read it, and with Undo to decide.
const STAY: Duration = Duration::from_secs(6);
const STAY_WITH_UNDO: Duration = Duration::from_secs(10);

#[derive(Clone)]
struct Toast {
    text: String,
    undo: Option<Callback<()>>,
}

/// The one toast of the page; a new one takes the place of the old.
#[derive(Clone, Copy)]
pub struct ToastBoard {
    shown: RwSignal<Option<Toast>>,
    /// Grows with each toast, so that the clock of an old one does not take a new one away.
    number: StoredValue<u32>,
}

impl ToastBoard {
    pub fn provide() -> Self {
        let board = Self { shown: RwSignal::new(None), number: StoredValue::new(0) };
        provide_context(board);
        board
    }

    /// Says what was done.
    pub fn show(self, text: impl Into<String>) {
        self.put(Toast { text: text.into(), undo: None });
    }

    /// Says what was done and offers to undo it.
    pub fn show_with_undo(self, text: impl Into<String>, undo: impl Fn() + Send + Sync + 'static) {
        self.put(Toast { text: text.into(), undo: Some(Callback::new(move |()| undo())) });
    }

    /// The same, for what may be over before the toast is. Gives the number by which [`Self::take_back`] knows it.
    pub fn tell(self, text: impl Into<String>, undo: Option<Callback<()>>) -> u32 {
        self.put(Toast { text: text.into(), undo })
    }

    /// Takes a toast away, unless another one is there by now.
    pub fn take_back(self, number: u32) {
        if self.number.get_value() == number {
            self.shown.set(None);
        }
    }

    fn put(self, toast: Toast) -> u32 {
        let stay = if toast.undo.is_some() { STAY_WITH_UNDO } else { STAY };
        let number = self.number.get_value().wrapping_add(1);
        self.number.set_value(number);
        self.shown.set(Some(toast));
        set_timeout(move || self.take_back(number), stay);
        number
    }
}

/// The board of this page. Panics outside `App`.
pub fn use_toasts() -> ToastBoard {
    expect_context::<ToastBoard>()
}

/// Where the toast appears; the layout holds the only one.
#[component]
pub fn Toasts() -> impl IntoView {
    let language = language::current();
    let board = use_toasts();
    // The live region is there from the start: screen readers only announce changes in one that they know.
    view! {
        <div role="status" aria-live="polite">
            {move || board.shown.get().map(|toast| view! {
                <div class="toast">
                    <Icon glyph=Glyph::StatusOk/>
                    <div>{toast.text}</div>
                    {toast.undo.map(|undo| view! {
                        <button type="button" on:click=move |_| { undo.run(()); board.shown.set(None); }>
                            {td_string!(language, components.undo)}
                        </button>
                    })}
                    <button type="button" aria-label=td_string!(language, components.close) on:click=move |_| board.shown.set(None)>
                        <Icon glyph=Glyph::Cross small=true/>
                    </button>
                </div>
            })}
        </div>
    }
    .into_any()
}
