//! One list: what each row would do, mending those that are wrong, taking it over, what came of it.

use domain::imports::{Import, ImportKind, ImportRow, ImportState, RowResult, Verdict};
use domain::{names, page::Page};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{
    api::{MendRow, StartImport, import},
    words::{change_text, column_text, kind_text, problems_text, row_kind, row_text, state_kind, state_text, verdict_text},
};
use crate::{
    components::{
        Button, ButtonKind, Card, Cell, CellPlace, Column, DataTable, ErrorNotice, Failed, LinkItem, Meter, Notice, PageHead, Pager, Row, Segmented,
        Skeleton, Status, StatusKind,
    },
    error::AppError,
    flash::flash,
    i18n::td_string,
    language, routes,
};

#[component]
pub fn ImportPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        let get = |name: &str| query.with(|query| query.get(name).unwrap_or_default());
        (params.with(|params| params.get("id").unwrap_or_default()), get("show"), get("after"))
    });
    let found = Resource::new(move || asked.get(), |(id, show, after)| import(id, show, after));
    let failed = flash("import");
    // While it runs, the page asks how far it is.
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| {
        let running = found.with(|found| matches!(found, Some(Ok((import, _))) if import.state == ImportState::Running));
        if running {
            set_timeout(move || found.refetch(), std::time::Duration::from_secs(2));
        }
    });
    view! {
        <Suspense>{move || failed.get().and_then(|failed| failed.error).map(|error| view! { <ErrorNotice error=AppError(error)/> })}</Suspense>
        <Transition fallback=|| view! { <Skeleton/> }>
            {move || found.get().map(|found| match found {
                Ok((import, rows)) => view! { <Whole import rows show=asked.with(|(_, show, _)| show.clone())/> }.into_any(),
                Err(error) => view! { <Failed error/> }.into_any(),
            })}
        </Transition>
    }
}

#[component]
fn Whole(import: Import, rows: Page<ImportRow>, show: String) -> impl IntoView {
    let language = language::current();
    let (id, kind, state, counts) = (import.id.to_string(), import.kind, import.state, import.counts);
    let here = routes::import(&id);
    let name = if import.file_name.is_empty() { td_string!(language, imports.pasted).to_owned() } else { import.file_name.clone() };
    let lead = format!("{} · {}", kind_text(language, kind), td_string!(language, imports.count_rows, count = counts.all()));
    let tab = |verdict: Option<Verdict>, text: &'static str, count: u32| {
        let value = verdict.map_or("", Verdict::as_str);
        LinkItem::new(routes::with_query(&here, &[("show", value)]), text, show == value).with_count(count.to_string())
    };
    let mut items = vec![tab(None, td_string!(language, imports.all), counts.all())];
    for (verdict, count) in
        [(Verdict::Error, counts.error), (Verdict::New, counts.new), (Verdict::Change, counts.change), (Verdict::Unchanged, counts.unchanged)]
    {
        items.push(tab(Some(verdict), verdict_text(language, verdict), count));
    }
    let start = (state != ImportState::Running && counts.waiting() > 0).then(|| {
        view! {
            <form method="post" action=StartImport::PATH>
                <input type="hidden" name="id" value=id.clone()/>
                <Button kind=ButtonKind::Primary>{td_string!(language, imports.start, count = counts.waiting()).to_string()}</Button>
            </form>
        }
    });
    let older = rows.next.map(|next| routes::with_query(&here, &[("show", &show), ("after", &next)]));
    let columns = vec![
        Column::number(td_string!(language, imports.row)),
        Column::text(td_string!(language, imports.content)),
        Column::text(td_string!(language, imports.result)),
        Column::text(td_string!(language, imports.mend)),
    ];
    let may_mend = state != ImportState::Running;
    let body = rows.items.into_iter().map(|row| view! { <OneRow import=id.clone() kind row may_mend show=show.clone()/> }).collect_view();
    view! {
        <PageHead title=name lead crumb=(routes::IMPORTS.to_owned(), td_string!(language, imports.title).to_owned())>
            <Status kind=state_kind(state)>{state_text(language, state)}</Status>
            {start}
        </PageHead>
        <Progress import=import.clone()/>
        <Segmented label=td_string!(language, imports.show) items/>
        <Card title=td_string!(language, imports.rows_title) flush=true>
            <DataTable caption=td_string!(language, imports.rows_title) columns dense=true>{body}</DataTable>
            <Pager nostrip:older=older/>
        </Card>
    }
    .into_any()
}

