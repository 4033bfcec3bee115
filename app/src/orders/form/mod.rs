//! The order form: fields from the offering's typed parameters, and beside them what the order would cost, what it would
//! leave of the quota and who would decide, computed by the code that decides on submit.

mod class;
mod fields;
mod leave;
mod state;
mod summary;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use domain::{Error, orders::OrderForm};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::{use_navigate, use_query_map};

use self::{fields::Chapters, leave::Leaving, state::FormState, summary::Summary};
pub use self::{
    fields::unit_text,
    summary::{Prices, quota_day_text},
};
use super::api::{OrderFormPage, SubmitOrder, sent};
use crate::{
    caller_view::use_viewer,
    components::{EmptyState, ErrorNotice, FormErrors, Glyph, LinkButton, PageHead},
    draft,
    error::AppError,
    flash::Flash,
    i18n::td_string,
    language, routes,
};

/// By which the page finds what its last try left behind.
pub const FORM: &str = "order";
/// Of the form element: the buttons beside it name it.
const FORM_ID: &str = "order-form";

/// What was typed, by field.
pub fn values(form: &OrderForm) -> BTreeMap<String, String> {
    let mut values = BTreeMap::from([
        ("course".to_owned(), form.course.clone()),
        ("duration_minutes".to_owned(), form.duration_minutes.clone()),
        ("purpose".to_owned(), form.purpose.clone()),
        ("seats".to_owned(), form.class.seats.clone()),
        ("seat_count".to_owned(), form.class.seat_count.clone()),
        ("when".to_owned(), form.class.when.clone()),
        ("first_day".to_owned(), form.class.first_day.clone()),
        ("bell".to_owned(), form.class.bell.clone()),
        ("weeks".to_owned(), form.class.weeks.clone()),
    ]);
    values.extend(form.parameters.iter().map(|(key, text)| (format!("parameters.{key}"), text.clone())));
    values
}

#[component]
pub fn OrderFormView(
    page: OrderFormPage,
    last_try: Flash,
    /// Said before the form.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let language = language::current();
    let OrderFormPage { context, idempotency_key } = page;
    let offering = context.offering.clone();
    let name = offering.name.get(language::tag(language)).to_owned();
    let query = use_query_map().get_untracked();
    let state = FormState::new(context, &last_try, &query);
    let action = ServerAction::<SubmitOrder>::new();
    follow(action, state);
    let leaving = Leaving::new(state);
    leaving.listen();
    let title = td_string!(language, orders.form_title, name = name.as_str()).to_string();
    if state.context().courses.is_empty() {
        return view! { <NoCourse title/> }.into_any();
    }
    view! {
        <PageHead
            title
            lead=td_string!(language, orders.form_lead)
            crumb=(routes::CATALOGUE.to_owned(), td_string!(language, catalogue.title).to_owned())
        />
        {children.map(|children| children())}
        <Refusal state/>
        <div class="cols main-side">
            <ActionForm
                action
                attr:id=FORM_ID
                attr:class="form"
                attr:novalidate=true
                on:submit:capture=move |event| {
                    // What is wrong is known here already: no need to ask the server.
                    if state.check_before_sending() {
                        event.prevent_default();
                        event.stop_propagation();
                    }
                }
                on:focusout=move |event| leaving.leave(event_target::<leptos::web_sys::HtmlInputElement>(&event).name())
            >
                <Chapters offering=offering.clone() state/>
                <input type="hidden" name="offering" value=offering.slug/>
                <input type="hidden" name="idempotency_key" value=idempotency_key/>
            </ActionForm>
            <Summary state pending=action.pending()/>
        </div>
    }
    .into_any()
}

/// Nobody to order for: the catalogue is still worth reading.
#[component]
fn NoCourse(title: String) -> impl IntoView {
    let language = language::current();
    view! {
        <PageHead title crumb=(routes::CATALOGUE.to_owned(), td_string!(language, catalogue.title).to_owned())/>
        <EmptyState glyph=Glyph::Book title=td_string!(language, quotas.none_title) text=td_string!(language, quotas.none_text)>
            <LinkButton small=true href=routes::CATALOGUE>{td_string!(language, orders.to_catalogue)}</LinkButton>
        </EmptyState>
    }
    .into_any()
}

/// On success to the order, on failure to the notice.
fn follow(action: ServerAction<SubmitOrder>, state: FormState) {
    let navigate = use_navigate();
    let viewer = use_viewer();
    Effect::new(move |_| match action.value().get() {
        Some(Ok(id)) => {
            viewer.refetch();
            draft::forget();
            navigate(&sent(id), leptos_router::NavigateOptions { replace: true, ..Default::default() });
        }
        Some(Err(AppError(error))) => state.refused(error),
        None => {}
    });
}

/// What the server said no to, and what is still to mend, above the form.
#[component]
fn Refusal(state: FormState) -> impl IntoView {
    let language = language::current();
    let messages = Signal::derive(move || state.messages(language));
    view! {
        <div id="refusal" tabindex="-1" class="stack tight" hidden=move || messages.with(Vec::is_empty) && state.refusal().is_none()>
            {move || state.refusal().filter(|error| !matches!(error, Error::Invalid(_))).map(|error| {
                let order = match &error {
                    Error::IdempotencyKeyReused { order } => *order,
                    _ => None,
                };
                view! {
                    <ErrorNotice error=AppError(error)/>
                    {order.map(|id| view! { <p><a href=routes::order(id)>{td_string!(language, orders.see_order)}</a></p> })}
                }
            })}
            <FormErrors messages/>
        </div>
    }
    .into_any()
}
