//! Numbers: money, quantities, moments, facts, meters, charts; and the icons.

use domain::money::{Currency, Money};
use leptos::prelude::*;

use super::specimen::{AT, Specimen};
use crate::{
    components::{Amount, Bar, BarChart, Fact, Facts, Glyph, Icon, Meter, Moment, MomentStyle, Quantity, StatusKind},
    i18n::td_string,
    language,
};

#[component]
pub fn Figures() -> impl IntoView {
    let language = language::current();
    let hour = td_string!(language, common.hours);
    let cny = |micros| Money::new(micros, Currency::Cny);
    let facts = move || {
        view! {
            <Fact name=td_string!(language, orders.course)>"CV2402"</Fact>
            <Fact name=td_string!(language, orders.estimate)><Amount money=cny(47_460_000)/></Fact>
            <Fact name=td_string!(language, orders.submitted)><Moment at=AT/></Fact>
        }
    };
    view! {
        <Specimen name="Amount">
            <Amount money=cny(0)/>
            <Amount money=cny(47_460_000) per=hour/>
            <Amount money=cny(1_044_120_000)/>
            <Amount money=cny(-3_500_000)/>
        </Specimen>
        <Specimen name="Quantity">
            <Quantity value="8" unit=td_string!(language, common.cores)/>
            <Quantity value="0.14" unit=td_string!(language, common.cards)/>
            <Quantity value="90" unit=td_string!(language, common.minutes)/>
        </Specimen>
        <Specimen name="Moment style=Minute, Second, Date, Time">
            <Moment at=AT/>
            <Moment at=AT style=MomentStyle::Second/>
            <Moment at=AT style=MomentStyle::Date/>
            <Moment at=AT style=MomentStyle::Time/>
        </Specimen>
        <Specimen name="Facts" block=true><Facts>{facts()}</Facts></Specimen>
        <Specimen name="Facts ends" block=true><Facts ends=true>{facts()}</Facts></Specimen>
    }
    .into_any()
}

#[component]
pub fn Meters() -> impl IntoView {
    let language = language::current();
    let label = td_string!(language, common.cards);
    let note = td_string!(language, components.used);
    let end_note = td_string!(language, components.left);
    view! {
        <Specimen name="Meter used=0" block=true><Meter label figure="0 / 12" used=0 limit=12/></Specimen>
        <Specimen name="Meter used held" block=true><Meter label figure="10 / 12" used=4 held=6 limit=12 note end_note/></Specimen>
        <Specimen name="Meter full" block=true><Meter label figure="12 / 12" used=12 limit=12/></Specimen>
        <Specimen name="Meter attention=Warn" block=true>
            <Meter label figure="11 / 12" used=9 held=2 limit=12 attention=StatusKind::Warn note/>
        </Specimen>
        <Specimen name="Meter over, attention=Bad" block=true>
            <Meter label figure="15 / 12" used=10 held=5 limit=12 attention=StatusKind::Bad end_note/>
        </Specimen>
        <Specimen name="Meter limit=0" block=true><Meter label figure="0 / 0" used=0 limit=0/></Specimen>
    }
    .into_any()
}

#[component]
pub fn Charts() -> impl IntoView {
    let language = language::current();
    let caption = td_string!(language, design.sample_chart);
    let bars = |count: i64| (1..=count).map(|day| Bar { label: format!("11-{day:02}"), value: day * 7 % 11, text: format!("¥{}.00", day * 7 % 11) });
    view! {
        <Specimen name="BarChart" block=true><BarChart caption bars=bars(7).collect()/></Specimen>
        <Specimen name="BarChart limit, 30 bars" block=true>
            <BarChart caption bars=bars(30).collect() limit=(8, td_string!(language, design.sample_limit).to_owned())/>
        </Specimen>
        <Specimen name="BarChart (nothing)" block=true><BarChart caption bars=Vec::new()/></Specimen>
    }
    .into_any()
}

#[component]
pub fn Icons() -> impl IntoView {
    let all = Glyph::ALL
        .iter()
        .map(|glyph| view! { <li class="row"><Icon glyph=*glyph/><Icon glyph=*glyph small=true/><span class="fine mono">{format!("{glyph:?}")}</span></li> })
        .collect_view();
    view! { <ul class="figures">{all}</ul> }.into_any()
}
