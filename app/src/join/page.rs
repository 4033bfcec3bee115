//! The page behind a one-time link: a plain form, the same with and without scripts.

use domain::people::{Joining, LinkKind};
use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_params_map;

use super::api::{Join, joining};
use crate::{
    components::{Button, ButtonKind, DocumentTitle, ErrorNotice, LinkButton, Moment, TextField},
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language,
    layout::Gate,
    routes,
};

#[component]
pub fn JoinPage() -> impl IntoView {
    let language = language::current();
    let params = use_params_map();
    let token = move || params.with(|params| params.get("token").unwrap_or_default());
    let whom = Resource::new(token, joining);
    let failed = flash("join");
    view! {
        <DocumentTitle title=td_string!(language, join.title)/>
        <Gate foot=td_string!(language, join.foot)>
            <Suspense>
                {move || Suspend::new(async move {
                    match (whom.await, failed.await) {
                        (Ok(whom), failed) => view! { <JoinForm whom failed token=params.with_untracked(|params| params.get("token").unwrap_or_default())/> }.into_any(),
                        (Err(error), _) => view! { <Over error/> }.into_any(),
                    }
                })}
            </Suspense>
        </Gate>
    }
}

#[component]
fn Over(error: AppError) -> impl IntoView {
    let language = language::current();
    view! {
        <div class="signin">
            <h1>{td_string!(language, join.over_title)}</h1>
            <ErrorNotice error/>
            <LinkButton href=routes::SIGN_IN>{td_string!(language, join.to_sign_in)}</LinkButton>
        </div>
    }
    .into_any()
}

#[component]
fn JoinForm(whom: Joining, failed: Flash, token: String) -> impl IntoView {
    let language = language::current();
    let problem = |field| Signal::stored(failed.problem(field).map(|problem| field_problem_text(language, problem)));
    let other = failed.other();
    let invited = whom.kind == LinkKind::Invite;
    let name = if failed.value("name").is_empty() { whom.name.clone() } else { failed.value("name").to_owned() };
    let lead = if invited {
        td_string!(language, join.lead_invite, college = whom.college.as_str()).to_string()
    } else {
        td_string!(language, join.lead_reset, name = whom.name.as_str()).to_string()
    };
    view! {
        <form class="signin" method="post" action=Join::PATH>
            <div>
                <h1>{if invited { td_string!(language, join.title) } else { td_string!(language, join.title_reset) }}</h1>
                <p class="soft">{lead}</p>
                <p class="fine">{td_string!(language, join.good_until)}" "<Moment at=whom.expires_at/></p>
            </div>
            {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
            <input type="hidden" name="token" value=token/>
            <TextField name="login" label=td_string!(language, people.login) value=whom.login readonly=true autocomplete="username"/>
            {invited.then(|| view! { <TextField name="name" label=td_string!(language, people.name) value=name error=problem("name") maxlength=100/> })}
            <TextField
                name="password"
                label=td_string!(language, join.password)
                help=td_string!(language, join.password_help, min = domain::people::PASSWORD_MIN).to_string()
                error=problem("password")
                input_type="password"
                autocomplete="new-password"
                autofocus=true
            />
            <Button kind=ButtonKind::Primary>{td_string!(language, join.submit)}</Button>
        </form>
    }
    .into_any()
}
