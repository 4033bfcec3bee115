//! The form of a new price. It asks for a preview first: a plain GET, so that the preview has a URL and works without scripts.

use domain::{money::Currency, pricing::Meter};
use leptos::prelude::*;

use super::{api::Wanted, table::priced_text};
use crate::{
    components::{Button, ButtonKind, Card, Choice, ChoiceCards, SelectField, TextField},
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language, routes,
};

#[component]
pub fn NewPrice(wanted: Wanted, failed: Flash, currency: Currency, kind: ButtonKind) -> impl IntoView {
    let language = language::current();
    let typed = wanted.preview == "price";
    // From the URL of a preview, or what a refused form left behind.
    let values = failed.clone();
    let value = move |field: &str, in_url: &str| if typed { in_url.to_owned() } else { values.value(field).to_owned() };
    let problem = move |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    let meters = Meter::all().map(|meter| (meter.to_string(), priced_text(language, meter).to_owned())).collect();
    let choice = |value: &str, name: &str| Choice { value: value.into(), name: name.into(), ..Choice::default() };
    let choices = vec![choice("unit", td_string!(language, prices.quoted_unit)), choice("minute", td_string!(language, prices.quoted_minute))];
    let quoted = Some(value("quoted", &wanted.quoted)).filter(|quoted| !quoted.is_empty()).unwrap_or_else(|| "unit".to_owned());
    view! {
        <Card title=td_string!(language, prices.new_title)>
            <form class="stack" method="get" action=routes::PRICES data-draft="">
                <input type="hidden" name="preview" value="price"/>
                <SelectField name="meter" label=td_string!(language, prices.meter) choices=meters value=value("meter", &wanted.meter) error=problem("meter")/>
                <ChoiceCards name="quoted" label=td_string!(language, prices.quoted) choices value=quoted error=problem("quoted")/>
                <TextField
                    name="price"
                    label=td_string!(language, prices.new_price)
                    value=value("price", &wanted.price)
                    error=problem("price")
                    input_mode="decimal"
                    unit=currency.code()
                />
                <TextField
                    name="from"
                    label=td_string!(language, prices.from)
                    help=td_string!(language, prices.from_help)
                    value=value("from", if typed { &wanted.from } else { "" })
                    error=problem("from")
                    input_type="date"
                    optional=true
                />
                <Button kind>{td_string!(language, prices.preview)}</Button>
            </form>
        </Card>
    }
    .into_any()
}
