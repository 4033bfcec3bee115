//! The sign-in page: a plain form, the same with and without scripts.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_meta::Title;
use leptos_router::hooks::use_query_map;

use super::api::SignIn;
use crate::{
    announcements::banner::PublicBanners,
    components::{Button, ButtonKind, ErrorNotice, TextField},
    error::AppError,
    flash::{Flash, flash},
    i18n::td_string,
    language,
    layout::Gate,
};

#[component]
pub fn SignInPage() -> impl IntoView {
    let language = language::current();
    let failed = flash("sign-in");
    view! {
        <Title text=format!("{} · Lectern", td_string!(language, session.title))/>
        <Gate foot=td_string!(language, session.foot)>
            <PublicBanners/>
            <Suspense>{move || failed.get().map(|failed| view! { <SignInForm failed/> })}</Suspense>
        </Gate>
    }
}

#[component]
fn SignInForm(failed: Flash) -> impl IntoView {
    let language = language::current();
    let back = use_query_map().with_untracked(|query| query.get("back").unwrap_or_default());
    let login = failed.value("login").to_owned();
    // The account is right more often than the password: after a failure the cursor waits where it is needed.
    let retry = !login.is_empty();
    view! {
        <form class="signin" method="post" action=SignIn::PATH>
            <div>
                <h1>{td_string!(language, session.title)}</h1>
                <p class="soft">{td_string!(language, session.lead)}</p>
            </div>
            {failed.error.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
            <input type="hidden" name="back" value=back/>
            <TextField name="login" label=td_string!(language, session.login) value=login autocomplete="username" autofocus=!retry/>
            <TextField
                name="password"
                label=td_string!(language, session.password)
                input_type="password"
                autocomplete="current-password"
                autofocus=retry
            />
            <Button kind=ButtonKind::Primary>{td_string!(language, session.title)}</Button>
        </form>
    }
}
