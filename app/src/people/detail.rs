//! One person: what they may do and where, their link, their sessions; disable, enable, reset.

use domain::{
    access::Role,
    courses::Tree,
    people::{LinkKind, PersonDetail, PersonState, SessionView},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::{use_params_map, use_query_map};
use serde::{Deserialize, Serialize};

use super::{
    access_form::{CourseBoxes, RoleBoxes},
    api::{DisablePerson, EnablePerson, EndSessionsOf, ReissueLink, RevokeLink, SetAccess, SetPost, person, take_link},
    words::{all_roles_text, device_text, state_kind, state_text},
};
use crate::{
    components::{
        Button, ButtonKind, Card, ConfirmDialog, CopyField, ErrorNotice, Fact, Facts, Failed, Moment, Notice, NoticeKind, PageHead, SelectField,
        Skeleton, Status,
    },
    courses::api::tree,
    error::AppError,
    flash::flash,
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn PersonPage() -> impl IntoView {
    let params = use_params_map();
    let query = use_query_map();
    let id = move || params.with(|params| params.get("id").unwrap_or_default());
    let detail = Resource::new(id, person);
    let tree = Resource::new(|| (), |()| tree());
    let failed = flash("person");
    let link = Resource::new(
        move || query.with(|query| query.get("link").unwrap_or_default()),
        |id| async move { if id.is_empty() { Ok(None) } else { take_link(id).await.map(|link| Some(Made { link })) } },
    );
    view! {
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || Suspend::new(async move {
                let (failed, link) = (failed.await, link.await.ok().flatten());
                match (detail.await, tree.await) {
                    (Ok(detail), tree) => view! { <Whole detail tree=tree.ok() error=failed.error link/> }.into_any(),
                    (Err(error), _) => view! { <Failed error/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Whole(detail: PersonDetail, tree: Option<Tree>, error: Option<domain::Error>, link: Option<Made>) -> impl IntoView {
    let language = language::current();
    let PersonDetail { person, created_at, provider, link: open, sessions, tokens, may_write, own } = detail;
    let (id, name, state) = (person.person.id.to_string(), person.person.name.clone(), person.state);
    let roles = all_roles_text(language, &person);
    let courses = person.courses.iter().map(|course| course.code.as_str()).collect::<Vec<_>>().join(td_string!(language, common.list_comma));
    let shown = link.map(|Made { link }| view! { <OneTime link/> });
    let waiting = open.map(|open| {
        let text = match open.kind {
            LinkKind::Invite => td_string!(language, people.link_waits_invite),
            LinkKind::Reset => td_string!(language, people.link_waits_reset),
        };
        view! { <Fact name=td_string!(language, people.link)>{text}" "<Moment at=open.expires_at/></Fact> }
    });
    let has_link = waiting.is_some();
    let actions = (may_write && !own).then(|| view! { <Actions id=id.clone() name=name.clone() state has_link/> });
    let forms = may_write.then(|| tree.map(|tree| view! { <Forms id=id.clone() person=person.clone() tree own/> }));
    view! {
        <PageHead title=name crumb=(routes::PEOPLE.to_owned(), td_string!(language, people.title).to_owned())/>
        {error.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
        {shown}
        <div class="cols main-side">
            <div class="stack">
                <Card title=td_string!(language, people.profile) end=move || view! { <Status kind=state_kind(state)>{state_text(language, state)}</Status> }>
                    <Facts>
                        <Fact name=td_string!(language, people.login)><span class="mono">{person.person.login}</span></Fact>
                        <Fact name=td_string!(language, people.roles)>{roles}</Fact>
                        <Fact name=td_string!(language, people.courses)>{courses}</Fact>
                        <Fact name=td_string!(language, people.since)><Moment at=created_at/></Fact>
                        <Fact name=td_string!(language, people.last_sign_in)>
                            {match person.last_sign_in_at {
                                Some(at) => view! { <Moment at/> }.into_any(),
                                None => view! { <span class="muted">{td_string!(language, people.never)}</span> }.into_any(),
                            }}
                        </Fact>
                        {provider.map(|name| {
                            let name = name.get(language::tag(language)).to_owned();
                            view! { <Fact name=td_string!(language, people.provider)>{name}</Fact> }
                        })}
                        {waiting}
                        {may_write.then(|| view! { <Fact name=td_string!(language, people.tokens)>{tokens.to_string()}</Fact> })}
                    </Facts>
                </Card>
                {forms}
            </div>
            <aside class="stack">
                {actions}
                {may_write.then(|| view! { <Sessions id sessions/> })}
            </aside>
        </div>
    }
    .into_any()
}

/// A link was made; `None` when it can be shown no more. With a name, since a bare `None` inside reads back as nothing made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Made {
    link: Option<String>,
}

/// The link, this once.
#[component]
fn OneTime(link: Option<String>) -> impl IntoView {
    let language = language::current();
    match link {
        Some(link) => view! {
            <Notice kind=NoticeKind::Warn title=td_string!(language, people.link_once) id="one-time-link">
                {td_string!(language, people.link_once_text)}
                <CopyField label=td_string!(language, people.link) text=link/>
            </Notice>
        }
        .into_any(),
        None => view! {
            <Notice title=td_string!(language, people.link_gone)>{td_string!(language, people.link_gone_text)}</Notice>
        }
        .into_any(),
    }
}

#[component]
fn Actions(id: String, name: String, state: PersonState, has_link: bool) -> impl IntoView {
    let language = language::current();
    let link_text = match state {
        PersonState::Invited => td_string!(language, people.link_again),
        _ => td_string!(language, people.reset),
    };
    let (to_link, to_revoke) = (id.clone(), id.clone());
    let switch = if state == PersonState::Disabled {
        view! {
            <form method="post" action=EnablePerson::PATH>
                <input type="hidden" name="id" value=id/>
                <Button>{td_string!(language, people.enable)}</Button>
            </form>
        }
        .into_any()
    } else {
        let title = td_string!(language, people.disable_title, name = name.as_str()).to_string();
        view! {
            <ConfirmDialog
                id="disable"
                open_text=td_string!(language, people.disable)
                title
                confirm_text=td_string!(language, people.disable)
                action=DisablePerson::PATH
            >
                <input type="hidden" name="id" value=id/>
                <p>{td_string!(language, people.disable_text)}</p>
            </ConfirmDialog>
        }
        .into_any()
    };
    view! {
        <Card title=td_string!(language, people.actions)>
            <div class="stack">
                {(state != PersonState::Disabled).then(|| view! {
                    <form method="post" action=ReissueLink::PATH class="stack tight">
                        <input type="hidden" name="id" value=to_link/>
                        <Button>{link_text}</Button>
                        <p class="help">{td_string!(language, people.link_help)}</p>
                    </form>
                })}
                {has_link.then(|| view! {
                    <form method="post" action=RevokeLink::PATH>
                        <input type="hidden" name="id" value=to_revoke/>
                        <Button kind=ButtonKind::Quiet>{td_string!(language, people.revoke_link)}</Button>
                    </form>
                })}
                {switch}
            </div>
        </Card>
    }
    .into_any()
}

#[component]
fn Forms(id: String, person: domain::people::Person, tree: Tree, own: bool) -> impl IntoView {
    let language = language::current();
    let fixed = (own && person.roles.contains(&Role::Administrator)).then_some(Role::Administrator);
    let courses = tree.courses.into_iter().filter(|placed| !placed.archived).map(|placed| placed.course).collect();
    let posts = person
        .posts
        .into_iter()
        .map(|post| {
            let place = post.department.id.to_string();
            view! {
                <form class="stack" method="post" action=SetPost::PATH>
                    <input type="hidden" name="id" value=id.clone()/>
                    <input type="hidden" name="department" value=place.clone()/>
                    <h3>{post.department.name}</h3>
                    <RoleBoxes roles=post.roles prefix=place/>
                    <div><Button>{td_string!(language, common.save)}</Button></div>
                </form>
            }
        })
        .collect_view();
    let choices: Vec<_> = tree.departments.iter().map(|department| (department.id.to_string(), department.name.clone())).collect();
    let new = (!choices.is_empty()).then(|| {
        view! {
            <form class="stack" method="post" action=SetPost::PATH>
                <input type="hidden" name="id" value=id.clone()/>
                <SelectField name="department" label=td_string!(language, people.department) choices/>
                <RoleBoxes roles=[Role::Manager].into() prefix="new"/>
                <div><Button>{td_string!(language, people.add_post)}</Button></div>
            </form>
        }
    });
    view! {
        <Card title=td_string!(language, people.at_college)>
            <form class="stack" method="post" action=SetAccess::PATH>
                <input type="hidden" name="id" value=id.clone()/>
                <RoleBoxes roles=person.roles prefix="college" fixed/>
                <CourseBoxes member_of=person.courses courses/>
                <div><Button kind=ButtonKind::Primary>{td_string!(language, common.save)}</Button></div>
            </form>
        </Card>
        <Card title=td_string!(language, people.at_departments)>
            <p class="fine">{td_string!(language, people.at_departments_text)}</p>
            {posts}
            {new}
        </Card>
    }
    .into_any()
}

#[component]
fn Sessions(id: String, sessions: Vec<SessionView>) -> impl IntoView {
    let language = language::current();
    let any = !sessions.is_empty();
    let items = sessions.into_iter().map(|session| session_item(language, session)).collect_view();
    view! {
        <Card title=td_string!(language, people.sessions)>
            {if any {
                view! {
                    <ul class="plain-list">{items}</ul>
                    <ConfirmDialog
                        id="end-sessions"
                        open_text=td_string!(language, people.end_sessions)
                        title=td_string!(language, people.end_sessions_title)
                        confirm_text=td_string!(language, people.end_sessions)
                        action=EndSessionsOf::PATH
                    >
                        <input type="hidden" name="id" value=id/>
                        <p>{td_string!(language, people.end_sessions_text)}</p>
                    </ConfirmDialog>
                }
                .into_any()
            } else {
                view! { <p class="muted">{td_string!(language, people.no_sessions)}</p> }.into_any()
            }}
        </Card>
    }
    .into_any()
}

/// Device, address and when it was last used.
pub(crate) fn session_item(language: Language, session: SessionView) -> impl IntoView {
    let SessionView { agent, address, seen_at, .. } = session;
    view! {
        <li>
            <b>{device_text(language, &agent)}</b>
            <div class="fine">
                {address.map(|address| view! { <span class="mono">{address}</span>" · " })}
                {seen_at.map(|at| view! { <Moment at/> })}
            </div>
        </li>
    }
}
