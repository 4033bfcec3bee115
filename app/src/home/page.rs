//! The first page after sign-in: the answer in one sentence, then the labs that are up and the courses' limits.
//! Each role sees the parts that it can act on.

use domain::labs::{LabState, LabView};
use leptos::prelude::*;

use crate::{
    caller_view::{Viewer, use_viewer},
    components::{ButtonKind, Card, EmptyState, ErrorNotice, Glyph, LinkButton, Notice, PageHead, Section, Skeleton, Status},
    i18n::*,
    labs::{api::list_labs, words},
    language::{self, Language},
    quotas::meters::CourseQuotas,
    routes,
};

/// Labs shown here; the rest is behind the link.
const SHOWN: usize = 6;

#[component]
pub fn HomePage() -> impl IntoView {
    let viewer = use_viewer();
    view! {
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || viewer.person().map(|person| view! { <Today person/> })}
        </Suspense>
    }
}

#[component]
fn Today(person: Viewer) -> impl IntoView {
    let language = language::current();
    let orders = person.has_role("teacher") || person.has_role("manager");
    let sees_labs = orders || person.has_role("operator");
    let waiting = person.pending_approvals;
    let decides = person.has_role("manager");
    let audits = person.has_role("auditor");
    let runs = person.has_role("operator") || person.has_role("administrator");
    let title = td_string!(language, home.greeting, name = person.name.as_str()).to_string();
    let lead = if decides && waiting > 0 {
        td_string!(language, home.lead_waiting, count = waiting).to_string()
    } else if orders {
        td_string!(language, home.lead_teacher).to_owned()
    } else if audits {
        td_string!(language, home.lead_auditor).to_owned()
    } else {
        td_string!(language, home.lead_operator).to_owned()
    };
    view! {
        <PageHead title lead>
            {(decides && waiting > 0).then(|| view! {
                <LinkButton href=routes::APPROVALS kind=ButtonKind::Primary icon=Glyph::Stamp>{td_string!(language, home.decide)}</LinkButton>
            })}
            {(orders && !(decides && waiting > 0)).then(|| view! {
                <LinkButton href=routes::CATALOGUE kind=ButtonKind::Primary icon=Glyph::Shelf>{td_string!(language, home.order)}</LinkButton>
            })}
            {(audits && !orders).then(|| view! {
                <LinkButton href=routes::AUDIT kind=ButtonKind::Primary icon=Glyph::Shield>{td_string!(language, home.search)}</LinkButton>
            })}
            {(runs && !orders && !audits).then(|| view! {
                <LinkButton href=routes::CLUSTER kind=ButtonKind::Primary icon=Glyph::Node>{td_string!(language, home.cluster)}</LinkButton>
            })}
        </PageHead>
        <div class="cols main-side">
            <div class="stack">{sees_labs.then(|| view! { <Labs orders/> })}{(!sees_labs && !audits).then(|| view! { <Setting/> })}</div>
            <aside class="stack"><CourseQuotas/></aside>
        </div>
    }
    .into_any()
}

/// Labs that are up or on their way.
#[component]
fn Labs(orders: bool) -> impl IntoView {
    let language = language::current();
    let labs = Resource::new(|| (), |()| list_labs(String::new(), String::new()));
    view! {
        <Section title=td_string!(language, home.labs)>
            <Suspense fallback=|| view! { <Skeleton/> }>
                {move || labs.get().map(|labs| match labs {
                    Err(error) => view! { <ErrorNotice error/> }.into_any(),
                    Ok(page) if page.items.is_empty() => view! {
                        <EmptyState glyph=Glyph::Lab title=td_string!(language, home.no_labs) text=td_string!(language, home.no_labs_text)>
                            {orders.then(|| view! { <LinkButton href=routes::CATALOGUE>{td_string!(language, home.order)}</LinkButton> })}
                        </EmptyState>
                    }
                    .into_any(),
                    Ok(page) => {
                        let more = page.items.len() > SHOWN || page.next.is_some();
                        let items = page.items.into_iter().take(SHOWN).map(|view| lab(language, view)).collect_view();
                        view! {
                            <div class="stack tight">{items}</div>
                            {more.then(|| view! { <p><a href=routes::LABS>{td_string!(language, home.all_labs)}</a></p> })}
                        }
                        .into_any()
                    }
                })}
            </Suspense>
        </Section>
    }
    .into_any()
}

fn lab(language: Language, view: LabView) -> impl IntoView {
    let href = routes::lab(view.lab.id);
    let title = format!("{} · {}", view.lab.offering_name.get(language::tag(language)), view.course.name);
    let failed = view.lab.state == LabState::Failed;
    let kind = words::state_kind(view.lab.state);
    let text = StoredValue::new(words::view_text(language, &view));
    let (name, owner) = (view.lab.name, view.owner.name);
    view! {
        <Card title end=move || view! { <Status kind>{text.get_value()}</Status> }>
            <div class="row between">
                <span class="soft"><span class="mono">{name}</span>" · "{owner}</span>
                <a class="btn small" href=href>{if failed { td_string!(language, home.see_why) } else { td_string!(language, home.open) }}</a>
            </div>
        </Card>
    }
}

/// For an administrator of an installation that is still empty.
#[component]
fn Setting() -> impl IntoView {
    let language = language::current();
    view! {
        <Notice title=td_string!(language, home.setting)>{td_string!(language, home.setting_text)}</Notice>
        <div class="row">
            <LinkButton href=routes::COURSES>{td_string!(language, layout.courses)}</LinkButton>
            <LinkButton href=routes::PEOPLE>{td_string!(language, layout.people)}</LinkButton>
        </div>
    }
    .into_any()
}
