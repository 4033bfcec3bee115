//! A fold with a form in it: once it is opened its field is on the screen, and typing goes there.

use leptos::ev;

/// For `on:toggle` of a `<details>`. On a narrow screen what unfolds is below the screen's end.
pub fn show_unfolded(event: &ev::Event) {
    #[cfg(feature = "hydrate")]
    {
        use leptos::web_sys::{Element, HtmlElement};
        use wasm_bindgen::JsCast;
        let fold = leptos::prelude::event_target::<Element>(event);
        if !fold.has_attribute("open") {
            return;
        }
        fold.scroll_into_view();
        let field = fold.query_selector("textarea, select, input:not([type='hidden'])").ok().flatten();
        if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
            // It only fails where nothing can be focused.
            let _ = field.focus();
        }
    }
    #[cfg(not(feature = "hydrate"))]
    let _ = event;
}
