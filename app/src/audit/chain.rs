//! The state of the chains: how far they are sealed, whether they were found whole, and asking for another look.

use domain::audit::{
    Broken, Chain,
    run::{ChainCard, ChainResult, Run, RunState},
};
use leptos::{form::ActionForm, prelude::*};

use super::api::VerifyAudit;
use crate::{
    components::{Button, Card, Fact, Facts, Glyph, Icon, Meter, MomentStyle, Notice, NoticeKind, Status, StatusKind, moment_text},
    i18n::td_string,
    language::{self, Language},
};

pub fn chain_text(language: Language, chain: Chain) -> &'static str {
    match chain {
        Chain::System => td_string!(language, audit.chain_system),
        Chain::Tenant(_) => td_string!(language, audit.chain_tenant),
    }
}

fn broken_text(language: Language, broken: &Broken) -> String {
    match broken {
        Broken::Gap { expected, found } => td_string!(language, audit_tools.broken_gap, expected = *expected, found = *found).to_string(),
        Broken::WrongPrev { seq, .. } => td_string!(language, audit_tools.broken_prev, seq = *seq).to_string(),
        Broken::Changed { seq, .. } => td_string!(language, audit_tools.broken_changed, seq = *seq).to_string(),
        Broken::Truncated { expected, found } => td_string!(language, audit_tools.broken_truncated, expected = *expected, found = *found).to_string(),
        Broken::Unreadable { seq, .. } => td_string!(language, audit_tools.broken_unreadable, seq = *seq).to_string(),
        Broken::Empty => td_string!(language, audit_tools.broken_empty).to_owned(),
        Broken::Unguarded { trigger } => td_string!(language, audit_tools.broken_unguarded, trigger = trigger.as_str()).to_string(),
        Broken::Unindexed { id } => td_string!(language, audit_tools.broken_unindexed, id = id.as_str()).to_string(),
        Broken::Unrecorded { kind, id } => td_string!(language, audit_tools.broken_unrecorded, kind = kind.as_str(), id = id.as_str()).to_string(),
        Broken::Shorter { checked, found } => td_string!(language, audit_tools.broken_shorter, checked = *checked, found = *found).to_string(),
        Broken::Missing => td_string!(language, audit_tools.broken_missing).to_owned(),
        Broken::Misrecorded { id } => td_string!(language, audit_tools.broken_misrecorded, id = id.as_str()).to_string(),
    }
}

/// The shield beside the title: whole, broken, or not looked at yet.
#[component]
pub fn ProofMark(card: ChainCard) -> impl IntoView {
    let language = language::current();
    let (state, glyph, text) = match &card.last {
        None => (Some("idle"), Glyph::Shield, td_string!(language, audit_tools.chain_never)),
        Some(run) if run.state == RunState::Broken => (Some("bad"), Glyph::StatusBad, td_string!(language, audit_tools.chain_broken)),
        Some(_) => (None, Glyph::Shield, td_string!(language, audit_tools.chain_good)),
    };
    view! { <a class="proof" data-st=state href="#chains" rel="external"><Icon glyph small=true/>{text}</a> }.into_any()
}

#[component]
pub fn Chains(card: ChainCard, verify: ServerAction<VerifyAudit>) -> impl IntoView {
    let language = language::current();
    let ChainCard { chains, last, current } = card;
    let facts = chains
        .into_iter()
        .map(|chain| {
            let head = chain.head.to_string();
            let short = format!("{}…{}", &head[..8], &head[56..]);
            let sealed = td_string!(language, audit_tools.chain_records, count = chain.sealed).to_string();
            let unsealed = (chain.unsealed > 0).then(|| format!("{} {}", td_string!(language, audit_tools.chain_unsealed), chain.unsealed));
            view! {
                <Fact name=chain_text(language, chain.chain)>
                    {sealed}
                    {unsealed.map(|text| view! { <small class="muted">" · "{text}</small> })}
                    <br/>
                    <small class="mono" title=head>{short}</small>
                </Fact>
            }
        })
        .collect_view();
    let running = current.is_some();
    let state = last.as_ref().map(|run| run.state);
    view! {
        <Card title=td_string!(language, audit_tools.chain) id="chains" end=move || view! { <Mark state/> }>
            <Outcome last/>
            <Facts>{facts}</Facts>
            {match current {
                Some(run) => view! { <Progress run/> }.into_any(),
                None => {
                    view! {
                        <ActionForm action=verify>
                            <Button small=true icon=Glyph::Shield busy=verify.pending()>{td_string!(language, audit_tools.verify)}</Button>
                        </ActionForm>
                    }
                    .into_any()
                }
            }}
            <p class="fine">{td_string!(language, audit_tools.chain_limits)}</p>
            <p class="fine" aria-live="polite">{running.then(|| td_string!(language, audit_tools.verify_running))}</p>
        </Card>
    }
    .into_any()
}

#[component]
fn Mark(state: Option<RunState>) -> impl IntoView {
    let language = language::current();
    match state {
        Some(RunState::Broken) => view! { <Status kind=StatusKind::Bad>{td_string!(language, audit_tools.chain_broken)}</Status> }.into_any(),
        Some(_) => view! { <Status kind=StatusKind::Ok>{td_string!(language, audit_tools.chain_good)}</Status> }.into_any(),
        None => view! { <Status kind=StatusKind::Idle>{td_string!(language, audit_tools.chain_never)}</Status> }.into_any(),
    }
}

/// When it was looked at, by whom, and what was found.
#[component]
fn Outcome(last: Option<Run>) -> impl IntoView {
    let language = language::current();
    let run = last?;
    let at = moment_text(run.finished_at.unwrap_or(run.asked_at), MomentStyle::Minute);
    let name = run.asked_by.name.clone();
    Some(if run.state == RunState::Broken {
        let found = run
            .chains
            .iter()
            .filter_map(|ChainResult { chain, broken, .. }| {
                let text = broken_text(language, broken.as_ref()?);
                let chain = td_string!(language, audit_tools.broken_at, chain = chain_text(language, *chain)).to_string();
                Some(view! { <li>{chain}{text}</li> })
            })
            .collect_view();
        view! {
            <Notice kind=NoticeKind::Bad title=td_string!(language, audit_tools.chain_broken)>
                {td_string!(language, audit_tools.chain_broken_text)}
                <ul class="plain-list">{found}</ul>
                <span class="fine">{format!("{at} · {name}")}</span>
            </Notice>
        }
        .into_any()
    } else {
        view! { <p class="soft">{td_string!(language, audit_tools.chain_good_text, at = at, name = name, count = run.checked).to_string()}</p> }
            .into_any()
    })
}

#[component]
fn Progress(run: Run) -> impl IntoView {
    let language = language::current();
    if run.state == RunState::Waiting {
        return view! { <p class="soft">{td_string!(language, audit_tools.verify_waiting)}</p> }.into_any();
    }
    let figure = td_string!(language, audit_tools.verify_progress, checked = run.checked, total = run.total).to_string();
    let by = td_string!(language, audit_tools.verify_by, name = run.asked_by.name).to_string();
    view! { <Meter label=td_string!(language, audit_tools.verify_running) figure used=run.checked limit=run.total.max(1) note=by/> }.into_any()
}
