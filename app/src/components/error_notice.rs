//! Refusals and failures in place: the sentences are in `error_text.rs`.

use domain::Error;
use leptos::prelude::*;

use super::{NewsBoard, Notice, NoticeKind};
use crate::{
    draft,
    error::AppError,
    error_text::{notice_title, shortfall_text},
    i18n::td_string,
    routes,
};

/// Keeps the typed text of the page, so that it is restored after signing in. It is kept now, and again on the click, since more may be
/// typed meanwhile.
fn keep_typed() {
    #[cfg(feature = "hydrate")]
    draft::save_all();
}

/// A notice that words `error`. An expired sign-in brings the link that leads back here, and the frame's own notice of it goes.
#[component]
pub fn ErrorNotice(
    error: AppError,
    /// Whether the notice is the frame's own.
    #[prop(optional)]
    of_frame: bool,
) -> impl IntoView {
    let language = crate::language::current();
    let kind = match &error.0 {
        // Waiting or trying again helps: nothing is lost.
        Error::Unavailable { .. } | Error::Unauthenticated | Error::RateLimited { .. } | Error::ProviderAway | Error::SignInOver => NoticeKind::Warn,
        _ => NoticeKind::Bad,
    };
    let sign_in = matches!(error.0, Error::Unauthenticated).then(|| {
        keep_typed();
        if let Some(board) = use_context::<NewsBoard>().filter(|_| !of_frame) {
            board.say_over();
        }
        view! {
            <p class="script-only">{td_string!(language, errors.typed_kept)}</p>
            <a class="btn small" href=routes::sign_in_then(&draft::here()) rel="external" on:click=move |_| keep_typed()>
                {td_string!(language, errors.sign_in)}
            </a>
        }
    });
    let lines = match &error.0 {
        Error::OverQuota(shortfalls) => shortfalls.iter().map(|short| shortfall_text(language, short)).collect(),
        _ => Vec::new(),
    };
    view! {
        <Notice kind title=notice_title(language, &error.0)>
            {(!lines.is_empty()).then(|| view! {
                <ul class="plain-list">{lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
            })}
            {sign_in}
        </Notice>
    }
    .into_any()
}
