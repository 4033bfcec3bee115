//! "What would last month have cost", and the button that makes the change.

use domain::{
    billing::PriceEffect,
    money::{Currency, Money},
    pricing::{PricePreview, Quoted},
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    api::{GrantDiscount, SetPrice, Wanted},
    table::{price_text, priced_text},
};
use crate::{
    billing::words::{exact_text, month_name, usage_text},
    components::{Amount, Button, ButtonKind, Card, Cell, CellPlace, Column, DataTable, Notice, NoticeKind, Row},
    i18n::td_string,
    language::{self, Language},
};

/// `+¥1.20`, `-¥0.40`
fn signed(difference: Money) -> String {
    if difference.micros > 0 { format!("+{difference}") } else { difference.to_string() }
}

fn rows(effects: Vec<PriceEffect>, language: Language) -> AnyView {
    effects
        .into_iter()
        .map(|effect| {
            let PriceEffect { course, meter, unit_seconds, was, would_be } = effect;
            view! {
                <Row>
                    <Cell><b>{course.code}</b><small>{course.name}</small></Cell>
                    <Cell label=td_string!(language, prices.meter)>{priced_text(language, meter)}<small>{usage_text(language, meter, unit_seconds)}</small></Cell>
                    <Cell label=td_string!(language, prices.was) numeric=true><Amount money=was/></Cell>
                    <Cell label=td_string!(language, prices.would_be) numeric=true><Amount money=would_be/></Cell>
                    <Cell label=td_string!(language, prices.difference) numeric=true place=CellPlace::Corner>{signed(would_be.minus(was))}</Cell>
                </Row>
            }
        })
        .collect_view()
        .into_any()
}

#[component]
pub fn Preview(preview: PricePreview, wanted: Wanted, currency: Currency) -> impl IntoView {
    let language = language::current();
    let PricePreview { month, before, after, effects, was, would_be } = preview;
    let title = td_string!(language, prices.preview_title, month = month_name(language, month), year = month.year()).to_string();
    let words = if effects.is_empty() {
        td_string!(language, prices.preview_none).to_owned()
    } else {
        let difference = signed(would_be.minus(was));
        td_string!(language, prices.preview_words, was = was.to_string(), would_be = would_be.to_string(), difference = difference).to_string()
    };
    let mut change = Vec::new();
    if let Some(after) = &after {
        let new = format!("{} {}", priced_text(language, after.meter), price_text(language, after, currency));
        change.push(td_string!(language, prices.new_is, from = wanted.from.as_str(), price = new).to_string());
        if let Some(before) = &before {
            change.push(td_string!(language, prices.now_price, price = price_text(language, before, currency)).to_string());
        }
    } else {
        change.push(td_string!(language, prices.percent_off, percent = wanted.percent.as_str()).to_string());
    }
    let minute = after.as_ref().filter(|price| price.quoted == Quoted::Minute).map(|price| {
        let (minute, hour) = (exact_text(Money::new(price.unit_micros / 60, currency)), exact_text(Money::new(price.unit_micros, currency)));
        let title = td_string!(language, prices.minute_note, minute = minute, hour = hour).to_string();
        view! { <Notice kind=NoticeKind::Warn title/> }
    });
    let columns = vec![
        Column::text(td_string!(language, prices.course)),
        Column::text(td_string!(language, prices.meter)),
        Column::number(td_string!(language, prices.was)),
        Column::number(td_string!(language, prices.would_be)),
        Column::number(td_string!(language, prices.difference)),
    ];
    let table = (!effects.is_empty()).then(|| view! { <DataTable caption=title.clone() columns dense=true>{rows(effects, language)}</DataTable> });
    let change = change.into_iter().map(|line| view! { <p>{line}</p> }).collect_view();
    view! {
        <Card title=title.clone() id="preview">
            <div class="stack tight">{change}</div>
            {minute}
            <p><b>{words}</b></p>
            {table}
            <Confirm wanted/>
        </Card>
    }
    .into_any()
}

/// The same values once more, as a form that is posted.
#[component]
fn Confirm(wanted: Wanted) -> impl IntoView {
    let language = language::current();
    let discount = wanted.preview == "discount";
    let Wanted { preview: _, meter, price, quoted, percent, from, until, reason } = wanted;
    let fields = if discount {
        vec![("percent", percent), ("from", from), ("until", until), ("reason", reason)]
    } else {
        vec![("meter", meter), ("price", price), ("quoted", quoted), ("from", from)]
    };
    let fields = fields.into_iter().map(|(name, value)| view! { <input type="hidden" name=name value=value/> }).collect_view();
    let (action, text) =
        if discount { (GrantDiscount::PATH, td_string!(language, prices.grant_save)) } else { (SetPrice::PATH, td_string!(language, prices.save)) };
    view! {
        <form method="post" action=action>
            {fields}
            <Button kind=ButtonKind::Primary>{text}</Button>
        </form>
    }
    .into_any()
}
