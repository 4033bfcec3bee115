//! Every month with its state; whoever may, closes one here.

use domain::{access::Action, billing::MonthBill, time::Month};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    api::{CloseMonth, read_months},
    head::{BillingTabs, Tab},
    words::month_name,
};
use crate::{
    caller_view::use_viewer,
    components::{
        Amount, ButtonKind, Card, Cell, CellPlace, Column, ConfirmDialog, DataTable, EmptyState, ErrorNotice, Failed, Glyph, MomentStyle, PageHead,
        Row, Skeleton, Status, StatusKind, moment_text,
    },
    error::AppError,
    flash::flash,
    i18n::td_string,
    language::{self, Language},
    routes,
};

/// `2026 年 11 月`, `November 2026`
fn month_text(language: Language, month: Month) -> String {
    match language {
        Language::en => format!("{} {}", month_name(language, month), month.year()),
        Language::zh_CN => format!("{} 年 {}", month.year(), month_name(language, month)),
    }
}

#[component]
pub fn MonthsPage() -> impl IntoView {
    let language = language::current();
    let months = Resource::new(|| (), |()| read_months());
    let failed = flash("close-month");
    let viewer = use_viewer();
    view! {
        <PageHead title=td_string!(language, bills.months_title) lead=td_string!(language, bills.months_lead)/>
        <BillingTabs current=Tab::Months/>
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {move || failed.get().and_then(|failed| failed.error).map(|error| view! { <ErrorNotice error=AppError(error)/> })}
            {move || {
                let may_close = viewer.person().is_some_and(|person| person.may(Action::BillWrite));
                months.get().map(|months| match months {
                    Ok((this_month, months)) => view! { <AllMonths this_month months may_close/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}

#[component]
fn AllMonths(this_month: Month, months: Vec<MonthBill>, may_close: bool) -> impl IntoView {
    let language = language::current();
    if months.is_empty() {
        let (title, text) = (td_string!(language, bills.months_empty_title), td_string!(language, bills.months_empty_text));
        return view! { <EmptyState glyph=Glyph::Bill title text/> }.into_any();
    }
    let mut columns = vec![
        Column::text(td_string!(language, bills.month)),
        Column::text(td_string!(language, bills.state)),
        Column::number(td_string!(language, bills.usage)),
        Column::number(td_string!(language, bills.adjustments)),
        Column::number(td_string!(language, bills.total)),
    ];
    if may_close {
        columns.push(Column::text(""));
    }
    let rows = months.into_iter().map(|bill| view! { <OneRow bill this_month may_close/> }).collect_view();
    view! {
        <Card title=td_string!(language, bills.tab_months) flush=true>
            <DataTable caption=td_string!(language, bills.months_title) columns>{rows}</DataTable>
        </Card>
    }
    .into_any()
}

#[component]
fn OneRow(bill: MonthBill, this_month: Month, may_close: bool) -> impl IntoView {
    let language = language::current();
    let MonthBill { month, usage, adjustments, closing } = bill;
    let href = routes::with_query(routes::BILLING, &[("month", &month.to_string())]);
    let over = month < this_month;
    let open = closing.is_none();
    let state = match &closing {
        Some(closing) => {
            let at = moment_text(closing.at, MomentStyle::Minute);
            let name = closing.by.clone().unwrap_or_default();
            view! {
                <Status kind=StatusKind::Ok>{td_string!(language, bills.state_closed)}</Status>
                <small>{td_string!(language, bills.closed_by, at = at, name = name).to_string()}</small>
            }
            .into_any()
        }
        None if over => view! { <Status kind=StatusKind::Wait>{td_string!(language, bills.state_open)}</Status> }.into_any(),
        None => view! { <Status kind=StatusKind::Live>{td_string!(language, bills.state_running)}</Status> }.into_any(),
    };
    let name = month_name(language, month);
    let close = (may_close && over && open).then(|| {
        let title = td_string!(language, bills.close_title, month = name, year = month.year()).to_string();
        view! {
            <ConfirmDialog
                id=format!("close-{month}")
                open_text=td_string!(language, bills.close)
                title
                confirm_text=td_string!(language, bills.close_confirm)
                action=CloseMonth::PATH
                kind=ButtonKind::Plain
                small=true
            >
                <p>{td_string!(language, bills.close_text)}</p>
                <input type="hidden" name="month" value=month.to_string()/>
            </ConfirmDialog>
        }
    });
    view! {
        <Row>
            <Cell><a href=href><b>{month_text(language, month)}</b></a></Cell>
            <Cell label=td_string!(language, bills.state)>{state}</Cell>
            <Cell label=td_string!(language, bills.usage) numeric=true><Amount money=usage/></Cell>
            <Cell label=td_string!(language, bills.adjustments) numeric=true><Amount money=adjustments/></Cell>
            <Cell label=td_string!(language, bills.total) numeric=true place=CellPlace::Corner><Amount money=usage.plus(adjustments)/></Cell>
            {may_close.then(|| view! { <Cell place=CellPlace::Wide>{close}</Cell> })}
        </Row>
    }
    .into_any()
}
