//! Refusals and failures in the reader's language: what happened, what was kept, what to do. Every variant of
//! `domain::Error` has its text in `errors.json`; the compiler asks for it.

use domain::{Error, Problem, quotas::{Item, Shortfall}};
use leptos::prelude::*;

use super::{MomentStyle, Notice, NoticeKind, moment_text};
use crate::{error::AppError, i18n::*, language::Language, routes};

/// A notice that words `error`. An expired sign-in brings the link that leads back here.
#[component]
pub fn ErrorNotice(error: AppError) -> impl IntoView {
    let language = crate::language::current();
    let kind = match &error.0 {
        // Waiting helps: nothing is lost.
        Error::Unavailable { .. } | Error::Unauthenticated | Error::RateLimited { .. } => NoticeKind::Warn,
        _ => NoticeKind::Bad,
    };
    let sign_in = matches!(error.0, Error::Unauthenticated).then(|| {
        view! {
            <a class="btn small" href=routes::SIGN_IN rel="external">{td!(language, errors.sign_in)}</a>
        }
    });
    let lines = match &error.0 {
        Error::OverQuota(shortfalls) => shortfalls.iter().map(|short| shortfall_text(language, short)).collect(),
        _ => Vec::new(),
    };
    view! {
        <Notice kind title=error_text(language, &error.0)>
            {(!lines.is_empty()).then(|| view! {
                <ul class="plain-list">{lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view()}</ul>
            })}
            {sign_in}
        </Notice>
    }
}

/// One sentence for `error`.
pub fn error_text(language: Language, error: &Error) -> String {
    match error {
        Error::Invalid(_) => td_string!(language, errors.invalid).to_string(),
        Error::OverQuota(_) => td_string!(language, errors.over_quota).to_string(),
        Error::OverBudget { left, asked, over } => {
            let (left, asked, over) = (left.to_string(), asked.to_string(), over.to_string());
            td_string!(language, errors.over_budget, left = left, asked = asked, over = over).to_string()
        }
        Error::PriceMissing { meter } => td_string!(language, errors.price_missing, meter = meter.as_str()).to_string(),
        Error::NotFound => td_string!(language, errors.not_found).to_string(),
        Error::Forbidden => td_string!(language, errors.forbidden).to_string(),
        Error::ScopeMissing { scope } => td_string!(language, errors.scope_missing, scope = scope.as_str()).to_string(),
        Error::OwnOrder => td_string!(language, errors.own_order).to_string(),
        Error::InvalidTransition { .. } => td_string!(language, errors.invalid_transition).to_string(),
        Error::Stale => td_string!(language, errors.stale).to_string(),
        Error::IdempotencyKeyReused { .. } => td_string!(language, errors.idempotency_key_reused).to_string(),
        Error::Unauthenticated => td_string!(language, errors.unauthenticated).to_string(),
        Error::SignInFailed => td_string!(language, errors.sign_in_failed).to_string(),
        Error::RateLimited { retry_after_seconds } => {
            td_string!(language, errors.rate_limited, seconds = *retry_after_seconds).to_string()
        }
        Error::SetupRefused => td_string!(language, errors.setup_refused).to_string(),
        Error::CrossSite => td_string!(language, errors.cross_site).to_string(),
        Error::Malformed { .. } => td_string!(language, errors.malformed).to_string(),
        Error::Unavailable { retry_after_seconds } => {
            td_string!(language, errors.unavailable, seconds = *retry_after_seconds).to_string()
        }
        Error::Internal { reference } if reference.is_empty() => td_string!(language, errors.internal_unnamed).to_string(),
        Error::Internal { reference } => td_string!(language, errors.internal, reference = reference.as_str()).to_string(),
    }
}

/// What is wrong with one field, for its `error`.
pub fn problem_text(language: Language, problem: &Problem) -> String {
    match problem {
        Problem::Missing => td_string!(language, errors.missing).to_string(),
        Problem::NotANumber => td_string!(language, errors.not_a_number).to_string(),
        Problem::NotABoolean => td_string!(language, errors.not_a_boolean).to_string(),
        Problem::OutOfRange { min, max } => td_string!(language, errors.out_of_range, min = *min, max = *max).to_string(),
        Problem::OffStep { step } => td_string!(language, errors.off_step, step = *step).to_string(),
        Problem::TooLong { max } => td_string!(language, errors.too_long, max = *max).to_string(),
        Problem::TooShort { min } => td_string!(language, errors.too_short, min = *min).to_string(),
        Problem::NotOneOf { choices } => {
            td_string!(language, errors.not_one_of, choices = choices.join(", ")).to_string()
        }
        Problem::UnknownField => td_string!(language, errors.unknown_field).to_string(),
        Problem::NoSuch => td_string!(language, errors.no_such).to_string(),
        Problem::Taken => td_string!(language, errors.taken).to_string(),
        Problem::BadFormat { example } => td_string!(language, errors.bad_format, example = example.as_str()).to_string(),
        Problem::NotADate { example } => td_string!(language, errors.not_a_date, example = example.as_str()).to_string(),
        Problem::InThePast { now } => {
            td_string!(language, errors.in_the_past, now = moment_text(*now, MomentStyle::Minute)).to_string()
        }
        Problem::WrongPassword => td_string!(language, errors.wrong_password).to_string(),
    }
}

/// By how much one item of the quota is over.
fn shortfall_text(language: Language, short: &Shortfall) -> String {
    let item = match short.item {
        Item::Cards => td_string!(language, errors.item_cards),
        Item::CpuCores => td_string!(language, errors.item_cpu_cores),
        Item::MemoryGib => td_string!(language, errors.item_memory_gib),
        Item::StorageGib => td_string!(language, errors.item_storage_gib),
        Item::RunningLabs => td_string!(language, errors.item_running_labs),
    };
    let show = |amount| short.item.show(amount);
    let left = show((short.limit - short.in_use).max(0));
    td_string!(language, errors.over_quota_item, item = item, asked = show(short.asked), left = left, over = show(short.over))
        .to_string()
}
