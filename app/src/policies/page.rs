//! The rules in order with the draft's dry run beside them.

use domain::policies::PolicyView;
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    api::{DiscardPolicy, EditPolicy, PublishPolicy, STEP, read_policy},
    dry_run::{Differences, DryRunPanel},
    rules::Rules,
};
use crate::{
    components::{
        Button, ButtonKind, Card, ConfirmDialog, ErrorNotice, Failed, Glyph, LinkButton, MomentStyle, Notice, NoticeKind, PageHead, Skeleton,
        moment_text,
    },
    error::AppError,
    flash::flash,
    i18n::td_string,
    language, routes,
};

#[component]
pub fn PoliciesPage() -> impl IntoView {
    let policy = Resource::new(|| (), |()| read_policy());
    let last_try = flash(STEP);
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {move || {
                let (policy, last_try) = (policy.get()?, last_try.get()?);
                Some(match policy {
                    Ok(view) => view! { <Policy view refusal=last_try.error/> }.into_any(),
                    Err(error) => view! { <Failed error/> }.into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}

#[component]
fn Policy(view: PolicyView, refusal: Option<domain::Error>) -> impl IntoView {
    let language = language::current();
    let (version, has_draft, revision) = (view.stored.version, view.stored.draft.is_some(), view.stored.revision);
    let lead = if has_draft {
        td_string!(language, policies.lead_draft, version = version).to_string()
    } else {
        td_string!(language, policies.lead, version = version).to_string()
    };
    let may_write = view.may_write;
    let run = view.dry_run.clone();
    let publish = (may_write && has_draft).then(|| {
        view! {
            <ConfirmDialog
                id="discard"
                open_text=td_string!(language, policies.discard)
                title=td_string!(language, policies.discard_title)
                confirm_text=td_string!(language, policies.discard)
                action=DiscardPolicy::url()
                kind=ButtonKind::Quiet
            >
                <p class="soft">{td_string!(language, policies.discard_about)}</p>
                <input type="hidden" name="revision" value=revision.to_string()/>
            </ConfirmDialog>
            <ConfirmDialog
                id="publish"
                open_text=td_string!(language, policies.publish)
                title=td_string!(language, policies.publish_title, version = version + 1).to_string()
                confirm_text=td_string!(language, policies.publish)
                action=PublishPolicy::url()
                kind=ButtonKind::Primary
            >
                <p class="soft">{td_string!(language, policies.publish_about, different = run.different, orders = run.orders).to_string()}</p>
                <input type="hidden" name="revision" value=revision.to_string()/>
            </ConfirmDialog>
        }
    });
    let add_kind = if has_draft { ButtonKind::Plain } else { ButtonKind::Primary };
    let add = may_write.then(|| {
        view! { <LinkButton href=routes::policy_rule("new") icon=Glyph::Plus kind=add_kind>{td_string!(language, policies.add)}</LinkButton> }
    });
    let refusal = refusal.map(|error| match error {
        domain::Error::Stale => view! { <Notice kind=NoticeKind::Warn title=td_string!(language, policies.stale)/> }.into_any(),
        error => view! { <ErrorNotice error=AppError(error)/> }.into_any(),
    });
    let read_only = (!may_write).then(|| view! { <Notice title=td_string!(language, policies.read_only)/> });
    let same = view! { <SamePerson allowed=view.stored.edited().same_person_twice revision may_write/> };
    let versions = view! { <Versions view=view.clone()/> };
    let run = view.dry_run.clone();
    let crumb = (routes::APPROVALS.to_owned(), td_string!(language, approvals.title).to_owned());
    view! {
        <PageHead title=td_string!(language, policies.title) lead crumb>{add}{publish}</PageHead>
        {refusal}
        {read_only}
        <div class="cols main-side">
            <section class="stack">
                <h2 class="sr">{td_string!(language, policies.rules)}</h2>
                <p class="fine">{td_string!(language, policies.rules_hint)}</p>
                <Rules view/>
                <Notice title=td_string!(language, policies.note)>{td_string!(language, policies.budget_owner_note)}</Notice>
                {same}
            </section>
            <aside class="stack loose" id="dry"><DryRunPanel run=run.clone() draft=has_draft/>{versions}</aside>
        </div>
        <Differences run/>
    }
    .into_any()
}

/// Whether one person may decide two stages.
#[component]
fn SamePerson(allowed: bool, revision: i64, may_write: bool) -> impl IntoView {
    let language = language::current();
    let (about, step, text) = if allowed {
        (td_string!(language, policies.same_person_yes), "forbid", td_string!(language, policies.same_person_forbid))
    } else {
        (td_string!(language, policies.same_person_no), "allow", td_string!(language, policies.same_person_allow))
    };
    let form = may_write.then(|| {
        view! {
            <form method="post" action=EditPolicy::url()>
                <input type="hidden" name="step" value=step/>
                <input type="hidden" name="revision" value=revision.to_string()/>
                <Button small=true>{text}</Button>
            </form>
        }
    });
    view! {
        <Card title=td_string!(language, policies.same_person)>
            <div class="row between"><p class="soft">{about}</p>{form}</div>
        </Card>
    }
    .into_any()
}

#[component]
fn Versions(view: PolicyView) -> impl IntoView {
    let language = language::current();
    let items = view
        .versions
        .into_iter()
        .map(|each| {
            let title = td_string!(language, policies.version, version = each.version, rules = each.rules).to_string();
            let by = match each.published_by {
                Some(by) => td_string!(language, policies.by, name = by.name.as_str()).to_string(),
                None => td_string!(language, policies.by_installation).to_owned(),
            };
            view! { <li><b>{title}</b><small class="fine">{format!(" {} · {by}", moment_text(each.published_at, MomentStyle::Minute))}</small></li> }
        })
        .collect_view();
    view! { <Card title=td_string!(language, policies.versions)><ul class="plain-list">{items}</ul></Card> }.into_any()
}
