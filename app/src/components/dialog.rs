//! A dialog before something is lost: names the thing and what goes with it, the safe button first, the red one repeats
//! the verb. It opens by the browser's own `command`, with or without scripts; older browsers open it by ours.

use leptos::{attr::custom::custom_attribute, html, prelude::*};

use super::{Button, ButtonKind};
use crate::{i18n::td_string, language};

/// A button that opens the dialog, and the dialog. Children are what is lost, in words, and hidden fields of the form
/// that is posted to `action` on consent.
#[component]
pub fn ConfirmDialog(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    /// The words on the button that opens it: "Destroy".
    #[prop(into)]
    open_text: String,
    /// "Destroy 'Thesis supervision'?"
    #[prop(into)]
    title: String,
    /// The verb again: "Destroy the lab".
    #[prop(into)]
    confirm_text: String,
    /// Where the form is posted.
    #[prop(into)]
    action: String,
    /// Of the button that opens it.
    #[prop(default = ButtonKind::Danger)]
    kind: ButtonKind,
    /// Of the button that consents; red unless nothing is lost.
    #[prop(default = ButtonKind::DangerSolid)]
    confirm_kind: ButtonKind,
    #[prop(optional)] small: bool,
    /// On the button that closes it, where "Cancel" would read as consent: "Keep the order".
    #[prop(optional, into)]
    keep_text: Option<String>,
    children: Children,
) -> impl IntoView {
    let language = language::current();
    let dialog = NodeRef::<html::Dialog>::new();
    let show = move |event: leptos::ev::MouseEvent| {
        // Ours takes the place of the browser's `command`, which would open it a second time.
        event.prevent_default();
        if let Some(dialog) = dialog.get_untracked()
            && !dialog.open()
        {
            // It only fails for a dialog that is open already or gone from the page.
            let _ = dialog.show_modal();
        }
    };
    let close = move |event: leptos::ev::MouseEvent| {
        event.prevent_default();
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let heading = format!("{id}-title");
    view! {
        <button
            type="button"
            class=if small { "btn small" } else { "btn" }
            data-kind=kind.name()
            aria-haspopup="dialog"
            {..custom_attribute("command", "show-modal")}
            {..custom_attribute("commandfor", id.clone())}
            on:click=show
        >
            {open_text}
        </button>
        <dialog class="dialog" id=id.clone() aria-labelledby=heading.clone() node_ref=dialog>
            <h2 id=heading.clone()>{title}</h2>
            <form method="post" action=action class="stack">
                {children()}
                <div class="actions">
                    <button
                        type="button"
                        class="btn"
                        {..custom_attribute("command", "close")}
                        {..custom_attribute("commandfor", id.clone())}
                        on:click=close
                    >
                        {keep_text.unwrap_or_else(|| td_string!(language, components.cancel).to_owned())}
                    </button>
                    <Button kind=confirm_kind>{confirm_text}</Button>
                </div>
            </form>
        </dialog>
    }
    .into_any()
}
