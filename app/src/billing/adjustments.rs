//! Credits, charges and corrections, and a form for a new one.

use domain::{
    access::Action,
    billing::{Adjustment, AdjustmentKind},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::{
    api::{Adjust, Adjustments, read_adjustments},
    head::{BillingTabs, Tab},
};
use crate::{
    caller_view::use_viewer,
    components::{
        Amount, Button, ButtonKind, Card, Cell, CellPlace, Choice, ChoiceCards, Column, DataTable, EmptyState, ErrorNotice, Failed, Glyph, Moment,
        PageHead, Pager, Row, Skeleton, TextArea, TextField,
    },
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
    routes,
};

/// Longest reason, in characters.
const REASON_MAX: u32 = 200;

fn kind_text(language: Language, kind: AdjustmentKind) -> &'static str {
    match kind {
        AdjustmentKind::Credit => td_string!(language, bills.kind_credit),
        AdjustmentKind::Charge => td_string!(language, bills.kind_charge),
        AdjustmentKind::Correction => td_string!(language, bills.kind_correction),
    }
}

#[component]
pub fn AdjustmentsPage() -> impl IntoView {
    let language = language::current();
    let query = use_query_map();
    let after = move || query.with(|query| query.get_str("after").unwrap_or_default().to_owned());
    let adjustments = Resource::new(after, read_adjustments);
    let failed = flash("adjust");
    let viewer = use_viewer();
    view! {
        <PageHead title=td_string!(language, bills.adjust_title) lead=td_string!(language, bills.adjust_lead)/>
        <BillingTabs current=Tab::Adjustments/>
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {move || {
                let may_add = viewer.person().is_some_and(|person| person.may(Action::BillWrite));
                adjustments.get().map(|all| match all {
                    Ok(Adjustments { page, form_id }) => {
                        let form = failed.get().filter(|_| may_add).map(|failed| view! { <aside class="stack"><NewAdjustment failed form_id/></aside> });
                        let older = page.next.clone().map(|after| routes::with_query(routes::BILLING_ADJUSTMENTS, &[("after", &after)]));
                        let class = if form.is_some() { "cols main-side" } else { "stack" };
                        view! { <div class=class><div class="stack"><AllAdjustments items=page.items older/></div>{form}</div> }.into_any()
                    }
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}

#[component]
fn AllAdjustments(items: Vec<Adjustment>, older: Option<String>) -> impl IntoView {
    let language = language::current();
    if items.is_empty() {
        let (title, text) = (td_string!(language, bills.adjust_empty_title), td_string!(language, bills.adjust_empty_text));
        return view! { <EmptyState glyph=Glyph::Bill title text/> }.into_any();
    }
    let columns = vec![
        Column::text(td_string!(language, bills.at)),
        Column::text(td_string!(language, bills.course)),
        Column::text(td_string!(language, bills.kind)),
        Column::text(td_string!(language, bills.reason)),
        Column::text(td_string!(language, bills.by_whom)),
        Column::number(td_string!(language, bills.amount)),
    ];
    let rows = items.into_iter().map(|adjustment| view! { <OneAdjustment adjustment/> }).collect_view();
    view! {
        <Card title=td_string!(language, bills.adjustments) flush=true>
            <DataTable caption=td_string!(language, bills.adjust_title) columns>{rows}</DataTable>
            <Pager nostrip:older=older/>
        </Card>
    }
    .into_any()
}

#[component]
fn OneAdjustment(adjustment: Adjustment) -> impl IntoView {
    let language = language::current();
    let Adjustment { id: _, course, month, kind, amount, reason, lab, of_month, at, by } = adjustment;
    let reason = match of_month {
        Some(of_month) => td_string!(language, bills.correction_reason, month = of_month.to_string()).to_string(),
        None => reason,
    };
    let lab =
        lab.zip(of_month).map(|((id, name), of_month)| view! { <small><a class="mono" href=routes::lab_intervals(id, of_month)>{name}</a></small> });
    let bill = routes::with_query(routes::BILLING, &[("month", &month.to_string()), ("course", &course.code)]);
    view! {
        <Row>
            <Cell><Moment at/></Cell>
            <Cell label=td_string!(language, bills.course)><a href=bill>{course.code}</a><small>{month.to_string()}</small></Cell>
            <Cell label=td_string!(language, bills.kind)>{kind_text(language, kind)}</Cell>
            <Cell label=td_string!(language, bills.reason)>{reason}{lab}</Cell>
            <Cell label=td_string!(language, bills.by_whom)>{by.unwrap_or_else(|| td_string!(language, bills.by_metering).to_owned())}</Cell>
            <Cell label=td_string!(language, bills.amount) numeric=true place=CellPlace::Corner><Amount money=amount/></Cell>
        </Row>
    }
    .into_any()
}

#[component]
fn NewAdjustment(failed: Flash, form_id: String) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let typed = failed.clone();
    let value = move |field| typed.value(field).to_owned();
    let problem = move |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    let choice =
        |value: &str, name: &str, about: &str| Choice { value: value.into(), name: name.into(), about: Some(about.into()), ..Choice::default() };
    let kinds = vec![
        choice("credit", td_string!(language, bills.kind_credit), td_string!(language, bills.kind_credit_about)),
        choice("charge", td_string!(language, bills.kind_charge), td_string!(language, bills.kind_charge_about)),
    ];
    let kind = Some(value("kind")).filter(|kind| !kind.is_empty()).unwrap_or_else(|| "credit".to_owned());
    view! {
        <Card title=td_string!(language, bills.adjust_new)>
            <form class="stack" method="post" action=Adjust::PATH>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <input type="hidden" name="form_id" value=form_id/>
                <ChoiceCards name="kind" label=td_string!(language, bills.kind) choices=kinds value=kind error=problem("kind")/>
                <TextField
                    name="course"
                    label=td_string!(language, bills.course)
                    help=td_string!(language, bills.course_help)
                    value=value("course")
                    error=problem("course")
                    maxlength=24
                />
                <TextField
                    name="amount"
                    label=td_string!(language, bills.amount)
                    help=td_string!(language, bills.amount_help)
                    value=value("amount")
                    error=problem("amount")
                    input_mode="decimal"
                />
                <TextArea
                    name="reason"
                    label=td_string!(language, bills.reason)
                    help=td_string!(language, bills.reason_help)
                    value=value("reason")
                    error=problem("reason")
                    maxlength=REASON_MAX
                />
                <Button kind=ButtonKind::Primary>{td_string!(language, bills.add)}</Button>
            </form>
        </Card>
    }
    .into_any()
}
