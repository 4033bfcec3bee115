//! The rules as cards: what, then what, how many orders, and the steps of the editor.

use std::collections::BTreeMap;

use domain::{
    approvals::{Outcome, Rule},
    money::Currency,
    policies::PolicyView,
};
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    api::EditPolicy,
    words::{outcome_text, phrases},
};
use crate::{
    components::{Button, ButtonKind, ConfirmDialog, Glyph, Icon, LinkButton, Status, StatusKind},
    i18n::td_string,
    language,
    orders::words::approver_text,
    routes,
};

#[component]
pub fn Rules(view: PolicyView) -> impl IntoView {
    let language = language::current();
    let (revision, may_write, currency) = (view.stored.revision, view.may_write, view.currency);
    let policy = view.stored.edited().clone();
    let in_force = view.stored.draft.as_ref().map(|_| view.stored.policy.rules.clone());
    let matched = view.dry_run.matched.clone();
    let count = move |number: usize| matched.get(number).copied().unwrap_or_default();
    let rest = count(policy.rules.len());
    let never: BTreeMap<usize, usize> = policy.never_matching().into_iter().collect();
    let names: Vec<_> = policy.rules.iter().map(|rule| rule.name.get(language::tag(language)).to_owned()).collect();
    let cards = (0_u32..)
        .zip(policy.rules)
        .map(|(number, rule)| {
            let new = in_force.as_ref().is_some_and(|rules| !rules.contains(&rule));
            let behind = never.get(&(number as usize)).and_then(|before| names.get(*before)).cloned();
            view! { <li><RuleCard currency rule number matched=count(number as usize) revision may_write new behind/></li> }
        })
        .collect_view();
    let manager = approver_text(language, domain::access::Role::Manager);
    view! {
        <ol class="rules">
            {cards}
            <li>
                <article class="rule-card">
                    <div class="in">
                        <h3>{td_string!(language, policies.rest)}</h3>
                        <dl class="ifthen">
                            <dt>{td_string!(language, policies.when)}</dt>
                            <dd><span class="soft">{td_string!(language, policies.rest_when)}</span></dd>
                            <dt>{td_string!(language, policies.then)}</dt>
                            <dd><Status kind=StatusKind::Wait>{manager}</Status></dd>
                        </dl>
                    </div>
                    <div class="end">
                        <b>{td_string!(language, policies.count, count = rest).to_string()}</b>
                        <span class="fine">{td_string!(language, policies.rest_fixed)}</span>
                    </div>
                </article>
            </li>
        </ol>
    }
    .into_any()
}

#[component]
fn RuleCard(
    currency: Currency,
    rule: Rule,
    number: u32,
    matched: u32,
    revision: i64,
    may_write: bool,
    new: bool,
    /// Name of an earlier rule that matches every order that this one would match.
    behind: Option<String>,
) -> impl IntoView {
    let language = language::current();
    let name = rule.name.get(language::tag(language)).to_owned();
    let (parts, word) = phrases(language, currency, &rule.when);
    let condition = parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| {
            let joint = (index > 0).then(|| view! { <span class="fine">{word}</span> });
            view! { {joint}<span class="tag">{part}</span> }
        })
        .collect_view();
    let state = match (rule.enabled, new) {
        (false, _) => Some("off"),
        (true, true) => Some("new"),
        (true, false) => None,
    };
    let figure =
        if rule.enabled { td_string!(language, policies.count, count = matched).to_string() } else { td_string!(language, policies.off).to_owned() };
    let never = behind.filter(|_| rule.enabled).map(|before| {
        let text = td_string!(language, policies.never_matches, name = before.as_str()).to_string();
        view! { <p><Status kind=StatusKind::Warn>{text}</Status></p> }
    });
    let outcome = rule.then.clone();
    let steps = may_write.then(|| view! { <Steps name=name.clone() number revision enabled=rule.enabled/> });
    view! {
        <article class="rule-card" data-st=state>
            <div class="in">
                <h3>{name}</h3>
                <dl class="ifthen">
                    <dt>{td_string!(language, policies.when)}</dt>
                    <dd>{condition}</dd>
                    <dt>{td_string!(language, policies.then)}</dt>
                    <dd><OutcomeMark outcome/></dd>
                </dl>
                {never}
            </div>
            <div class="end"><b>{figure}</b>{steps}</div>
        </article>
    }
    .into_any()
}

/// Approved, refused, or one mark for each stage.
#[component]
pub fn OutcomeMark(outcome: Outcome) -> impl IntoView {
    let language = language::current();
    match outcome {
        Outcome::Automatic => view! { <Status kind=StatusKind::Ok>{td_string!(language, policies.automatic)}</Status> }.into_any(),
        Outcome::Refuse(_) => view! { <Status kind=StatusKind::Off>{outcome_text(language, &outcome)}</Status> }.into_any(),
        Outcome::Stages(roles) => {
            let marks = roles
                .into_iter()
                .enumerate()
                .map(|(index, role)| {
                    let arrow = (index > 0).then(|| view! { <span class="muted" aria-hidden="true">"→"</span> });
                    view! { {arrow}<Status kind=StatusKind::Wait>{approver_text(language, role)}</Status> }
                })
                .collect_view();
            view! { <span class="row">{marks}</span> }.into_any()
        }
    }
}

/// The small buttons of a rule: each is a form of its own.
#[component]
fn Steps(name: String, number: u32, revision: i64, enabled: bool) -> impl IntoView {
    let language = language::current();
    let hidden = move |step: &'static str| {
        view! {
            <input type="hidden" name="step" value=step/>
            <input type="hidden" name="number" value=number.to_string()/>
            <input type="hidden" name="revision" value=revision.to_string()/>
        }
    };
    let up = td_string!(language, policies.up, name = name.as_str()).to_string();
    let down = td_string!(language, policies.down, name = name.as_str()).to_string();
    let edit = td_string!(language, policies.edit_name, name = name.as_str()).to_string();
    let (switch, text) =
        if enabled { ("disable", td_string!(language, policies.disable)) } else { ("enable", td_string!(language, policies.enable)) };
    view! {
        <span class="row rule-steps">
            <form method="post" action=EditPolicy::url()>
                {hidden("up")}
                <button class="btn small" data-kind="quiet" aria-label=up><Icon glyph=Glyph::Up small=true/></button>
            </form>
            <form method="post" action=EditPolicy::url()>
                {hidden("down")}
                <button class="btn small" data-kind="quiet" aria-label=down><Icon glyph=Glyph::Down small=true/></button>
            </form>
            <form method="post" action=EditPolicy::url()>
                {hidden(switch)}
                <Button small=true kind=ButtonKind::Quiet>{text}</Button>
            </form>
            <ConfirmDialog
                id=format!("remove-{number}")
                open_text=td_string!(language, policies.remove)
                title=td_string!(language, policies.remove_title, name = name.as_str()).to_string()
                confirm_text=td_string!(language, policies.remove)
                action=EditPolicy::url()
                kind=ButtonKind::Quiet
                small=true
            >
                <p class="soft">{td_string!(language, policies.remove_about)}</p>
                {hidden("remove")}
            </ConfirmDialog>
            <LinkButton small=true kind=ButtonKind::Quiet href=routes::policy_rule(number)>
                {td_string!(language, policies.edit)}<span class="sr">{edit}</span>
            </LinkButton>
        </span>
    }
    .into_any()
}
