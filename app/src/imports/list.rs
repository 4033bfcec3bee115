//! Uploading a list, and the lists that were.

use domain::{
    imports::{Import, ImportKind, MAX_ROWS},
    page::Page,
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{
    api::imports,
    words::{kind_text, state_kind, state_text},
};
use crate::{
    components::{
        Button, ButtonKind, Card, Cell, CellPlace, Column, DataTable, EmptyState, ErrorNotice, Failed, Glyph, Icon, Moment, PageHead, Pager, Row,
        SelectField, Skeleton, Status, TextArea,
    },
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language, routes,
};

#[component]
pub fn ImportsPage() -> impl IntoView {
    let query = use_query_map();
    let found = Resource::new(move || query.with(|query| query.get("after").unwrap_or_default()), imports);
    let failed = flash("upload");
    view! {
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || Suspend::new(async move {
                let failed = failed.await;
                match found.await {
                    Ok(found) => view! { <Whole found failed/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Whole(found: Page<Import>, failed: Flash) -> impl IntoView {
    let language = language::current();
    let older = found.next.map(|next| routes::with_query(routes::IMPORTS, &[("after", &next)]));
    let empty = found.items.is_empty();
    let columns = vec![
        Column::text(td_string!(language, imports.file)),
        Column::text(td_string!(language, imports.state)),
        Column::number(td_string!(language, imports.rows)),
        Column::number(td_string!(language, imports.done_rows)),
        Column::number(td_string!(language, imports.error_rows)),
        Column::text(td_string!(language, imports.by)),
    ];
    let rows = found.items.into_iter().map(|import| view! { <One import/> }).collect_view();
    view! {
        <PageHead
            title=td_string!(language, imports.title)
            lead=td_string!(language, imports.lead)
            crumb=(routes::PEOPLE.to_owned(), td_string!(language, people.title).to_owned())
        />
        <div class="cols main-side">
            <div class="stack">
                {if empty {
                    view! { <EmptyState glyph=Glyph::Table title=td_string!(language, imports.none) text=td_string!(language, imports.none_text)/> }.into_any()
                } else {
                    view! {
                        <Card title=td_string!(language, imports.lists) flush=true>
                            <DataTable caption=td_string!(language, imports.lists) columns>{rows}</DataTable>
                            <Pager nostrip:older=older/>
                        </Card>
                    }
                    .into_any()
                }}
            </div>
            <aside class="stack"><Upload failed/></aside>
        </div>
    }
    .into_any()
}

#[component]
fn One(import: Import) -> impl IntoView {
    let language = language::current();
    let Import { id, kind, file_name, state, by, created_at, counts, .. } = import;
    let name = if file_name.is_empty() { td_string!(language, imports.pasted).to_owned() } else { file_name };
    view! {
        <Row>
            <Cell><div><a href=routes::import(id)><b>{name}</b></a><small>{kind_text(language, kind)}</small></div></Cell>
            <Cell place=CellPlace::Corner><Status kind=state_kind(state)>{state_text(language, state)}</Status></Cell>
            <Cell label=td_string!(language, imports.rows) numeric=true>{counts.all()}</Cell>
            <Cell label=td_string!(language, imports.done_rows) numeric=true>{counts.done}</Cell>
            <Cell label=td_string!(language, imports.error_rows) numeric=true>{counts.error}</Cell>
            <Cell label=td_string!(language, imports.by)>{by.name}" "<Moment at=created_at/></Cell>
        </Row>
    }
    .into_any()
}

#[component]
fn Upload(failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let problem = |field: &str| failed.problem(field).map(|problem| field_problem_text(language, problem));
    let (pasted_problem, file_problem) = (problem("list"), problem("file"));
    let kinds = ImportKind::ALL.into_iter().map(|kind| (kind.as_str().to_owned(), kind_text(language, kind).to_owned())).collect::<Vec<_>>();
    let kind = Some(failed.value("kind").to_owned()).filter(|kind| !kind.is_empty()).unwrap_or_else(|| "people".to_owned());
    view! {
        <Card title=td_string!(language, imports.upload) id="upload">
            <form class="stack" method="post" action=routes::IMPORTS_UPLOAD enctype="multipart/form-data">
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <SelectField name="kind" label=td_string!(language, imports.kind) choices=kinds value=kind/>
                <div class="field">
                    <label for="file">{td_string!(language, imports.file)}</label>
                    <input class="input" id="file" name="file" type="file" accept=".csv,.txt,text/csv" aria-describedby="file-note" aria-invalid=file_problem.is_some().then_some("true")/>
                    <div id="file-note">
                        <p class="help">{td_string!(language, imports.file_help, max = MAX_ROWS).to_string()}</p>
                        <p class="error">{file_problem.map(|text| view! { <Icon glyph=Glyph::StatusWarn small=true/><span>{text}</span> })}</p>
                    </div>
                </div>
                <TextArea
                    name="list"
                    label=td_string!(language, imports.paste)
                    help=td_string!(language, imports.paste_help)
                    error=Signal::stored(pasted_problem)
                    optional=true
                    rows=5
                />
                <Button kind=ButtonKind::Primary>{td_string!(language, imports.look)}</Button>
            </form>
        </Card>
        <Card title=td_string!(language, imports.samples)>
            <ul class="plain-list">
                <li><a href="/imports/sample/people.csv" rel="external" download="">{td_string!(language, imports.sample_people)}</a></li>
                <li><a href="/imports/sample/courses.csv" rel="external" download="">{td_string!(language, imports.sample_courses)}</a></li>
            </ul>
            <ul class="plain-list">
                <li>{td_string!(language, imports.rule_key)}</li>
                <li>{td_string!(language, imports.rule_keep)}</li>
                <li>{td_string!(language, imports.rule_admin)}</li>
            </ul>
        </Card>
    }
    .into_any()
}
