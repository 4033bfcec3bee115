//! The inbox, and one order beside it.

use domain::orders::OrderState;
use leptos::prelude::*;
use leptos_router::{
    hooks::{use_params_map, use_query_map},
    params::ParamsMap,
};

use super::{
    api::{FORM, Inbox, read_approval, read_inbox},
    cheaper::TAKE,
    decision::Decision,
    inbox::InboxList,
};
use crate::{
    caller_view::use_viewer,
    components::{
        ButtonKind, Card, EmptyState, ErrorNotice, Failed, Glyph, LinkButton, MomentStyle, NEWS, Notice, PageHead, Pager, Skeleton, latest,
        moment_text, use_news,
    },
    error::AppError,
    flash::flash,
    i18n::td_string,
    language::{self, Language},
    routes,
};

#[component]
pub fn ApprovalsPage() -> impl IntoView {
    let query = use_query_map();
    let after = Memo::new(move |_| query.with(|query| query.get_str("after").unwrap_or_default().to_owned()));
    let inbox = Resource::new(move || after.get(), read_inbox);
    follow(inbox);
    view! {
        <Transition fallback=|| view! { <Skeleton lines=6/> }>
            {let inbox = latest(inbox);
            move || inbox.get().map(|inbox| match inbox {
                Ok(inbox) => {
                    let done = query.with(|query| done_text(language::current(), query));
                    view! { <Waiting inbox after=after.get_untracked() done/> }.into_any()
                }
                Err(error) => view! { <Failed error/> }.into_any(),
            })}
        </Transition>
    }
    .into_any()
}

/// The inbox and the count in the navigation follow the news.
fn follow(inbox: Resource<Result<Inbox, AppError>>) {
    let viewer = use_viewer();
    use_news(NEWS.to_owned(), move || {
        inbox.refetch();
        viewer.refetch();
    });
}

/// What was just decided, as the address says.
fn done_text(language: Language, query: &ParamsMap) -> Option<String> {
    let number = |state: OrderState| query.get_str(state.as_str())?.parse::<i64>().ok();
    if let Some(number) = number(OrderState::Queued) {
        return Some(td_string!(language, approvals.done_queued, number = number).to_string());
    }
    if let Some(number) = number(OrderState::PendingApproval) {
        return Some(td_string!(language, decisions.done_passed, number = number).to_string());
    }
    if let Some(number) = number(OrderState::AwaitingRequester) {
        return Some(td_string!(language, decisions.done_proposed, number = number).to_string());
    }
    if let Some(number) = number(OrderState::Rejected) {
        return Some(td_string!(language, approvals.done_rejected, number = number).to_string());
    }
    if let Some(number) = number(OrderState::Approved) {
        return Some(td_string!(language, approvals.done_approved, number = number).to_string());
    }
    number(OrderState::Fulfilled).map(|number| td_string!(language, approvals.done_fulfilled, number = number).to_string())
}

/// How many wait, in one sentence.
fn lead(language: Language, inbox: &Inbox) -> String {
    match (inbox.page.items.len(), inbox.page.next.is_some()) {
        (0, _) => td_string!(language, approvals.lead_none).to_owned(),
        (count, true) => td_string!(language, approvals.lead_more, count = count).to_string(),
        (count, false) => td_string!(language, approvals.lead_count, count = count).to_string(),
    }
}

#[component]
fn Waiting(inbox: Inbox, after: String, done: Option<String>) -> impl IntoView {
    let language = language::current();
    let lead = lead(language, &inbox);
    let stands_in = inbox.stands_in.iter().map(|(name, until)| {
        let until = moment_text(until.plus_seconds(-1), MomentStyle::Date);
        view! { <p class="soft">{td_string!(language, decisions.stand_in_line, name = name.as_str(), until = until).to_string()}</p> }
    });
    let stands_in = stands_in.collect_view();
    let empty = inbox.page.items.is_empty();
    let older = inbox.page.next.clone().map(|next| routes::with_query(routes::APPROVALS, &[("after", &next)]));
    let newer = (!after.is_empty()).then(|| routes::APPROVALS.to_owned());
    view! {
        <PageHead title=td_string!(language, approvals.title) lead>
            <LinkButton href=routes::POLICIES kind=ButtonKind::Quiet>{td_string!(language, layout.policies)}</LinkButton>
        </PageHead>
        {done.map(|text| view! { <Notice title=text/> })}
        {stands_in}
        {if empty {
            view! {
                <EmptyState glyph=Glyph::Stamp title=td_string!(language, approvals.empty_title) text=td_string!(language, approvals.empty_text)>
                    <LinkButton small=true href=routes::ORDERS>{td_string!(language, approvals.all_orders)}</LinkButton>
                </EmptyState>
            }
            .into_any()
        } else {
            view! {
                <div class="cols main-side">
                    <div class="stack"><InboxList inbox current=None choose=true/><Pager nostrip:newer=newer nostrip:older=older/></div>
                    <Card title=td_string!(language, approvals.choose_title)>
                        <p class="soft">{td_string!(language, approvals.choose_text)}</p>
                        <p class="fine">{td_string!(language, approvals.own_note)}</p>
                    </Card>
                </div>
            }
            .into_any()
        }}
    }
    .into_any()
}

#[component]
pub fn ApprovalPage() -> impl IntoView {
    let language = language::current();
    let params = use_params_map();
    let id = Memo::new(move |_| params.with(|params| params.get_str("id").unwrap_or_default().to_owned()));
    let approval = Resource::new(move || id.get(), read_approval);
    let inbox = Resource::new(|| (), |()| read_inbox(String::new()));
    let last_try = flash(FORM);
    // The decision is not read again by itself: it must not move under the finger that decides. A stale one says so.
    follow(inbox);
    let query = use_query_map();
    let take = Memo::new(move |_| query.with(|query| query.get_str(TAKE).is_some()));
    let failed = RwSignal::new(None);
    let reload = Callback::new(move |()| approval.refetch());
    let current = move || id.get().parse().ok();
    view! {
        <Transition fallback=|| view! { <Skeleton lines=8/> }>
            {move || {
                let (approval, last_try) = (approval.get()?, last_try.get()?);
                Some(match approval {
                    Err(error) => view! { <Failed error/> }.into_any(),
                    Ok(view) => view! {
                        <PageHead
                            title=td_string!(language, approvals.title)
                            crumb=(routes::APPROVALS.to_owned(), td_string!(language, approvals.back).to_owned())
                        />
                        <div class="cols list-pane">
                            <div class="inbox-col">
                                {let inbox = latest(inbox);
                                move || inbox.get().map(|inbox| match inbox {
                                    Ok(inbox) => view! { <InboxList inbox current=current()/> }.into_any(),
                                    Err(error) => view! { <ErrorNotice error/> }.into_any(),
                                })}
                            </div>
                            <Decision view last_try failed reload take=take.get()/>
                        </div>
                    }
                    .into_any(),
                })
            }}
        </Transition>
    }
    .into_any()
}
