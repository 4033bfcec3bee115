//! The meters with their prices: what holds, since when, what is planned, and all that was before.

use domain::{
    money::Money,
    pricing::{Meter, Price, PriceList, Quoted},
    time::Timestamp,
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::api::WithdrawPrice;
use crate::{
    billing::words::{exact_text, meter_text, unit_price_text},
    components::{ButtonKind, Card, Cell, Column, ConfirmDialog, DataTable, MomentStyle, Row, Status, StatusKind, moment_text},
    i18n::td_string,
    language::{self, Language},
};

/// The name in the price book, where the tiers of storage stand side by side.
pub fn priced_text(language: Language, meter: Meter) -> &'static str {
    match meter {
        Meter::StorageGibMonth => td_string!(language, prices.meter_ssd),
        other => meter_text(language, other),
    }
}

/// `¥5.40 / card-h`, or `¥0.12 / min = ¥7.20 / card-h`: never a price by the minute alone (E4).
pub fn price_text(language: Language, price: &Price, currency: domain::money::Currency) -> String {
    let by_unit = unit_price_text(language, price.meter, Money::new(price.unit_micros, currency));
    match price.quoted {
        Quoted::Unit => by_unit,
        Quoted::Minute => {
            let minute = exact_text(Money::new(price.unit_micros / 60, currency));
            let minute = td_string!(language, prices.per_minute, price = minute).to_string();
            format!("{minute} {}", td_string!(language, prices.equals_hour, price = by_unit))
        }
    }
}

#[component]
pub fn PriceTables(list: PriceList, may_write: bool) -> impl IntoView {
    let language = language::current();
    let chapters = [
        (td_string!(language, prices.cards), Meter::all().filter(|meter| matches!(meter, Meter::CardHour(_))).collect::<Vec<_>>()),
        (td_string!(language, prices.compute), vec![Meter::CpuCoreHour, Meter::MemoryGibHour]),
        (td_string!(language, prices.storage), Meter::all().filter(|meter| meter.is_monthly()).collect()),
    ];
    chapters
        .into_iter()
        .map(|(title, meters)| {
            let columns = vec![
                Column::text(td_string!(language, prices.meter)),
                Column::text(td_string!(language, prices.price)),
                Column::text(td_string!(language, prices.since)),
                Column::text(td_string!(language, prices.history)),
            ];
            let rows = meters.into_iter().map(|meter| view! { <MeterRow list=list.clone() meter may_write/> }).collect_view();
            view! { <Card title flush=true><DataTable caption=title columns>{rows}</DataTable></Card> }
        })
        .collect_view()
        .into_any()
}

#[component]
fn MeterRow(list: PriceList, meter: Meter, may_write: bool) -> impl IntoView {
    let language = language::current();
    let currency = list.book.currency;
    let now = list.now;
    let holds = list.book.row(meter, now).cloned();
    let price = holds.as_ref().map_or_else(|| td_string!(language, prices.no_price).to_owned(), |price| price_text(language, price, currency));
    let since = holds.as_ref().map(|price| moment_text(price.from, MomentStyle::Minute));
    let planned = list
        .book
        .history(meter)
        .into_iter()
        .filter(|price| price.from > now)
        .rev()
        .cloned()
        .map(|price| view! { <Planned price currency may_write/> })
        .collect_view();
    let history = list.book.history(meter).into_iter().cloned().collect::<Vec<_>>();
    view! {
        <Row>
            <Cell><b>{priced_text(language, meter)}</b></Cell>
            <Cell label=td_string!(language, prices.price)><span>{price}{planned}</span></Cell>
            <Cell label=td_string!(language, prices.since)>{since}</Cell>
            <Cell label=td_string!(language, prices.history)><History history meter now currency/></Cell>
        </Row>
    }
    .into_any()
}

/// A change that has not come yet, and the way to take it back.
#[component]
fn Planned(price: Price, currency: domain::money::Currency, may_write: bool) -> impl IntoView {
    let language = language::current();
    let at = moment_text(price.from, MomentStyle::Date);
    let words = td_string!(language, prices.planned_from, price = price_text(language, &price, currency), at = at).to_string();
    let said = words.clone();
    let take_back = may_write.then(|| {
        view! {
            <ConfirmDialog
                id=format!("withdraw-{}-{}", price.meter, price.from.micros())
                open_text=td_string!(language, prices.withdraw)
                title=td_string!(language, prices.withdraw_title)
                confirm_text=td_string!(language, prices.withdraw_confirm)
                action=WithdrawPrice::PATH
                kind=ButtonKind::Quiet
                small=true
            >
                <p>{said.clone()}</p>
                <p>{td_string!(language, prices.withdraw_text)}</p>
                <input type="hidden" name="meter" value=price.meter.to_string()/>
                <input type="hidden" name="from" value=price.from.to_rfc3339()/>
            </ConfirmDialog>
        }
    });
    view! { <small class="row"><Status kind=StatusKind::Wait>{words}</Status>{take_back}</small> }.into_any()
}

/// All prices of a meter, the latest first.
#[component]
fn History(history: Vec<Price>, meter: Meter, now: Timestamp, currency: domain::money::Currency) -> impl IntoView {
    let language = language::current();
    let caption = td_string!(language, prices.history_of, meter = priced_text(language, meter)).to_string();
    let count = history.len();
    let rows = history
        .into_iter()
        .map(|price| {
            let state = (price.from > now).then(|| td_string!(language, prices.planned));
            view! {
                <tr>
                    <td>{moment_text(price.from, MomentStyle::Minute)}" "{state}</td>
                    <td class="num">{price_text(language, &price, currency)}</td>
                </tr>
            }
        })
        .collect_view();
    view! {
        <details class="figures-table">
            <summary class="fine">{count}<span class="sr">" "{caption.clone()}</span></summary>
            <table class="table dense keep">
                <caption class="sr">{caption}</caption>
                <thead>
                    <tr><th scope="col">{td_string!(language, prices.since)}</th><th scope="col" class="num">{td_string!(language, prices.price)}</th></tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use domain::money::Currency;

    use super::*;

    #[test]
    fn a_price_by_the_minute_never_stands_without_its_hour() {
        let price = Price { quoted: Quoted::Minute, ..Price::new(Meter::CpuCoreHour, 7_200_000, Timestamp::from_seconds(0)) };
        let english = price_text(Language::en, &price, Currency::Usd);
        assert_eq!(english, "$0.12 / min = $7.20\u{a0}/\u{a0}core-h");
        assert!(price_text(Language::zh_CN, &price, Currency::Cny).contains("合 ¥7.20"));
    }
}
