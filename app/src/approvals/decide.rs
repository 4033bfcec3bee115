//! Approve and reject: two plain forms that also work without scripts, in reach at the bottom of a phone.

use domain::{
    Error,
    catalogue::{Offering, ParameterInput},
    orders::Order,
};
use leptos::{form::ActionForm, prelude::*};
use leptos_router::hooks::use_navigate;

use super::{
    api::{Approve, Decided, Reject},
    change::ChangeForm,
    talk::AskForm,
};
use crate::{
    caller_view::use_viewer,
    components::{Button, ButtonKind, ErrorNotice, Notice, NoticeKind, TextArea, show_unfolded},
    draft,
    error::AppError,
    error_text::{field_problem_text, no_room_text},
    flash::Flash,
    i18n::td_string,
    language,
};

/// Longest reason, in characters.
const REASON_MAX: u32 = 500;

#[component]
pub fn DecideBar(
    order: Order,
    /// The requester left the course, so the order can only be rejected.
    left: bool,
    /// The version that was ordered; without it nothing can be changed.
    offering: Option<Offering>,
    /// The cheaper way, if its link was followed.
    taken: ParameterInput,
    last_try: Flash,
    /// Outlives this bar, which is drawn anew when the order is read again.
    failed: RwSignal<Option<Error>>,
    reload: Callback<()>,
) -> impl IntoView {
    let language = language::current();
    let approve = ServerAction::<Approve>::new();
    let reject = ServerAction::<Reject>::new();
    let before = last_try.error.clone();
    let refusal = Signal::derive(move || failed.get().or_else(|| before.clone()));
    follow(approve.value().into(), failed, reload);
    follow(reject.value().into(), failed, reload);
    let reason_error = Signal::derive(move || match refusal.get() {
        Some(Error::Invalid(problems)) => problems.iter().find(|each| each.field == "reason").map(|each| field_problem_text(language, &each.problem)),
        _ => None,
    });
    let reject_open = !last_try.value("reason").is_empty() || last_try.problem("reason").is_some();
    let question_error =
        last_try.problem("text").filter(|_| last_try.value("change").is_empty()).map(|problem| field_problem_text(language, problem));
    let question = last_try.value("question").to_owned();
    let ask_id = order.id.to_string();
    let change = offering.filter(|_| !left).map(|offering| view! { <ChangeForm order=order.clone() offering last_try=last_try.clone() taken/> });
    // Both forms carry what was looked at.
    let seen = StoredValue::new((order.id.to_string(), order.version.to_string()));
    let hidden = move || {
        let (id, version) = seen.get_value();
        view! {
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="seen_version" value=version/>
        }
    };
    let typed_reason = last_try.value("reason").to_owned();
    let busy = Signal::derive(move || approve.pending().get() || reject.pending().get());
    view! {
        <div class="decide">
            {(!left).then(|| view! {
                <ActionForm action=approve>
                    {hidden()}
                    <Button kind=ButtonKind::Primary busy>{td_string!(language, approvals.approve)}</Button>
                </ActionForm>
            })}
            {change}
            <details class="more" open=reject_open on:toggle=|event| show_unfolded(&event)>
                <summary class="btn" data-kind="danger">{td_string!(language, approvals.reject)}</summary>
                <ActionForm action=reject attr:class="stack tight" attr:novalidate=true>
                    {hidden()}
                    <TextArea
                        name="reason"
                        label=td_string!(language, approvals.reject_reason)
                        value=typed_reason
                        help=td_string!(language, approvals.reject_help)
                        error=reason_error
                        maxlength=REASON_MAX
                        rows=2
                    />
                    <div class="actions"><Button kind=ButtonKind::DangerSolid busy>{td_string!(language, approvals.reject_confirm)}</Button></div>
                </ActionForm>
            </details>
            <AskForm id=ask_id typed=question error=Signal::derive(move || question_error.clone())/>
            <span class="fine desk-only">{td_string!(language, approvals.footnote)}</span>
        </div>
    }
    .into_any()
}

/// Why the last try came to nothing; problems with the reason stand at its field instead.
#[component]
pub fn Refused(last_try: Option<Error>, failed: RwSignal<Option<Error>>) -> impl IntoView {
    let language = language::current();
    move || {
        failed.get().or_else(|| last_try.clone()).filter(|error| !matches!(error, Error::Invalid(_))).map(|error| match error {
            Error::Stale | Error::InvalidTransition { .. } => {
                view! { <Notice kind=NoticeKind::Warn title=td_string!(language, approvals.stale_title)/> }.into_any()
            }
            Error::OverCapacity { asked, free, why } => {
                let title = no_room_text(language, asked, free, why);
                view! { <Notice kind=NoticeKind::Bad title>{td_string!(language, approvals.no_room_advice)}</Notice> }.into_any()
            }
            error => view! { <ErrorNotice error=AppError(error)/> }.into_any(),
        })
    }
}

/// Back to the inbox once it is decided; on a refusal the newest state of the order, and why.
fn follow(answer: Signal<Option<Result<Decided, AppError>>>, failed: RwSignal<Option<Error>>, reload: Callback<()>) {
    let navigate = use_navigate();
    let viewer = use_viewer();
    Effect::new(move |_| match answer.get() {
        Some(Ok(decided)) => {
            viewer.refetch();
            draft::forget();
            navigate(&decided.then(), leptos_router::NavigateOptions { replace: true, ..Default::default() });
        }
        Some(Err(AppError(error))) => {
            if matches!(error, Error::Stale | Error::InvalidTransition { .. }) {
                reload.run(());
            }
            failed.set(Some(error));
        }
        None => {}
    });
}
