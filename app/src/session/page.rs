//! The sign-in page: a plain form, the same with and without scripts. Where there is an identity provider, the way there stands above it.

use leptos::{prelude::*, server_fn::ServerFn};
use leptos_router::hooks::use_query_map;

use super::api::SignIn;
use crate::{
    announcements::banner::PublicBanners,
    components::{Button, ButtonKind, DocumentTitle, ErrorNotice, TextField},
    error::AppError,
    flash::{Flash, flash},
    i18n::td_string,
    language::{self, Language},
    layout::Gate,
    routes,
};

#[component]
pub fn SignInPage() -> impl IntoView {
    let language = language::current();
    let failed = flash("sign-in");
    let provider = Resource::new(|| (), move |()| provider(language));
    view! {
        <DocumentTitle title=td_string!(language, session.title)/>
        <Gate foot=td_string!(language, session.foot)>
            <PublicBanners/>
            <Suspense>
                {move || failed.get().zip(provider.get()).map(|(failed, provider)| view! { <SignInForm failed provider/> })}
            </Suspense>
        </Gate>
    }
}

/// What the identity provider is called that people may sign in through, if there is one. In the browser it is only what the server
/// sent with the page, as with what a form left behind.
#[cfg(feature = "ssr")]
#[expect(clippy::unused_async, reason = "loaded like the rest of the page")]
async fn provider(language: Language) -> Option<String> {
    let services = crate::caller::services().ok()?;
    Some(services.settings.identity_provider.as_ref()?.name.get(language::tag(language)).to_owned())
}

#[cfg(not(feature = "ssr"))]
#[expect(clippy::unused_async, reason = "the server's half is one that a resource can load")]
async fn provider(_language: Language) -> Option<String> {
    None
}

#[component]
fn SignInForm(failed: Flash, provider: Option<String>) -> impl IntoView {
    let language = language::current();
    let back = use_query_map().with_untracked(|query| query.get("back").unwrap_or_default());
    let login = failed.value("login").to_owned();
    // The account is right more often than the password: after a failure the cursor waits where it is needed.
    let retry = !login.is_empty();
    let through = provider.map(|name| view! { <Through name back=back.clone()/> });
    let lead = if back.starts_with(routes::SHARED_PREFIX) {
        td_string!(language, session.lead_shared)
    } else if through.is_some() {
        td_string!(language, session.lead_either)
    } else {
        td_string!(language, session.lead)
    };
    view! {
        <form class="signin" method="post" action=SignIn::PATH>
            <div>
                <h1>{td_string!(language, session.title)}</h1>
                <p class="soft">{lead}</p>
            </div>
            {failed.error.map(|error| view! { <ErrorNotice error=AppError(error)/> })}
            {through}
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

/// The way to the identity provider: a plain link, since the answer is another site's page.
#[component]
fn Through(name: String, back: String) -> impl IntoView {
    let language = language::current();
    view! {
        <a class="btn" href=routes::with_query(routes::SIGN_IN_OIDC, &[("back", &back)]) rel="external">
            {td_string!(language, session.through, name = name).to_string()}
        </a>
        <p class="or">{td_string!(language, session.or)}</p>
    }
    .into_any()
}
