//! Announcements: what holds, what is to come, what is over; and a form for a new one.

use domain::{
    announcements::{Announcement, Level, TEXT_MAX},
    courses::{COLLEGE, Tree},
    page::Page,
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::api::{CreateAnnouncement, EndAnnouncement, announcements};
use crate::{
    components::{
        Button, ButtonKind, Card, Cell, CellPlace, Column, ConfirmDialog, DataTable, EmptyState, ErrorNotice, Failed, Glyph, Moment, PageHead, Pager,
        Row, SelectField, Skeleton, Status, StatusKind, TextArea, TextField,
    },
    courses::api::tree,
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
    routes,
};

fn level_text(language: Language, level: Level) -> &'static str {
    match level {
        Level::Info => td_string!(language, announcements.info),
        Level::Maintenance => td_string!(language, announcements.maintenance),
    }
}

#[component]
pub fn AnnouncementsPage() -> impl IntoView {
    let query = use_query_map();
    let found = Resource::new(move || query.with(|query| query.get("after").unwrap_or_default()), announcements);
    let tree = Resource::new(|| (), |()| tree());
    let failed = flash("announcement");
    view! {
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || Suspend::new(async move {
                let (failed, tree) = (failed.await, tree.await.ok());
                match found.await {
                    Ok(found) => view! { <Whole found failed tree/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Whole(found: Page<Announcement>, failed: Flash, tree: Option<Tree>) -> impl IntoView {
    let language = language::current();
    let older = found.next.map(|next| routes::with_query(routes::ANNOUNCEMENTS, &[("after", &next)]));
    let empty = found.items.is_empty();
    let rows = found.items.into_iter().map(|announcement| view! { <One announcement/> }).collect_view();
    let columns = vec![
        Column::text(td_string!(language, announcements.text)),
        Column::text(td_string!(language, announcements.level)),
        Column::text(td_string!(language, announcements.time)),
        Column::text(td_string!(language, announcements.whom)),
        Column::text(""),
    ];
    view! {
        <PageHead title=td_string!(language, announcements.title) lead=td_string!(language, announcements.lead)/>
        <div class="cols main-side">
            <div class="stack">
                {if empty {
                    view! { <EmptyState glyph=Glyph::Bell title=td_string!(language, announcements.none) text=td_string!(language, announcements.none_text)/> }.into_any()
                } else {
                    view! {
                        <Card title=td_string!(language, announcements.title) flush=true>
                            <DataTable caption=td_string!(language, announcements.title) columns>{rows}</DataTable>
                            <Pager nostrip:older=older/>
                        </Card>
                    }
                    .into_any()
                }}
            </div>
            <aside class="stack"><Form failed tree/></aside>
        </div>
    }
    .into_any()
}

#[component]
fn One(announcement: Announcement) -> impl IntoView {
    let language = language::current();
    let Announcement { id, level, text, from, to, department, by, ended_at, .. } = announcement;
    let whom = department.map_or_else(|| td_string!(language, announcements.everybody).to_owned(), |department| department.name);
    let kind = if level == Level::Maintenance { StatusKind::Warn } else { StatusKind::Idle };
    let end = match ended_at {
        Some(at) => view! { <span class="muted">{td_string!(language, announcements.ended)}" "<Moment at/></span> }.into_any(),
        None => view! {
            <ConfirmDialog
                id=format!("end-{id}")
                open_text=td_string!(language, announcements.end)
                title=td_string!(language, announcements.end_title)
                confirm_text=td_string!(language, announcements.end)
                action=EndAnnouncement::PATH
                kind=ButtonKind::Quiet
                small=true
            >
                <input type="hidden" name="id" value=id.to_string()/>
                <p>{td_string!(language, announcements.end_text)}</p>
            </ConfirmDialog>
        }
        .into_any(),
    };
    view! {
        <Row>
            <Cell><div>{text.get(language::tag(language)).to_owned()}<small>{by.name}</small></div></Cell>
            <Cell place=CellPlace::Corner><Status kind>{level_text(language, level)}</Status></Cell>
            <Cell label=td_string!(language, announcements.time)><Moment at=from/>" – "<Moment at=to/></Cell>
            <Cell label=td_string!(language, announcements.whom)>{whom}</Cell>
            <Cell place=CellPlace::Wide>{end}</Cell>
        </Row>
    }
    .into_any()
}

#[component]
fn Form(failed: Flash, tree: Option<Tree>) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let typed = failed.clone();
    let value = move |field: &str| typed.value(field).to_owned();
    let problem = move |field: &str| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    let level = Some(value("level")).filter(|level| !level.is_empty()).unwrap_or_else(|| "info".to_owned());
    let levels = Level::ALL.into_iter().map(|level| (level.as_str().to_owned(), level_text(language, level).to_owned())).collect::<Vec<_>>();
    let mut whom = vec![(COLLEGE.to_owned(), td_string!(language, announcements.everybody).to_owned())];
    whom.extend(tree.into_iter().flat_map(|tree| tree.departments).map(|department| (department.id.to_string(), department.name)));
    view! {
        <Card title=td_string!(language, announcements.new) id="new-announcement">
            <form class="stack" method="post" action=CreateAnnouncement::PATH>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <TextArea name="announcement[zh]" label=td_string!(language, announcements.zh) value=value("zh") error=problem("zh") maxlength=TEXT_MAX/>
                <TextArea name="announcement[en]" label=td_string!(language, announcements.en) value=value("en") error=problem("en") maxlength=TEXT_MAX/>
                <SelectField
                    name="announcement[level]"
                    label=td_string!(language, announcements.level)
                    help=td_string!(language, announcements.level_help)
                    choices=levels
                    value=level
                    error=problem("level")
                />
                <TextField
                    name="announcement[from]"
                    label=td_string!(language, announcements.from)
                    help=td_string!(language, announcements.from_help)
                    value=value("from")
                    error=problem("from")
                    input_type="datetime-local"
                    optional=true
                />
                <TextField name="announcement[to]" label=td_string!(language, announcements.to) value=value("to") error=problem("to") input_type="datetime-local"/>
                <SelectField
                    name="announcement[department]"
                    label=td_string!(language, announcements.whom)
                    choices=whom
                    value=Some(value("department")).filter(|chosen| !chosen.is_empty()).unwrap_or_else(|| COLLEGE.to_owned())
                    error=problem("department")
                />
                <Button kind=ButtonKind::Primary>{td_string!(language, announcements.publish)}</Button>
            </form>
        </Card>
    }
    .into_any()
}
