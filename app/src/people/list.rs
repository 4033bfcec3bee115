//! People with their roles and courses: search, and inviting somebody.

use std::collections::BTreeSet;

use domain::{
    access::{Action, Role},
    courses::{COLLEGE, Tree},
    page::Page,
    people::{Person, PersonState},
};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::{
    access_form::{CourseBoxes, RoleBoxes, places},
    api::{InvitePerson, Query, people},
    words::{all_roles_text, role_name, state_kind, state_text},
};
use crate::{
    caller_view::use_viewer,
    components::{
        Button, ButtonKind, Card, Cell, CellPlace, Column, DataTable, EmptyState, ErrorNotice, Glyph, LinkButton, Moment, PageHead, Pager, Row,
        SelectField, Skeleton, Status, TextField,
    },
    courses::api::tree,
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language, routes,
};

#[component]
pub fn PeoplePage() -> impl IntoView {
    let language = language::current();
    let query = use_query_map();
    let asked = Memo::new(move |_| {
        query.with(|query| {
            let get = |name: &str| query.get(name).unwrap_or_default();
            Query { text: get("text"), role: get("role"), state: get("state"), after: get("after") }
        })
    });
    let found = Resource::new(move || asked.get(), people);
    let tree = Resource::new(|| (), |()| tree());
    let failed = flash("invite");
    let viewer = use_viewer();
    let may_write = move || viewer.person().is_some_and(|person| person.may_all(Action::PeopleWrite));
    view! {
        <PageHead title=td_string!(language, people.title) lead=td_string!(language, people.lead)>
            <Suspense>
                {move || may_write().then(|| view! {
                    <LinkButton href=routes::IMPORTS>{td_string!(language, people.import)}</LinkButton>
                    <LinkButton href="#invite" kind=ButtonKind::Primary>{td_string!(language, people.invite)}</LinkButton>
                })}
            </Suspense>
        </PageHead>
        <div class="cols main-side">
            <div class="stack">
                {move || view! { <Search query=asked.get()/> }}
                <Transition fallback=|| view! { <Skeleton/> }>
                    {move || found.get().map(|found| match found {
                        Ok(found) => view! { <Board found query=asked.get()/> }.into_any(),
                        Err(error) => view! { <ErrorNotice error/> }.into_any(),
                    })}
                </Transition>
            </div>
            <aside class="stack">
                <Suspense>
                    {move || {
                        let (failed, tree) = (failed.get()?, tree.get()?.ok()?);
                        may_write().then(|| view! { <Invite failed tree/> })
                    }}
                </Suspense>
            </aside>
        </div>
    }
}

#[component]
fn Search(query: Query) -> impl IntoView {
    let language = language::current();
    let roles = Role::ALL.into_iter().map(|role| (role.as_str().to_owned(), role_name(language, role).to_owned())).collect::<Vec<_>>();
    let states = PersonState::ALL.into_iter().map(|state| (state.as_str().to_owned(), state_text(language, state).to_owned())).collect::<Vec<_>>();
    view! {
        <form class="filters" method="get" action=routes::PEOPLE role="search">
            <TextField name="text" label=td_string!(language, people.find) value=query.text input_type="search" optional=true/>
            <SelectField name="role" label=td_string!(language, people.role) choices=roles value=query.role optional=true/>
            <SelectField name="state" label=td_string!(language, people.state) choices=states value=query.state optional=true/>
            <Button>{td_string!(language, people.search)}</Button>
        </form>
    }
    .into_any()
}

#[component]
fn Board(found: Page<Person>, query: Query) -> impl IntoView {
    let language = language::current();
    if found.items.is_empty() {
        return view! {
            <EmptyState glyph=Glyph::People title=td_string!(language, people.none_title) text=td_string!(language, people.none_text)>
                {query.is_narrow().then(|| view! { <LinkButton small=true href=routes::PEOPLE>{td_string!(language, people.show_all)}</LinkButton> })}
            </EmptyState>
        }
        .into_any();
    }
    let columns = vec![
        Column::text(td_string!(language, people.name)),
        Column::text(td_string!(language, people.state)),
        Column::text(td_string!(language, people.roles)),
        Column::text(td_string!(language, people.courses)),
        Column::text(td_string!(language, people.last_sign_in)),
    ];
    let older = found.next.map(|next| {
        let pairs = [("text", query.text.as_str()), ("role", query.role.as_str()), ("state", query.state.as_str()), ("after", next.as_str())];
        routes::with_query(routes::PEOPLE, &pairs)
    });
    let rows = found.items.into_iter().map(|person| view! { <PersonRow person/> }).collect_view();
    view! {
        <section class="card flush">
            <div class="body"><DataTable caption=td_string!(language, people.title) columns>{rows}</DataTable></div>
            <Pager nostrip:older=older/>
        </section>
    }
    .into_any()
}

#[component]
fn PersonRow(person: Person) -> impl IntoView {
    let language = language::current();
    let roles = all_roles_text(language, &person);
    let Person { person, courses, state, last_sign_in_at, .. } = person;
    let courses = courses.into_iter().map(|course| course.code).collect::<Vec<_>>().join(td_string!(language, common.list_comma));
    view! {
        <Row>
            <Cell><div><a href=routes::person(person.id)><b>{person.name}</b></a><small class="mono">{person.login}</small></div></Cell>
            <Cell place=CellPlace::Corner><Status kind=state_kind(state)>{state_text(language, state)}</Status></Cell>
            <Cell label=td_string!(language, people.roles)>{roles}</Cell>
            <Cell label=td_string!(language, people.courses)>{courses}</Cell>
            <Cell label=td_string!(language, people.last_sign_in)>
                {match last_sign_in_at {
                    Some(at) => view! { <Moment at/> }.into_any(),
                    None => view! { <span class="muted">{td_string!(language, people.never)}</span> }.into_any(),
                }}
            </Cell>
        </Row>
    }
    .into_any()
}

#[component]
fn Invite(failed: Flash, tree: Tree) -> impl IntoView {
    let language = language::current();
    let other = failed.other();
    let typed = failed.clone();
    let value = move |field| typed.value(field).to_owned();
    let problem = move |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    let courses = tree.courses.into_iter().filter(|placed| !placed.archived).map(|placed| placed.course).collect();
    view! {
        <Card title=td_string!(language, people.invite_title) id="invite">
            <form class="stack" method="post" action=InvitePerson::PATH>
                {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
                <p class="fine">{td_string!(language, people.invite_text)}</p>
                <TextField
                    name="login"
                    label=td_string!(language, people.login)
                    help=td_string!(language, people.login_help)
                    value=value("login")
                    error=problem("login")
                    autocomplete="off"
                />
                <TextField name="name" label=td_string!(language, people.name) value=value("name") error=problem("name") maxlength=100/>
                <SelectField
                    name="department"
                    label=td_string!(language, people.roles_where)
                    choices=places(language, &tree.departments)
                    value=Some(value("department")).filter(|chosen| !chosen.is_empty()).unwrap_or_else(|| COLLEGE.to_owned())
                    error=problem("department")
                />
                <RoleBoxes roles=BTreeSet::new() prefix="invite"/>
                <CourseBoxes member_of=Vec::new() courses/>
                <Button kind=ButtonKind::Primary>{td_string!(language, people.make_link)}</Button>
            </form>
        </Card>
    }
    .into_any()
}
