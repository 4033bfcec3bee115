//! The account page.

use domain::people::{JoinedIdentity, Post, SessionView};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::{
    api::{ChangePassword, EndOtherSessions, EndSession, Rename, identity, posts, sessions},
    away::AwayCard,
    identity::identity_facts,
    keys::KeysCard,
    tokens::TokensCard,
};
use crate::{
    caller_view::{Viewer, use_viewer},
    components::{
        Button, ButtonKind, Card, Cell, CellPlace, Column, ConfirmDialog, DataTable, ErrorNotice, Fact, Facts, Moment, Notice, PageHead, Row,
        Skeleton, TextField,
    },
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language,
    layout::{LanguageSwitch, ThemeSwitch},
    people::words::{device_text, roles_text},
};

#[component]
pub fn AccountPage() -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    let failed = flash("password");
    let renamed = flash("rename");
    let parting = flash("identity");
    let posts = Resource::new(|| (), |()| posts());
    let identity = Resource::new(|| (), |()| identity());
    let sessions = Resource::new(|| (), |()| sessions());
    let query = use_query_map();
    let done = move || query.with(|query| query.get("done").as_deref() == Some("password"));
    view! {
        <PageHead title=td_string!(language, account.title)/>
        {move || done().then(|| view! {
            <Notice title=td_string!(language, account.password_changed)>{td_string!(language, account.password_changed_text)}</Notice>
        })}
        <div class="cols main-side">
            <div class="stack">
                <Suspense fallback=|| view! { <Skeleton/> }>
                    {move || Suspend::new(async move {
                        let (failed, parting) = (renamed.await, parting.await.error);
                        let posts = posts.await.unwrap_or_default();
                        let identity = identity.await.ok().flatten();
                        viewer.loaded().await.map(|person| view! { <About person posts identity failed parting/> })
                    })}
                </Suspense>
                <Suspense fallback=|| view! { <Skeleton/> }>
                    {move || sessions.get().map(|sessions| match sessions {
                        Ok(sessions) => view! { <Sessions sessions/> }.into_any(),
                        Err(error) => view! { <ErrorNotice error/> }.into_any(),
                    })}
                </Suspense>
                <AwayCard/>
                <TokensCard/>
                <KeysCard/>
            </div>
            <aside class="stack">
                <Suspense>
                    {move || Suspend::new(async move {
                        let failed = failed.await;
                        let without = identity.await.ok().flatten().is_some_and(|identity| !identity.has_password);
                        (!without).then(|| view! { <PasswordForm failed/> })
                    })}
                </Suspense>
                <Card title=td_string!(language, account.preferences)>
                    <div class="stack tight"><LanguageSwitch class="btn small"/><ThemeSwitch/></div>
                </Card>
            </aside>
        </div>
    }
}

/// Who one is here, and what one may do where.
#[component]
fn About(person: Viewer, posts: Vec<Post>, identity: Option<JoinedIdentity>, failed: Flash, parting: Option<domain::Error>) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let problem = Signal::stored(failed.problem("name").map(|problem| field_problem_text(language, problem)));
    let name = if failed.values.is_empty() { person.name.clone() } else { failed.value("name").to_owned() };
    let at_departments =
        posts.into_iter().map(|post| view! { <Fact name=post.department.name>{roles_text(language, &post.roles)}</Fact> }).collect_view();
    let at_college = if person.roles.is_empty() { td_string!(language, account.no_role).to_owned() } else { roles_text(language, &person.roles) };
    view! {
        <Card title=td_string!(language, account.about)>
            <Facts>
                <Fact name=td_string!(language, account.login)><span class="mono">{person.login}</span></Fact>
                <Fact name=person.tenant_name>{at_college}</Fact>
                {at_departments}
                {identity.map(|identity| identity_facts(language, identity))}
            </Facts>
            {parting.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
            <form class="stack tight" method="post" action=Rename::PATH>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <TextField name="name" label=td_string!(language, account.name) value=name error=problem maxlength=100/>
                <div><Button>{td_string!(language, common.save)}</Button></div>
            </form>
        </Card>
    }
    .into_any()
}

/// Where one is signed in.
#[component]
fn Sessions(sessions: Vec<SessionView>) -> impl IntoView {
    let language = language::current();
    let others = sessions.iter().any(|session| !session.current);
    let columns = vec![
        Column::text(td_string!(language, account.device)),
        Column::text(td_string!(language, account.address)),
        Column::text(td_string!(language, account.seen)),
        Column::text(""),
    ];
    let rows = sessions
        .into_iter()
        .map(|session| {
            let SessionView { id, agent, address, began_at, seen_at, current } = session;
            let end = if current {
                view! { <span class="muted">{td_string!(language, account.this_session)}</span> }.into_any()
            } else {
                view! {
                    <form method="post" action=EndSession::PATH class="inline">
                        <input type="hidden" name="id" value=id/>
                        <Button kind=ButtonKind::Quiet small=true>{td_string!(language, account.end_session)}</Button>
                    </form>
                }
                .into_any()
            };
            view! {
                <Row>
                    <Cell>
                        <div>
                            <b>{device_text(language, &agent)}</b>
                            <small>{began_at.map(|at| view! { {td_string!(language, account.began)}" "<Moment at/> })}</small>
                        </div>
                    </Cell>
                    <Cell label=td_string!(language, account.address)><span class="mono">{address}</span></Cell>
                    <Cell label=td_string!(language, account.seen)>{seen_at.map(|at| view! { <Moment at/> })}</Cell>
                    <Cell place=CellPlace::Wide>{end}</Cell>
                </Row>
            }
        })
        .collect_view();
    view! {
        <Card title=td_string!(language, account.sessions) flush=true id="sessions">
            <DataTable caption=td_string!(language, account.sessions) columns>{rows}</DataTable>
            {others.then(|| view! {
                <div class="pager">
                    <ConfirmDialog
                        id="end-others"
                        open_text=td_string!(language, account.end_others)
                        title=td_string!(language, account.end_others_title)
                        confirm_text=td_string!(language, account.end_others)
                        action=EndOtherSessions::PATH
                        small=true
                    >
                        <p>{td_string!(language, account.end_others_text)}</p>
                    </ConfirmDialog>
                </div>
            })}
        </Card>
    }
    .into_any()
}

#[component]
fn PasswordForm(failed: Flash) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let problem = move |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    view! {
        <Card title=td_string!(language, account.password)>
            <form class="stack" method="post" action=ChangePassword::PATH>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <TextField
                    name="current"
                    label=td_string!(language, account.current)
                    error=problem("current")
                    input_type="password"
                    autocomplete="current-password"
                />
                <TextField
                    name="new"
                    label=td_string!(language, account.new)
                    help=td_string!(language, account.new_help, min = domain::people::PASSWORD_MIN).to_string()
                    error=problem("new")
                    input_type="password"
                    autocomplete="new-password"
                />
                <Button kind=ButtonKind::Primary>{td_string!(language, account.change)}</Button>
            </form>
        </Card>
    }
    .into_any()
}
