//! Changes that cost more, for the requester to agree to (C4).

use domain::orders::OrderView;
use leptos::{prelude::*, server_fn::ServerFn};

use super::{
    reply_api::{AcceptChanges, DeclineChanges},
    words::change_text,
};
use crate::{
    components::{Button, ButtonKind, Notice, NoticeKind, TextArea, show_unfolded},
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language,
};

/// Nothing while there is no proposal.
#[component]
pub fn ProposalPanel(view: OrderView, #[prop(optional)] last_try: Flash) -> impl IntoView {
    let language = language::current();
    let order = view.order;
    let proposal = order.proposal.clone()?;
    let changes = proposal.to.list(&order);
    let lines = changes.iter().map(|change| view! { <li>{change_text(language, change)}</li> }).collect_view();
    let (before, after) = (order.estimate.total.to_string(), proposal.to.estimate.total.to_string());
    let about = td_string!(language, decisions.proposal_about, before = before, after = after).to_string();
    let (kind, title) = if view.may_reply {
        (NoticeKind::Warn, td_string!(language, decisions.proposal_title))
    } else {
        (NoticeKind::Info, td_string!(language, decisions.proposal_other_title))
    };
    let forms = view.may_reply.then(|| view! { <Forms id=order.id.to_string() version=order.version last_try/> });
    let text = (!proposal.text.is_empty()).then(|| view! { <p class="read">{proposal.text.clone()}</p> });
    Some(
        view! {
            <section class="stack" id="proposal">
                <Notice kind title>
                    <ul class="plain-list">{lines}</ul>
                    {text}
                    <p class="fine">{about}</p>
                </Notice>
                {forms}
            </section>
        }
        .into_any(),
    )
}

#[component]
fn Forms(id: String, version: i64, last_try: Flash) -> impl IntoView {
    let language = language::current();
    let typed = last_try.value("text").to_owned();
    let open = last_try.error.is_some() && last_try.values.contains_key("text");
    let problem = last_try.problem("text").map(|problem| field_problem_text(language, problem));
    let hidden = StoredValue::new((id, version.to_string()));
    let fields = move || {
        let (id, version) = hidden.get_value();
        view! {
            <input type="hidden" name="id" value=id/>
            <input type="hidden" name="seen_version" value=version/>
        }
    };
    view! {
        <div class="decide">
            <form method="post" action=AcceptChanges::url()>
                {fields()}
                <Button kind=ButtonKind::Primary>{td_string!(language, decisions.accept)}</Button>
            </form>
            <details class="more" open=open on:toggle=|event| show_unfolded(&event)>
                <summary class="btn">{td_string!(language, decisions.decline)}</summary>
                <form method="post" action=format!("{}#proposal", DeclineChanges::url()) class="stack tight">
                    {fields()}
                    <TextArea
                        name="text"
                        label=td_string!(language, decisions.decline_text)
                        value=typed
                        error=Signal::stored(problem)
                        maxlength=domain::decisions::TEXT_MAX
                        optional=true
                        rows=2
                    />
                    <div class="actions"><Button>{td_string!(language, decisions.decline_confirm)}</Button></div>
                </form>
            </details>
        </div>
    }
    .into_any()
}