#[component]
fn Progress(import: Import) -> impl IntoView {
    let language = language::current();
    let (id, counts) = (import.id, import.counts);
    let finished = import.state == ImportState::Done;
    let bar = (import.state != ImportState::Preview).then(|| {
        view! {
            <Meter
                label=td_string!(language, imports.progress)
                figure=td_string!(language, imports.progress_of, done = counts.done, all = counts.to_do()).to_string()
                used=i64::from(counts.done)
                limit=i64::from(counts.to_do())
                note=if finished { td_string!(language, imports.may_start_again) } else { td_string!(language, imports.may_leave) }
            />
        }
    });
    let links = (finished && import.kind == ImportKind::People && counts.new > 0 && import.links_at.is_none()).then(|| {
        view! {
            <Notice title=td_string!(language, imports.links)>
                {td_string!(language, imports.links_text)}
                <form method="post" action=format!("/imports/{id}/links.csv")>
                    <Button small=true>{td_string!(language, imports.take_links)}</Button>
                </form>
            </Notice>
        }
    });
    let mistakes = (counts.error > 0).then(|| {
        view! {
            <p class="soft">{td_string!(language, imports.mistakes, count = counts.error).to_string()}</p>
        }
    });
    view! {
        <div class="stack">
            {bar}
            {links}
            {mistakes}
            <div class="row">
                <a class="btn small" href=format!("/imports/{id}/result.csv") rel="external" download="">{td_string!(language, imports.download)}</a>
            </div>
        </div>
    }
    .into_any()
}

#[component]
fn OneRow(import: String, kind: ImportKind, row: ImportRow, may_mend: bool, show: String) -> impl IntoView {
    let language = language::current();
    let wrong = row.verdict == Verdict::Error;
    let columns = kind.columns();
    let content = columns
        .iter()
        .filter_map(|column| row.cells.get(column.field).map(|text| (column, text)))
        .map(|(column, text)| {
            let name = column_text(language, kind, column.field);
            view! { <span class="pair"><span class="fine">{name}</span>" "{names::shown(text)}" "</span> }
        })
        .collect_view();
    let changes = row.changes.iter().map(|change| view! { <li>{change_text(language, kind, change)}</li> }).collect_view();
    let changes = (!row.changes.is_empty()).then(|| view! { <ul class="plain-list">{changes}</ul> });
    let problems = problems_text(language, kind, &row);
    let editable = may_mend && wrong && row.result != Some(RowResult::Done);
    let form = editable.then(|| {
        let fields = columns
            .iter()
            .map(|column| {
                let bad = row.problems.iter().any(|each| each.field == column.field);
                let name = column_text(language, kind, column.field);
                let label = td_string!(language, imports.cell_of, row = row.number, column = name).to_string();
                let value = row.cells.get(column.field).cloned().unwrap_or_default();
                if bad {
                    view! {
                        <label class="field">
                            <span class="fine">{name}</span>
                            <input class="input small" name=format!("cells[{}]", column.field) value=value aria-label=label aria-invalid="true"/>
                        </label>
                    }
                    .into_any()
                } else {
                    view! { <input type="hidden" name=format!("cells[{}]", column.field) value=value/> }.into_any()
                }
            })
            .collect_view();
        view! {
            <form class="stack tight" method="post" action=MendRow::PATH>
                <input type="hidden" name="id" value=import/>
                <input type="hidden" name="number" value=row.number.to_string()/>
                <input type="hidden" name="show" value=show/>
                {fields}
                <div><Button small=true>{td_string!(language, imports.mend_row)}</Button></div>
            </form>
        }
    });
    view! {
        <Row nostrip:attention=wrong.then_some(StatusKind::Bad)>
            <Cell label=td_string!(language, imports.row) numeric=true>{row.number}</Cell>
            <Cell label=td_string!(language, imports.content)><div>{content}{changes}</div></Cell>
            <Cell place=CellPlace::Corner><Status kind=row_kind(&row)>{row_text(language, &row)}</Status></Cell>
            <Cell place=CellPlace::Wide><div>{wrong.then(|| view! { <p class="error">{problems}</p> })}{form}</div></Cell>
        </Row>
    }
    .into_any()
}
