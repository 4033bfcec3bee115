//! A cheaper way to meet the same request, with a link that fills it into the changes (C3).

use domain::{decisions::Cheaper, ids::OrderId};
use leptos::prelude::*;

use crate::{components::LinkButton, i18n::td_string, language, routes};

/// The word in the address that fills it in.
pub const TAKE: &str = "take";

#[component]
pub fn CheaperWay(order: OrderId, cheaper: Option<Cheaper>) -> impl IntoView {
    let language = language::current();
    let Some(Cheaper { parameters: _, card, cards, total, saves, percent }) = cheaper else {
        return view! { <p class="soft">{td_string!(language, decisions.cheaper_none)}</p> }.into_any();
    };
    let (total, saves) = (total.to_string(), saves.to_string());
    let href = format!("{}#change", routes::with_query(&routes::approval(order), &[(TAKE, "cheaper")]));
    view! {
        <p><b>{td_string!(language, decisions.cheaper_what, card = card.name(), cards = cards).to_string()}</b></p>
        <p>{td_string!(language, decisions.cheaper_saves, total = total, saves = saves, percent = percent).to_string()}</p>
        <p class="fine">{td_string!(language, decisions.cheaper_why)}</p>
        <div class="actions"><LinkButton small=true href>{td_string!(language, decisions.cheaper_take)}</LinkButton></div>
    }
    .into_any()
}
