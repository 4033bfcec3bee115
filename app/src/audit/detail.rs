//! One audit record whole: who, from where, what, before and after, its place in the chain and how its hash is made.

use domain::audit::{Inspected, Who};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{
    api::{Query, get},
    chain::chain_text,
    change::changes,
    words,
};
use crate::{
    components::{
        Card, CopyButton, ErrorNotice, Fact, Facts, Glyph, Icon, Moment, MomentStyle, Notice, NoticeKind, PageHead, Skeleton, Status, StatusKind,
    },
    i18n::td_string,
    language, routes,
};

#[component]
pub fn AuditEventPage() -> impl IntoView {
    let language = language::current();
    let params = use_params_map();
    let event = Resource::new(move || params.with(|params| params.get("id").unwrap_or_default()), get);
    view! {
        <Transition fallback=|| view! { <Skeleton/> }>
            {move || event.get().map(|event| match event {
                Ok(record) => view! { <Record record/> }.into_any(),
                Err(error) => {
                    view! {
                        <PageHead title=td_string!(language, audit.title) crumb=(routes::AUDIT.to_owned(), td_string!(language, audit.title).to_owned())/>
                        <ErrorNotice error/>
                    }
                    .into_any()
                }
            })}
        </Transition>
    }
}

#[component]
fn Record(record: Inspected) -> impl IntoView {
    let language = language::current();
    let Inspected { listed, before, after, canonical, intact } = record.clone();
    let event = listed.event;
    let who = words::who_text(language, &event.who);
    let login = match &event.who {
        Who::Person { login, .. } => Some(login.clone()),
        Who::System { .. } | Who::Anonymous { .. } => None,
    };
    let timeline = |query: Query| Query { view: "timeline".into(), ..query }.link("");
    let everything = login.clone().map(|person| timeline(Query { person, ..Query::default() }));
    let same_object = timeline(Query { object: event.object.label.clone(), ..Query::default() });
    let has_object = !event.object.label.is_empty();
    let change = changes(language, event.before.as_ref(), event.after.as_ref());
    let neighbour = |id: Option<domain::ids::AuditEventId>| id.map(routes::audit_event);
    let (before, after) = (neighbour(before), neighbour(after));
    view! {
        <PageHead
            title=format!("{} {}", words::action_text(language, &event.action), event.object.label)
            lead=format!("{who} · {}", words::outcome_text(language, event.outcome))
            crumb=(routes::AUDIT.to_owned(), td_string!(language, audit.title).to_owned())
        >
            {(before.is_some() || after.is_some()).then(|| view! {
                <nav class="row" aria-label=td_string!(language, audit_tools.neighbours)>
                    {before.map(|href| view! {
                        <a class="btn small" href=href rel="prev"><Icon glyph=Glyph::Left small=true/>{td_string!(language, audit_tools.previous)}</a>
                    })}
                    {after.map(|href| view! {
                        <a class="btn small" href=href rel="next">{td_string!(language, audit_tools.next)}<Icon glyph=Glyph::Right small=true/></a>
                    })}
                </nav>
            })}
        </PageHead>
        {(intact == Some(false)).then(|| view! { <Notice kind=NoticeKind::Bad title=td_string!(language, audit_tools.not_intact)/> })}
        <div class="cols main-side">
            <div class="stack">
                <Card title=td_string!(language, audit.record)>
                    <Facts>
                        <Fact name=td_string!(language, audit.when)><Moment at=event.at style=MomentStyle::Second/></Fact>
                        <Fact name=td_string!(language, audit.who)>
                            {who}{login.map(|login| view! { " " <span class="mono muted">{login}</span> })}
                        </Fact>
                        <Fact name=td_string!(language, audit.what)><span class="mono">{event.action}</span></Fact>
                        <Fact name=td_string!(language, audit.source)>
                            {words::via_text(language, event.via)}
                            {event.address.map(|address| view! { " · " <span class="mono">{address}</span> })}
                        </Fact>
                        <Fact name=td_string!(language, audit.object)>
                            {event.object.kind}" "<span class="mono">{event.object.label}</span>
                        </Fact>
                        <Fact name=td_string!(language, audit.outcome)>
                            <Status kind=words::outcome_kind(event.outcome)>{words::outcome_text(language, event.outcome)}</Status>
                            {event.code.map(|code| view! { " " <span class="mono">{code}</span> })}
                        </Fact>
                        {(event.count > 1).then(|| view! {
                            <Fact name=td_string!(language, audit.attempts)>{event.count}</Fact>
                        })}
                        {event.request_id.map(|id| view! {
                            <Fact name=td_string!(language, audit.request)><span class="mono">{id}</span></Fact>
                        })}
                        <Fact name=td_string!(language, audit.id)><span class="mono">{event.id.to_string()}</span></Fact>
                    </Facts>
                    <p class="row">
                        {everything.map(|href| view! { <a href=href>{td_string!(language, audit_tools.person_timeline)}</a> })}
                        {has_object.then(|| view! { <a href=same_object>{td_string!(language, audit_tools.same_object)}</a> })}
                    </p>
                </Card>
                <section class="card flush">
                    <div class="head"><h2>{td_string!(language, audit.change)}</h2></div>
                    <div class="body">{change}</div>
                </section>
            </div>
            <aside class="stack"><Proof record canonical/></aside>
        </div>
    }
}

/// Its place, its hash and the bytes that were hashed.
#[component]
fn Proof(record: Inspected, canonical: String) -> impl IntoView {
    let language = language::current();
    let chain = chain_text(language, record.listed.event.chain);
    let Some((seq, prev, hash)) = record.listed.seal else {
        return view! { <Card title=td_string!(language, audit.proof)><p>{td_string!(language, audit.unsealed_text)}</p></Card> }.into_any();
    };
    let intact = record.intact.unwrap_or_default();
    view! {
        <Card title=td_string!(language, audit.proof)>
            <p>{td_string!(language, audit.sealed, seq = seq, chain = chain)}</p>
            {if intact {
                view! { <Status kind=StatusKind::Ok>{td_string!(language, audit_tools.intact)}</Status> }.into_any()
            } else {
                view! { <Status kind=StatusKind::Bad>{td_string!(language, audit_tools.not_intact)}</Status> }.into_any()
            }}
            <Facts>
                <Fact name=td_string!(language, audit.hash)><span class="mono break">{hash.to_string()}</span></Fact>
                <Fact name=td_string!(language, audit.prev)><span class="mono break">{prev.to_string()}</span></Fact>
            </Facts>
            <div class="folds">
                <details>
                    <summary><Icon glyph=Glyph::Right/><span>{td_string!(language, audit_tools.how)}</span></summary>
                    <div class="in">
                        <p class="soft">{td_string!(language, audit_tools.how_text)}</p>
                        <div class="row between">
                            <b>{td_string!(language, audit_tools.canonical)}</b>
                            <CopyButton text=canonical.clone()/>
                        </div>
                        <pre class="listing" tabindex="0" role="region" aria-label=td_string!(language, audit_tools.canonical)>{canonical}</pre>
                    </div>
                </details>
            </div>
            <p class="fine">{td_string!(language, audit.verify_hint)}</p>
        </Card>
    }
    .into_any()
}
