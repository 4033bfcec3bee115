//! The set-up page: who has read the log may make the first administrator.

use leptos::{prelude::*, server_fn::ServerFn};

use super::api::{CompleteSetup, needed};
use crate::{
    components::{Button, ButtonKind, DocumentTitle, ErrorNotice, LinkButton, TextField},
    error::AppError,
    error_text::field_problem_text,
    flash::{Flash, flash},
    i18n::td_string,
    language,
    layout::Gate,
    routes,
};

#[component]
pub fn SetupPage() -> impl IntoView {
    let language = language::current();
    let failed = flash("setup");
    let needed = Resource::new(|| (), |()| needed());
    view! {
        <DocumentTitle title=td_string!(language, setup.title)/>
        <Gate foot=td_string!(language, setup.foot)>
            <Suspense>
                {move || Suspend::new(async move {
                    match needed.await {
                        Ok(true) => { let failed = failed.await; view! { <SetupForm failed/> }.into_any() }
                        Ok(false) => view! { <Done/> }.into_any(),
                        Err(error) => view! { <ErrorNotice error/> }.into_any(),
                    }
                })}
            </Suspense>
        </Gate>
    }
}

#[component]
fn Done() -> impl IntoView {
    let language = language::current();
    view! {
        <div class="signin">
            <div>
                <h1>{td_string!(language, setup.done_title)}</h1>
                <p class="soft">{td_string!(language, setup.done_text)}</p>
            </div>
            <LinkButton href=routes::SIGN_IN kind=ButtonKind::Primary>{td_string!(language, setup.to_sign_in)}</LinkButton>
        </div>
    }
}

#[component]
fn SetupForm(failed: Flash) -> impl IntoView {
    let language = language::current();
    let value = |field| failed.value(field).to_owned();
    let problem = |field| failed.problem(field).map(|problem| field_problem_text(language, problem));
    let other = failed.other();
    view! {
        <form class="signin" method="post" action=CompleteSetup::PATH>
            <div>
                <h1>{td_string!(language, setup.title)}</h1>
                <p class="soft">{td_string!(language, setup.lead)}</p>
            </div>
            {other.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
            <TextField
                name="code"
                label=td_string!(language, setup.code)
                help=td_string!(language, setup.code_help)
                error=Signal::stored(problem("code"))
                autocomplete="one-time-code"
            />
            <TextField name="college" label=td_string!(language, setup.college) value=value("college") error=Signal::stored(problem("college")) maxlength=100/>
            <TextField
                name="login"
                label=td_string!(language, setup.login)
                value=value("login")
                error=Signal::stored(problem("login"))
                autocomplete="username"
            />
            <TextField name="name" label=td_string!(language, setup.name) value=value("name") error=Signal::stored(problem("name")) maxlength=100/>
            <TextField
                name="password"
                label=td_string!(language, setup.password)
                help=td_string!(language, setup.password_help, min = domain::people::PASSWORD_MIN).to_string()
                error=Signal::stored(problem("password"))
                input_type="password"
                autocomplete="new-password"
            />
            <Button kind=ButtonKind::Primary>{td_string!(language, setup.submit)}</Button>
        </form>
    }
}
