//! People with their roles and courses; add, change, disable.

use domain::{courses::CourseRef, people::Person};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::{
    api::{DisablePerson, EnablePerson, courses, people},
    person_form::{AccessForm, NewPersonForm},
};
use crate::{
    components::{
        Button, ButtonKind, Cell, CellPlace, Column, ConfirmDialog, DataTable, ErrorNotice, LinkButton, Moment, PageHead, Row, Skeleton, Status,
        StatusKind,
    },
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
    orders::words::role_text,
    routes,
};

#[component]
pub fn PeoplePage() -> impl IntoView {
    let language = language::current();
    let people = Resource::new(|| (), |()| people());
    let courses = Resource::new(|| (), |()| courses());
    let failed = flash("person");
    let query = use_query_map();
    view! {
        <PageHead title=td_string!(language, admin.people) lead=td_string!(language, admin.people_lead)/>
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || Suspend::new(async move {
                let failed = failed.await;
                match (people.await, courses.await) {
                    (Ok(people), Ok(courses)) => {
                        let edited = query.with_untracked(|query| query.get("edit"));
                        view! { <Board people courses failed edited/> }.into_any()
                    }
                    (Err(error), _) | (_, Err(error)) => view! { <ErrorNotice error/> }.into_any(),
                }
            })}
        </Suspense>
    }
}

#[component]
fn Board(people: Vec<Person>, courses: Vec<CourseRef>, failed: Flash, edited: Option<String>) -> impl IntoView {
    let language = language::current();
    let edited = edited.and_then(|id| people.iter().find(|person| person.person.id.to_string() == id).cloned());
    let columns = vec![
        Column::text(td_string!(language, admin.name)),
        Column::text(td_string!(language, admin.state)),
        Column::text(td_string!(language, admin.roles)),
        Column::text(td_string!(language, admin.courses)),
        Column::text(td_string!(language, admin.last_sign_in)),
        Column::text(""),
    ];
    let rows = people.into_iter().map(|person| row(language, person)).collect_view();
    view! {
        <div class="cols main-side">
            <section class="card flush">
                <div class="body"><DataTable caption=td_string!(language, admin.people) columns>{rows}</DataTable></div>
            </section>
            <aside class="stack">
                {match edited {
                    Some(person) => view! { <AccessForm person courses/> }.into_any(),
                    None => view! { <NewPersonForm failed courses/> }.into_any(),
                }}
            </aside>
        </div>
    }
    .into_any()
}

fn row(language: Language, person: Person) -> impl IntoView {
    let Person { person, roles, courses, disabled, last_sign_in_at } = person;
    let id = person.id.to_string();
    let roles = roles.into_iter().map(|role| role_text(language, role)).collect::<Vec<_>>().join(td_string!(language, common.list_comma));
    let courses = courses.into_iter().map(|course| course.code).collect::<Vec<_>>().join(td_string!(language, common.list_comma));
    let edit = routes::with_query(routes::PEOPLE, &[("edit", &id)]);
    let switch = if disabled {
        view! {
            <form method="post" action=EnablePerson::PATH class="inline">
                <input type="hidden" name="id" value=id/>
                <Button small=true>{td_string!(language, admin.enable)}</Button>
            </form>
        }
        .into_any()
    } else {
        let title = td_string!(language, admin.disable_title, name = person.name.as_str()).to_string();
        view! {
            <ConfirmDialog
                id=format!("disable-{}", person.login)
                open_text=td_string!(language, admin.disable)
                title
                confirm_text=td_string!(language, admin.disable)
                action=DisablePerson::PATH
                kind=ButtonKind::Quiet
                small=true
            >
                <input type="hidden" name="id" value=id/>
                <p>{td_string!(language, admin.disable_text)}</p>
            </ConfirmDialog>
        }
        .into_any()
    };
    view! {
        <Row>
            <Cell><div>{person.name}<small class="mono">{person.login}</small></div></Cell>
            <Cell place=CellPlace::Corner>
                {if disabled {
                    view! { <Status kind=StatusKind::Off>{td_string!(language, admin.disabled)}</Status> }.into_any()
                } else {
                    view! { <Status kind=StatusKind::Ok>{td_string!(language, admin.active)}</Status> }.into_any()
                }}
            </Cell>
            <Cell label=td_string!(language, admin.roles)>{roles}</Cell>
            <Cell label=td_string!(language, admin.courses)>{courses}</Cell>
            <Cell label=td_string!(language, admin.last_sign_in)>
                {match last_sign_in_at {
                    Some(at) => view! { <Moment at/> }.into_any(),
                    None => view! { <span class="muted">{td_string!(language, admin.never)}</span> }.into_any(),
                }}
            </Cell>
            <Cell place=CellPlace::Wide>
                <div class="row">
                    <LinkButton href=edit kind=ButtonKind::Quiet small=true>{td_string!(language, admin.edit)}</LinkButton>
                    {switch}
                </div>
            </Cell>
        </Row>
    }
}
