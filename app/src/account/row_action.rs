//! The last cell of a row in one of the lists here: its one action, which removes or ends what the row shows after a confirmation.

use leptos::prelude::*;

use crate::components::{ButtonKind, ConfirmDialog};

#[component]
pub fn RowAction(
    /// Before the id, the id of the dialog: `remove-key`.
    name: &'static str,
    /// Of the thing in the row; the form sends it.
    id: String,
    /// On both buttons.
    verb: &'static str,
    /// The question.
    title: String,
    /// Says what is lost.
    text: &'static str,
    /// Where the form is posted.
    action: &'static str,
) -> impl IntoView {
    view! {
        <ConfirmDialog id=format!("{name}-{id}") open_text=verb title confirm_text=verb action kind=ButtonKind::Quiet small=true>
            <input type="hidden" name="id" value=id/>
            <p>{text}</p>
        </ConfirmDialog>
    }
    .into_any()
}
