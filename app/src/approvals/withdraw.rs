//! Taking changes back that the requester has not answered.

use domain::orders::Order;
use leptos::{prelude::*, server_fn::ServerFn};

use super::api::Withdraw;
use crate::{
    components::{Button, TextArea, show_unfolded},
    error_text::field_problem_text,
    flash::Flash,
    i18n::td_string,
    language,
};

/// Behind a quiet button, as it is rarely wanted.
#[component]
pub fn WithdrawForm(order: Order, last_try: Flash) -> impl IntoView {
    let language = language::current();
    let problem = last_try.problem("why").map(|problem| field_problem_text(language, problem));
    let typed = last_try.value("why").to_owned();
    let open = !typed.is_empty() || problem.is_some();
    view! {
        <details class="more" id="withdraw" open=open on:toggle=|event| show_unfolded(&event)>
            <summary class="btn">{td_string!(language, decisions.withdraw)}</summary>
            <form method="post" action=format!("{}#withdraw", Withdraw::url()) class="stack tight" novalidate>
                <input type="hidden" name="id" value=order.id.to_string()/>
                <input type="hidden" name="seen_version" value=order.version.to_string()/>
                <TextArea
                    name="why"
                    label=td_string!(language, decisions.withdraw_text)
                    value=typed
                    help=td_string!(language, decisions.withdraw_help)
                    error=Signal::stored(problem)
                    maxlength=domain::decisions::TEXT_MAX
                    optional=true
                    rows=2
                />
                <div class="actions"><Button>{td_string!(language, decisions.withdraw_confirm)}</Button></div>
            </form>
        </details>
    }
    .into_any()
}
