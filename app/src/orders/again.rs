//! Ordering again: the order form filled as an earlier order was, with a notice of what is different now.

use domain::orders::again::{Again, Note};
use leptos::{prelude::*, server_fn::codec::GetUrl};
use leptos_router::hooks::use_params_map;
use serde::{Deserialize, Serialize};

use super::{
    api::OrderFormPage,
    form::{FORM, OrderFormView},
    words::duration_text,
};
use crate::{
    components::{Failed, Notice, Skeleton},
    error::AppError,
    error_text::field_problem_text,
    flash::flash,
    i18n::td_string,
    language::{self, Language},
};

/// The form's page, and what to fill it with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AgainPageData {
    pub page: OrderFormPage,
    pub again: Again,
}

#[server(ReadAgain, endpoint = "orders/again", input = GetUrl)]
pub async fn read_again(id: String) -> Result<AgainPageData, AppError> {
    use crate::caller::{caller, id_of, services};
    let (services, caller) = (services()?, caller()?);
    let again = services::orders::again(&services, &caller, id_of(&id)?).await?;
    let page = super::api::read_order_form(again.form.offering.clone()).await?;
    Ok(AgainPageData { page, again })
}

#[component]
pub fn AgainPage() -> impl IntoView {
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get_str("id").unwrap_or_default().to_owned()));
    let data = Resource::new(move || id.get(), read_again);
    let last_try = flash(FORM);
    view! {
        <Suspense fallback=|| view! { <Skeleton lines=8/> }>
            {move || {
                let (data, mut last_try) = (data.get()?, last_try.get()?);
                Some(match data {
                    Ok(AgainPageData { page, again }) => {
                        // After a refused try what was typed stands, not what was ordered once.
                        if last_try.error.is_none() {
                            last_try.values = super::form::values(&again.form);
                        }
                        view! { <OrderFormView page last_try><Changed again/></OrderFormView> }.into_any()
                    }
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Suspense>
    }
    .into_any()
}

/// What is not as it was.
#[component]
fn Changed(again: Again) -> impl IntoView {
    let language = language::current();
    let title = td_string!(language, lifecycle.again_title, number = again.number).to_string();
    let notes = again.notes.iter().map(|note| view! { <li>{note_text(language, note)}</li> }).collect_view();
    let same = again.notes.is_empty();
    view! {
        <Notice title>
            {if same {
                view! { {td_string!(language, lifecycle.again_same)} }.into_any()
            } else {
                view! { {td_string!(language, lifecycle.again_changed)}<ul>{notes}</ul> }.into_any()
            }}
        </Notice>
    }
    .into_any()
}

fn note_text(language: Language, note: &Note) -> String {
    match note {
        Note::Version { from, to } => td_string!(language, lifecycle.note_version, from = *from, to = *to).to_string(),
        Note::Price { before, after } => {
            td_string!(language, lifecycle.note_price, before = before.to_string(), after = after.to_string()).to_string()
        }
        Note::Value { label, value, problem } => {
            let problem = field_problem_text(language, problem);
            td_string!(language, lifecycle.note_value, label = label.get(language::tag(language)), value = value.as_str(), problem = problem)
                .to_string()
        }
        Note::Gone { key, value } => td_string!(language, lifecycle.note_gone, key = key.as_str(), value = value.as_str()).to_string(),
        Note::Duration { from, to } => {
            td_string!(language, lifecycle.note_duration, from = duration_text(language, *from), to = duration_text(language, *to)).to_string()
        }
    }
}
