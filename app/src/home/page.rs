//! The first page after sign-in: the answer in one sentence, then a part for each role of the reader, the most urgent first.

use domain::dashboard::{Dashboard, Part};
use leptos::prelude::*;

use super::{
    administering::administering,
    api::dashboard,
    auditing::auditing,
    deciding::{deciding, near_budget},
    labs::{lab_cards, teaching},
    operating::operating,
};
use crate::{
    caller_view::{Viewer, use_viewer},
    components::{ButtonKind, ErrorNotice, Glyph, LinkButton, NEWS, PageHead, Section, Skeleton, Topic, latest, use_news, use_news_of},
    i18n::td_string,
    language::{self, Language},
    quotas::meters::CourseQuota,
    routes,
};

#[component]
pub fn HomePage() -> impl IntoView {
    let viewer = use_viewer();
    let page = Resource::new(|| (), |()| dashboard());
    use_news(NEWS.to_owned(), move || page.refetch());
    use_news_of(Topic::Audit, move || page.refetch());
    let reload = Callback::new(move |()| page.refetch());
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {let page = latest(page);
            move || {
                let person = viewer.person()?;
                page.get().map(|page| match page {
                    Ok(page) => view! { <Today person page reload/> }.into_any(),
                    Err(error) => view! { <ErrorNotice error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}

/// What the page says first, and the one thing that this person most likely came for.
struct Answer {
    lead: String,
    href: String,
    glyph: Glyph,
    text: &'static str,
}

fn answer(language: Language, person: &Viewer, page: &Dashboard) -> Answer {
    let of = |lead: String, href: &str, glyph, text| Answer { lead, href: href.to_owned(), glyph, text };
    let labs = page.labs.as_ref();
    // The page lists a few only: an operator has the true figures, others read that there are more.
    let counted = |state, all: Option<u32>| {
        if let Some(all) = all {
            return (all > 0).then(|| all.to_string());
        }
        let count = labs.map_or(0, |labs| labs.shown.iter().filter(|view| view.lab.state == state).count());
        let more = labs.is_some_and(|labs| labs.more);
        (count > 0).then(|| if more { td_string!(language, home.or_more, count = count).to_string() } else { count.to_string() })
    };
    let operating = page.operating.as_ref();
    let running = counted(domain::labs::LabState::Running, operating.map(|part| part.labs_running));
    let failed = counted(domain::labs::LabState::Failed, operating.map(|part| part.labs_failed));
    if page.auditing.as_ref().is_some_and(|part| part.chain.is_broken()) {
        return of(td_string!(language, home.lead_broken).to_owned(), routes::AUDIT, Glyph::Shield, td_string!(language, home.see_broken));
    }
    if let Some(part) = page.administering.as_ref().filter(|part| !part.is_set_up()) {
        let left = part.steps().iter().filter(|(_, done)| !done).count();
        let href = part.steps().iter().find(|(_, done)| !done).map_or(routes::COURSES, |(step, _)| super::administering::step_link(*step));
        let lead = td_string!(language, home.lead_setup, count = left).to_string();
        return of(lead, href, Glyph::Right, td_string!(language, home.next_step));
    }
    if let Some(part) = page.deciding.as_ref().filter(|part| part.waiting > 0) {
        let lead = td_string!(language, home.lead_waiting, count = part.waiting).to_string();
        return of(lead, routes::APPROVALS, Glyph::Stamp, td_string!(language, home.decide));
    }
    if page.operating.as_ref().is_some_and(|part| part.away_since.is_some()) {
        return of(td_string!(language, home.lead_away).to_owned(), routes::CLUSTER, Glyph::Node, td_string!(language, home.cluster));
    }
    let orders = person.may(domain::access::Action::OrderSubmit);
    let (href, glyph, text) = if orders {
        (routes::CATALOGUE, Glyph::Shelf, td_string!(language, home.order))
    } else if person.has_role("auditor") {
        (routes::AUDIT, Glyph::Shield, td_string!(language, home.search))
    } else if page.administering.is_some() {
        (routes::PEOPLE, Glyph::People, td_string!(language, home.see_people))
    } else {
        (routes::CLUSTER, Glyph::Node, td_string!(language, home.cluster))
    };
    let lead = if let Some(failed) = failed {
        td_string!(language, home.lead_failed, count = failed).to_string()
    } else if let Some(running) = running {
        td_string!(language, home.lead_running, count = running).to_string()
    } else if orders {
        td_string!(language, home.lead_teacher).to_owned()
    } else if person.has_role("auditor") {
        td_string!(language, home.lead_auditor).to_owned()
    } else if page.administering.is_some() {
        td_string!(language, home.lead_administrator).to_owned()
    } else {
        td_string!(language, home.lead_operator).to_owned()
    };
    of(lead, href, glyph, text)
}

#[component]
fn Today(person: Viewer, page: Dashboard, reload: Callback<()>) -> impl IntoView {
    let language = language::current();
    let Answer { lead, href, glyph, text } = answer(language, &person, &page);
    let title = td_string!(language, home.greeting, name = person.name.as_str()).to_string();
    let parts = page.parts().into_iter().map(|part| match part {
        Part::Teaching => teaching(language, &page),
        Part::Deciding => deciding(language, &page),
        Part::Auditing => auditing(language, &page),
        Part::Operating => operating(language, &page),
        Part::Administering => administering(language, &page),
    });
    let parts = parts.collect_view();
    // Whoever looks after every course sees those near their budget, not a meter for each.
    let many = page.teaching.is_none() || page.deciding.is_some() || page.administering.is_some();
    let quotas = if many {
        near_budget(language, &page)
    } else {
        page.quotas.iter().cloned().map(|(course, status)| view! { <CourseQuota course status/> }).collect_view().into_any()
    };
    let aside = !page.quotas.is_empty();
    let may_order = person.has_role("teacher") || person.has_role("manager");
    // Nothing to see is an invitation only to those who may order.
    let labs = page.labs.clone().filter(|labs| may_order || !labs.shown.is_empty()).map(|labs| {
        view! { <Section title=td_string!(language, home.labs)>{lab_cards(language, labs, page.now, may_order, reload)}</Section> }
    });
    view! {
        <PageHead title lead>
            <LinkButton href kind=ButtonKind::Primary icon=glyph>{text}</LinkButton>
        </PageHead>
        {if aside {
            view! {
                <div class="cols main-side">
                    <div class="stack loose">{parts}{labs}</div>
                    <aside class="stack">{quotas}</aside>
                </div>
            }
            .into_any()
        } else {
            view! { <div class="stack loose">{parts}{labs}</div> }.into_any()
        }}
    }
    .into_any()
}
