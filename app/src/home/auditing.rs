//! An auditor's part: whether the record is whole, who was refused today, what was done with power, and the searches kept.

use domain::{
    audit::{
        Listed, Outcome,
        run::{ChainCard, RunState},
    },
    dashboard::Dashboard,
};
use leptos::prelude::*;

use super::figure::Figure;
use crate::{
    audit::{filters::query_of, words},
    components::{Card, MomentStyle, Section, StatusKind, Timeline, TimelineItem, moment_text},
    i18n::td_string,
    language::Language,
    routes,
};

pub fn auditing(language: Language, page: &Dashboard) -> AnyView {
    let Some(part) = page.auditing.clone() else { return ().into_any() };
    let (state, text, note) = chain(language, &part.chain);
    let unsealed: i64 = part.chain.chains.iter().map(|chain| chain.unsealed).sum();
    let refused = routes::with_query(routes::AUDIT, &[("outcome", "refused"), ("range", "today")]);
    let actions = part.privileged.clone().into_iter().map(|listed| action(language, listed)).collect_view();
    let nothing_done = part.privileged.is_empty();
    let refused_today = part.refused_today;
    let searches = part
        .searches
        .iter()
        .map(|search| {
            let href = query_of(&search.filter).link("");
            view! { <li><a href=href>{search.name.clone()}</a></li> }
        })
        .collect_view();
    let no_searches = part.searches.is_empty();
    view! {
        <Section title=td_string!(language, home.auditing)>
            <div class="figures">
                <Figure name=td_string!(language, home.chain_state) value=text note=note href=format!("{}#chains", routes::AUDIT) state=state/>
                <Figure
                    name=td_string!(language, home.refused_today)
                    value=td_string!(language, home.times_count, count = refused_today).to_string()
                    href=refused
                />
                <Figure
                    name=td_string!(language, home.unsealed)
                    value=td_string!(language, home.records_count, count = unsealed).to_string()
                />
            </div>
        </Section>
        <div class="cols halves">
            <Card title=td_string!(language, home.privileged)>
                {nothing_done.then(|| view! { <p class="muted">{td_string!(language, home.no_privileged)}</p> })}
                <Timeline wide=true>{actions}</Timeline>
            </Card>
            <Card title=td_string!(language, home.saved_searches)>
                {no_searches.then(|| view! { <p class="muted">{td_string!(language, home.no_searches)}</p> })}
                <ul class="plain-list">{searches}</ul>
            </Card>
        </div>
    }
    .into_any()
}

fn chain(language: Language, card: &ChainCard) -> (StatusKind, String, String) {
    match &card.last {
        None => (StatusKind::Idle, td_string!(language, home.chain_never).to_owned(), String::new()),
        Some(run) => {
            let at = moment_text(run.finished_at.unwrap_or(run.asked_at), MomentStyle::Minute);
            let note = td_string!(language, home.chain_checked, at = at).to_string();
            if run.state == RunState::Broken {
                (StatusKind::Bad, td_string!(language, home.chain_broken).to_owned(), note)
            } else {
                (StatusKind::Ok, td_string!(language, home.chain_good).to_owned(), note)
            }
        }
    }
}

fn action(language: Language, Listed { event, seal: _ }: Listed) -> impl IntoView {
    let title = format!("{} {}", words::action_text(language, &event.action), event.object.label);
    let outcome = (event.outcome != Outcome::Success).then(|| format!(" · {}", words::outcome_text(language, event.outcome)));
    view! {
        <TimelineItem at=event.at kind=words::outcome_kind(event.outcome) title>
            {words::who_text(language, &event.who)}{outcome}" "<a href=routes::audit_event(event.id)>{td_string!(language, audit.record)}</a>
        </TimelineItem>
    }
}
