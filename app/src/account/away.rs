//! Being away: who decides meanwhile, and for whom one decides oneself (C2).

use domain::{
    access::Action,
    delegations::{DAYS_MAX, Delegation, NOTE_MAX},
    ids::UserId,
    people::Viewer,
    time::Timestamp,
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    away_api::{CreateDelegation, Delegations, EndDelegation, FORM, delegations},
    row_action::RowAction,
};
use crate::{
    caller_view::use_viewer,
    components::{Button, ButtonKind, Card, Cell, CellPlace, Column, DataTable, ErrorNotice, Row, Skeleton, Status, StatusKind, TextField},
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
};

/// Nothing for who decides nothing and stands in for nobody.
#[component]
pub fn AwayCard() -> impl IntoView {
    let viewer = use_viewer();
    let list = Resource::new(|| (), |()| delegations());
    let failed = flash(FORM);
    view! {
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || Suspend::new(async move {
                let failed = failed.await;
                match (list.await, viewer.loaded().await) {
                    (Ok(list), Some(person)) if person.may(Action::OrderDecide) || !list.items.is_empty() => {
                        view! { <Whole list person failed/> }.into_any()
                    }
                    (Err(error), _) => view! { <ErrorNotice error/> }.into_any(),
                    _ => ().into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Whole(list: Delegations, person: Viewer, failed: Flash) -> impl IntoView {
    let language = language::current();
    let Delegations { items, now } = list;
    let none = items.is_empty();
    let columns = vec![
        Column::text(td_string!(language, account.away_who)),
        Column::text(td_string!(language, account.away_days)),
        Column::text(td_string!(language, account.away_state)),
        Column::text(""),
    ];
    let me = person.user_id;
    let rows = items.into_iter().map(|delegation| row(language, delegation, me, now)).collect_view();
    let decides = person.may(Action::OrderDecide);
    view! {
        <Card title=td_string!(language, account.away) flush=true id="away">
            {if none {
                view! { <p class="inset soft">{td_string!(language, account.away_none)}</p> }.into_any()
            } else {
                view! { <DataTable caption=td_string!(language, account.away) columns>{rows}</DataTable> }.into_any()
            }}
            {decides.then(|| view! { <div class="inset"><NewDelegation failed today=now.on_campus().date()/></div> })}
        </Card>
    }
    .into_any()
}

fn row(language: Language, delegation: Delegation, me: UserId, now: Timestamp) -> impl IntoView {
    let (kind, state) = state(language, &delegation, now);
    let (days, over) = (format!("{} – {}", delegation.first_day(), delegation.last_day()), delegation.is_over(now));
    let given = delegation.absent.id == me;
    let (absent, stand_in) = (delegation.absent.name.as_str(), delegation.stand_in.name.as_str());
    let who = if given {
        td_string!(language, account.away_by, name = stand_in).to_string()
    } else {
        td_string!(language, account.away_for, name = absent).to_string()
    };
    let title = if given {
        td_string!(language, account.away_end_title_by, name = stand_in).to_string()
    } else {
        td_string!(language, account.away_end_title_for, name = absent).to_string()
    };
    let login = if given { delegation.stand_in.login } else { delegation.absent.login };
    let id = delegation.id.to_string();
    let end = (!over).then(|| {
        view! {
            <RowAction
                name="end-delegation"
                id
                verb=td_string!(language, account.away_end)
                title
                text=td_string!(language, account.away_end_text)
                action=EndDelegation::PATH
            />
        }
    });
    view! {
        <Row>
            <Cell><div><b>{who}</b><small>{login}</small></div></Cell>
            <Cell label=td_string!(language, account.away_days)><div class="nowrap">{days}<small>{delegation.note}</small></div></Cell>
            <Cell label=td_string!(language, account.away_state)><Status kind>{state}</Status></Cell>
            <Cell place=CellPlace::Wide>{end}</Cell>
        </Row>
    }
}

fn state(language: Language, delegation: &Delegation, now: Timestamp) -> (StatusKind, &'static str) {
    if delegation.is_over(now) {
        (StatusKind::Off, td_string!(language, account.away_over))
    } else if delegation.holds_at(now) {
        (StatusKind::Live, td_string!(language, account.away_holds))
    } else {
        (StatusKind::Wait, td_string!(language, account.away_to_come))
    }
}

/// Folded until it is wanted, or until a try has failed.
#[component]
fn NewDelegation(failed: Flash, today: String) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let open = failed.error.is_some();
    let from = if failed.values.is_empty() { today } else { failed.value("from").to_owned() };
    let (stand_in, until, note) = (failed.value("stand_in").to_owned(), failed.value("until").to_owned(), failed.value("note").to_owned());
    let problem = move |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    view! {
        <details class="unfold" open=open>
            <summary class="btn">{td_string!(language, account.away_new)}</summary>
            <form class="stack" method="post" action=format!("{}#away", CreateDelegation::PATH) novalidate>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <p class="soft">{td_string!(language, account.away_about)}</p>
                <TextField
                    name="stand_in"
                    label=td_string!(language, account.away_stand_in)
                    value=stand_in
                    help=td_string!(language, account.away_stand_in_help)
                    error=problem("stand_in")
                    autocomplete="off"
                    maxlength=64
                />
                <TextField name="from" label=td_string!(language, account.away_from) value=from error=problem("from") input_type="date" optional=true/>
                <TextField
                    name="until"
                    label=td_string!(language, account.away_until)
                    value=until
                    help=td_string!(language, account.away_until_help, max = DAYS_MAX).to_string()
                    error=problem("until")
                    input_type="date"
                />
                <TextField
                    name="note"
                    label=td_string!(language, account.away_note)
                    value=note
                    error=problem("note")
                    maxlength=NOTE_MAX
                    optional=true
                />
                <div><Button kind=ButtonKind::Primary>{td_string!(language, account.away_make)}</Button></div>
            </form>
        </details>
    }
    .into_any()
}
