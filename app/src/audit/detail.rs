//! One audit record whole: who, from where, what, the change field by field, and its place in the chain.

use domain::audit::{Chain, Listed, Who};
use leptos::prelude::*;
use leptos_router::hooks::use_params_map;

use super::{api::get, words};
use crate::{
    components::{Card, ErrorNotice, Fact, Facts, Moment, MomentStyle, PageHead, Skeleton, Status},
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn AuditEventPage() -> impl IntoView {
    let language = language::current();
    let params = use_params_map();
    let event = Resource::new(move || params.with(|params| params.get("id").unwrap_or_default()), get);
    view! {
        <Transition fallback=|| view! { <Skeleton/> }>
            {move || event.get().map(|event| match event {
                Ok(listed) => view! { <Record listed/> }.into_any(),
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
fn Record(listed: Listed) -> impl IntoView {
    let language = language::current();
    let Listed { event, seal } = listed;
    let who = words::who_text(language, &event.who);
    let login = match &event.who {
        Who::Person { login, .. } => Some(login.clone()),
        Who::System { .. } | Who::Anonymous { .. } => None,
    };
    let everything = login.as_ref().map(|login| routes::with_query(routes::AUDIT, &[("person", login)]));
    let same_object = routes::with_query(routes::AUDIT, &[("object", &event.object.label)]);
    let chain = match event.chain {
        Chain::System => td_string!(language, audit.chain_system),
        Chain::Tenant(_) => td_string!(language, audit.chain_tenant),
    };
    let change = changes(language, event.before.as_ref(), event.after.as_ref());
    view! {
        <PageHead
            title=format!("{} {}", words::action_text(language, &event.action), event.object.label)
            lead=format!("{who} · {}", words::outcome_text(language, event.outcome))
            crumb=(routes::AUDIT.to_owned(), td_string!(language, audit.title).to_owned())
        />
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
                            {event.object.kind}" "
                            {(!event.object.label.is_empty()).then(|| view! { <a class="mono" href=same_object>{event.object.label}</a> })}
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
                    {everything.map(|href| view! { <p><a href=href>{td_string!(language, audit.all_of_person)}</a></p> })}
                </Card>
                <Card title=td_string!(language, audit.change)>{change}</Card>
            </div>
            <aside class="stack">
                <Card title=td_string!(language, audit.proof)>
                    {match seal {
                        Some((seq, prev, hash)) => view! {
                            <p>{td_string!(language, audit.sealed, seq = seq, chain = chain)}</p>
                            <Facts>
                                <Fact name=td_string!(language, audit.hash)><span class="mono break">{hash.to_string()}</span></Fact>
                                <Fact name=td_string!(language, audit.prev)><span class="mono break">{prev.to_string()}</span></Fact>
                            </Facts>
                            <p class="fine">{td_string!(language, audit.verify_hint)}</p>
                        }
                        .into_any(),
                        None => view! { <p>{td_string!(language, audit.unsealed_text)}</p> }.into_any(),
                    }}
                </Card>
            </aside>
        </div>
    }
}

/// Every field of before and after, changed ones marked.
fn changes(language: Language, before: Option<&serde_json::Value>, after: Option<&serde_json::Value>) -> AnyView {
    let field = |value: Option<&serde_json::Value>, key: &str| value.and_then(|value| value.get(key)).map(plain);
    let mut keys: Vec<String> =
        [before, after].into_iter().flatten().filter_map(|value| value.as_object()).flat_map(|map| map.keys().cloned()).collect();
    keys.sort_unstable();
    keys.dedup();
    if keys.is_empty() {
        return view! { <p class="muted">{td_string!(language, audit.no_change)}</p> }.into_any();
    }
    let facts = keys
        .into_iter()
        .map(|key| {
            let (old, new) = (field(before, &key), field(after, &key));
            let value = match (old, new) {
                (Some(old), Some(new)) if old != new => view! { <span class="diff"><del>{old}</del>" → "<ins>{new}</ins></span> }.into_any(),
                (Some(old), None) if after.is_some() => view! { <span class="diff"><del>{old}</del></span> }.into_any(),
                (old, new) => view! { <span class="break">{new.or(old)}</span> }.into_any(),
            };
            view! { <Fact name=key>{value}</Fact> }
        })
        .collect_view();
    view! { <Facts>{facts}</Facts> }.into_any()
}

/// A JSON value without the quotes around a plain text.
fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}
