//! The first page after sign-in: the answer in one sentence, then the labs that are up and the courses' limits.
//! Each role sees the parts that it can act on.

use domain::{
    labs::{LabState, LabView},
    page::Page,
};
use leptos::prelude::*;

use super::api::labs;
use crate::{
    caller_view::{Viewer, use_viewer},
    components::{ButtonKind, Card, EmptyState, ErrorNotice, Glyph, LinkButton, Notice, PageHead, Section, Skeleton, Status},
    i18n::td_string,
    labs::words,
    language::{self, Language},
    quotas::meters::CourseQuotas,
    routes,
};

/// Labs shown here; the rest is behind the link.
pub const SHOWN: u32 = 6;

#[component]
pub fn HomePage() -> impl IntoView {
    let viewer = use_viewer();
    view! {
        <Suspense fallback=|| view! { <Skeleton/> }>{move || viewer.person().map(|person| view! { <Head person/> })}</Suspense>
        <div class="cols main-side">
            <div class="stack"><Labs/></div>
            <aside class="stack"><CourseQuotas/></aside>
        </div>
    }
}

#[component]
fn Head(person: Viewer) -> impl IntoView {
    let language = language::current();
    let orders = orders(&person);
    let waiting = person.pending_approvals;
    let decides = person.may(domain::access::Action::OrderDecide) && waiting > 0;
    let audits = person.has_role("auditor");
    let title = td_string!(language, home.greeting, name = person.name.as_str()).to_string();
    let lead = if decides {
        td_string!(language, home.lead_waiting, count = waiting).to_string()
    } else if orders {
        td_string!(language, home.lead_teacher).to_owned()
    } else if audits {
        td_string!(language, home.lead_auditor).to_owned()
    } else {
        td_string!(language, home.lead_operator).to_owned()
    };
    // The one thing that this person most likely came for.
    let (href, glyph, text) = if decides {
        (routes::APPROVALS, Glyph::Stamp, td_string!(language, home.decide))
    } else if orders {
        (routes::CATALOGUE, Glyph::Shelf, td_string!(language, home.order))
    } else if audits {
        (routes::AUDIT, Glyph::Shield, td_string!(language, home.search))
    } else {
        (routes::CLUSTER, Glyph::Node, td_string!(language, home.cluster))
    };
    view! {
        <PageHead title lead>
            <LinkButton href kind=ButtonKind::Primary icon=glyph>{text}</LinkButton>
        </PageHead>
    }
    .into_any()
}

/// Whether this person orders labs.
fn orders(person: &Viewer) -> bool {
    person.may(domain::access::Action::OrderSubmit)
}

/// Labs that are up or on their way.
#[component]
fn Labs() -> impl IntoView {
    let language = language::current();
    let viewer = use_viewer();
    let labs = Resource::new(|| (), |()| labs());
    view! {
        <Suspense fallback=|| view! { <Skeleton/> }>
            {move || {
                let may_order = viewer.person().is_some_and(|person| orders(&person));
                labs.get().map(|labs| match labs {
                    Err(error) => view! { <ErrorNotice error/> }.into_any(),
                    Ok(None) => view! { <Setting/> }.into_any(),
                    Ok(Some(page)) => view! {
                        <Section title=td_string!(language, home.labs)>{lab_cards(language, page, may_order)}</Section>
                    }
                    .into_any(),
                })
            }}
        </Suspense>
    }
    .into_any()
}

fn lab_cards(language: Language, page: Page<LabView>, may_order: bool) -> AnyView {
    if page.items.is_empty() {
        return view! {
            <EmptyState glyph=Glyph::Lab title=td_string!(language, home.no_labs) text=td_string!(language, home.no_labs_text)>
                {may_order.then(|| view! { <LinkButton href=routes::CATALOGUE>{td_string!(language, home.order)}</LinkButton> })}
            </EmptyState>
        }
        .into_any();
    }
    let more = page.items.len() > SHOWN as usize;
    let items = page.items.into_iter().take(SHOWN as usize).map(|view| lab(language, view)).collect_view();
    view! {
        <div class="stack tight">{items}</div>
        {more.then(|| view! { <p><a href=routes::LABS>{td_string!(language, home.all_labs)}</a></p> })}
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
