//! Refusals and failures in place: the sentences are in `error_text.rs`.

use domain::Error;
use leptos::prelude::*;

use super::{Notice, NoticeKind};
use crate::{
    error::AppError,
    error_text::{headline, shortfall_text},
    i18n::td_string,
    routes,
};

/// A notice that words `error`. An expired sign-in brings the link that leads back here.
#[component]
pub fn ErrorNotice(error: AppError) -> impl IntoView {
    let language = crate::language::current();
    let kind = match &error.0 {
        // Waiting or trying again helps: nothing is lost.
        Error::Unavailable { .. } | Error::Unauthenticated | Error::RateLimited { .. } | Error::ProviderAway | Error::SignInOver => NoticeKind::Warn,
        _ => NoticeKind::Bad,
    };
    let sign_in = matches!(error.0, Error::Unauthenticated).then(|| {
        view! {
            <a class="btn small" href=routes::SIGN_IN rel="external">{td_string!(language, errors.sign_in)}</a>
        }
    });
    let lines = match &error.0 {
        Error::OverQuota(shortfalls) => shortfalls.iter().map(|short| shortfall_text(language, short)).collect(),
        _ => Vec::new(),
    };
    view! {
        <Notice kind title=headline(language, &error.0)>
            {(!lines.is_empty()).then(|| view! {
                <ul class="plain-list">{lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
            })}
            {sign_in}
        </Notice>
    }
    .into_any()
}
