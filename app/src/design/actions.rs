//! What one presses: buttons, dialogs, toasts, and the ways from page to page.

use leptos::prelude::*;

use super::specimen::Specimen;
use crate::{
    components::{Button, ButtonKind, ButtonType, ConfirmDialog, Glyph, LinkButton, LinkItem, Pager, Segmented, Tabs, use_toasts},
    i18n::td_string,
    language, routes,
};

const KINDS: [(ButtonKind, &str); 5] = [
    (ButtonKind::Primary, "Button kind=Primary"),
    (ButtonKind::Plain, "Button kind=Plain"),
    (ButtonKind::Quiet, "Button kind=Quiet"),
    (ButtonKind::Danger, "Button kind=Danger"),
    (ButtonKind::DangerSolid, "Button kind=DangerSolid"),
];

#[component]
pub fn Buttons() -> impl IntoView {
    let language = language::current();
    let text = td_string!(language, design.sample_action);
    let rows = KINDS
        .into_iter()
        .map(|(kind, name)| {
            let button_type = ButtonType::Button;
            view! {
                <Specimen name>
                    <Button kind button_type>{text}</Button>
                    <Button kind button_type icon=Glyph::Plus>{text}</Button>
                    <Button kind button_type small=true>{text}</Button>
                    <Button kind button_type disabled=Signal::stored(true)>{td_string!(language, design.disabled)}</Button>
                    <Button kind button_type busy=Signal::stored(true)>{td_string!(language, design.busy)}</Button>
                </Specimen>
            }
        })
        .collect_view();
    view! {
        {rows}
        <Specimen name="LinkButton">
            <LinkButton href=routes::HOME kind=ButtonKind::Primary>{text}</LinkButton>
            <LinkButton href=routes::HOME icon=Glyph::Export>{text}</LinkButton>
            <LinkButton href=routes::HOME kind=ButtonKind::Quiet small=true>{text}</LinkButton>
        </Specimen>
    }
    .into_any()
}

/// Before something is lost, and after something was done.
#[component]
pub fn Loss() -> impl IntoView {
    let language = language::current();
    let toasts = use_toasts();
    let done = td_string!(language, design.sample_done);
    view! {
        <Specimen name="ConfirmDialog">
            // Consent leads back here: nothing is lost on this page.
            <ConfirmDialog
                id="confirm-sample"
                open_text=td_string!(language, design.sample_remove)
                title=td_string!(language, design.sample_remove_title)
                confirm_text=td_string!(language, design.sample_remove)
                action=crate::preferences::PATH
            >
                <input type="hidden" name="back" value=routes::DESIGN/>
                <p>{td_string!(language, design.sample_remove_text)}</p>
            </ConfirmDialog>
            <ConfirmDialog
                id="confirm-small"
                open_text=td_string!(language, design.sample_remove)
                title=td_string!(language, design.sample_remove_title)
                confirm_text=td_string!(language, design.sample_remove)
                action=crate::preferences::PATH
                kind=ButtonKind::Quiet
                small=true
            >
                <input type="hidden" name="back" value=routes::DESIGN/>
                <p>{td_string!(language, design.sample_remove_text)}</p>
            </ConfirmDialog>
        </Specimen>
        <Specimen name="ToastBoard::show, ::show_with_undo">
            <div class="row script-only">
                <Button button_type=ButtonType::Button on:click=move |_| toasts.show(done)>{td_string!(language, design.toast)}</Button>
                <Button button_type=ButtonType::Button on:click=move |_| toasts.show_with_undo(done, || ())>
                    {td_string!(language, design.toast_with_undo)}
                </Button>
            </div>
        </Specimen>
    }
    .into_any()
}

#[component]
pub fn Ways() -> impl IntoView {
    let language = language::current();
    let items = move || {
        vec![
            LinkItem::new("#ways", td_string!(language, orders.state_all), true),
            LinkItem::new("#ways", td_string!(language, orders.state_queued), false).with_count("3"),
            LinkItem::new("#ways", td_string!(language, orders.state_failed), false).with_count("10,000+"),
        ]
    };
    view! {
        <Specimen name="Tabs" block=true><Tabs label="Tabs" items=items()/></Specimen>
        <Specimen name="Segmented" block=true><Segmented label="Segmented" items=items()/></Specimen>
        <Specimen name="Pager newer older note" block=true>
            <Pager newer="#ways" older="#ways" note=td_string!(language, design.sample_note)/>
        </Specimen>
        <Specimen name="Pager older" block=true><Pager older="#ways"/></Specimen>
    }
    .into_any()
}
