//! Refusals and failures as sentences in the reader's language: what happened, what was kept, what to do. The pages and
//! the REST API use the same ones. Every variant of `domain::Error` has its text in `errors.json`; the compiler asks for it.

use domain::{
    Error, FieldError, Problem,
    capacity::NoRoom,
    quotas::{Item, Shortfall},
};

use crate::{
    components::{MomentStyle, moment_text},
    i18n::td_string,
    language::{self, Language},
};

/// The title of a page that says only why something was refused.
pub fn refused_text(language: Language) -> &'static str {
    td_string!(language, errors.page_title)
}

/// For a page outside the app: the way back to it.
pub fn back_home_text(language: Language) -> &'static str {
    td_string!(language, layout.back_home)
}

/// Refusals at the level of HTTP: a body that is too large, too slow or not JSON, a method that the address does not accept, an unknown
/// host.
pub fn too_large_text(language: Language) -> &'static str {
    td_string!(language, errors.too_large)
}
pub fn not_json_text(language: Language) -> &'static str {
    td_string!(language, errors.not_json)
}
pub fn method_not_allowed_text(language: Language) -> &'static str {
    td_string!(language, errors.method_not_allowed)
}

pub fn wrong_host_text(language: Language) -> &'static str {
    td_string!(language, errors.wrong_host)
}
pub fn too_slow_text(language: Language) -> &'static str {
    td_string!(language, errors.too_slow)
}

/// All of `error` in words: for an order over quota also by how much, item by item.
pub fn error_text(language: Language, error: &Error) -> String {
    match error {
        Error::OverQuota(shortfalls) => {
            let mut text = headline(language, error);
            for shortfall in shortfalls {
                text.push(' ');
                text.push_str(&shortfall_text(language, shortfall));
            }
            text
        }
        Error::LimitBelowUse(shortfalls) => {
            let mut text = headline(language, error);
            for short in shortfalls {
                let (item, used, limit) = (item_text(language, short.item), short.item.show(short.in_use), short.item.show(short.limit));
                text.push(' ');
                text.push_str(&td_string!(language, errors.below_item, item = item, used = used, limit = limit).to_string());
            }
            text
        }
        _ => headline(language, error),
    }
}

/// The heading of a notice on a page. The address of a page of a list may name a place that is not in the list: nothing was typed then.
pub fn notice_title(language: Language, error: &Error) -> String {
    let is_place = |each: &FieldError| matches!(each.field.as_str(), "after" | "before") && each.problem == Problem::NoSuch;
    match error {
        Error::Invalid(problems) if problems.iter().all(is_place) && !problems.is_empty() => td_string!(language, errors.no_such_place).to_string(),
        _ => headline(language, error),
    }
}

/// Why a lab does not get the cards of a larger size, without what to do about it: its owner and an approver can do different things.
pub fn no_room_text(language: Language, asked: u32, free: u32, why: NoRoom) -> String {
    match why {
        NoRoom::TooFew => td_string!(language, lifecycle.cards_too_few, asked = asked, free = free).to_string(),
        NoRoom::Elsewhere => td_string!(language, lifecycle.cards_elsewhere, asked = asked, free = free).to_string(),
        NoRoom::Kept => td_string!(language, lifecycle.cards_waited_for, asked = asked, free = free).to_string(),
    }
}

/// One sentence for `error`.
pub fn headline(language: Language, error: &Error) -> String {
    match error {
        Error::Invalid(_) => td_string!(language, errors.invalid).to_string(),
        Error::OverQuota(_) => td_string!(language, errors.over_quota).to_string(),
        Error::OverBudget { left, asked, over } => {
            let (left, asked, over) = (left.to_string(), asked.to_string(), over.to_string());
            td_string!(language, errors.over_budget, left = left, asked = asked, over = over).to_string()
        }
        Error::OverCapacity { asked, free, why } => {
            let text = no_room_text(language, *asked, *free, *why);
            // Chinese sentences follow each other without a space.
            let space = if language == Language::zh_CN { "" } else { " " };
            format!("{text}{space}{}", td_string!(language, lifecycle.over_capacity_advice))
        }
        Error::LimitBelowUse(_) => td_string!(language, errors.limit_below_use).to_string(),
        Error::LastAdministrator => td_string!(language, errors.last_administrator).to_string(),
        Error::LinkOver => td_string!(language, errors.link_over).to_string(),
        Error::InTheWay { labs, orders } => td_string!(language, errors.in_the_way, labs = *labs, orders = *orders).to_string(),
        Error::PriceMissing { meter } => td_string!(language, errors.price_missing, meter = meter.as_str()).to_string(),
        Error::RefusedByPolicy { reason, .. } => {
            td_string!(language, errors.refused_by_policy, reason = reason.get(language::tag(language))).to_string()
        }
        Error::RequesterLeft => td_string!(language, errors.requester_left).to_string(),
        Error::DecidedBefore => td_string!(language, errors.decided_before).to_string(),
        Error::NotFound => td_string!(language, errors.not_found).to_string(),
        Error::Forbidden => td_string!(language, errors.forbidden).to_string(),
        Error::ScopeMissing { scope } => td_string!(language, errors.scope_missing, scope = scope.as_str()).to_string(),
        Error::OwnOrder => td_string!(language, errors.own_order).to_string(),
        Error::OwnRole { .. } => td_string!(language, errors.own_role).to_string(),
        Error::InvalidTransition { .. } => td_string!(language, errors.invalid_transition).to_string(),
        Error::ChangeWaits { number, .. } => td_string!(language, errors.change_waits, number = *number).to_string(),
        Error::Stale => td_string!(language, errors.stale).to_string(),
        Error::IdempotencyKeyReused { .. } => td_string!(language, errors.idempotency_key_reused).to_string(),
        Error::Unauthenticated => td_string!(language, errors.unauthenticated).to_string(),
        Error::SignInFailed => td_string!(language, errors.sign_in_failed).to_string(),
        Error::ProviderRefused => td_string!(language, errors.provider_refused).to_string(),
        Error::ProviderAway => td_string!(language, errors.provider_away).to_string(),
        Error::SignInOver => td_string!(language, errors.sign_in_over).to_string(),
        Error::NoAccount { login } if login.is_empty() => td_string!(language, errors.no_account_unnamed).to_string(),
        Error::NoAccount { login } => td_string!(language, errors.no_account, login = login.as_str()).to_string(),
        Error::PrivilegedAccount { login } => td_string!(language, errors.privileged_account, login = login.as_str()).to_string(),
        Error::AccountDisabled => td_string!(language, errors.account_disabled).to_string(),
        Error::RateLimited { retry_after_seconds } => td_string!(language, errors.rate_limited, seconds = *retry_after_seconds).to_string(),
        Error::SetupRefused => td_string!(language, errors.setup_refused).to_string(),
        Error::CrossSite => td_string!(language, errors.cross_site).to_string(),
        Error::Malformed { .. } => td_string!(language, errors.malformed).to_string(),
        Error::Unavailable { retry_after_seconds } => td_string!(language, errors.unavailable, seconds = *retry_after_seconds).to_string(),
        Error::Internal { reference } if reference.is_empty() => td_string!(language, errors.internal_unnamed).to_string(),
        Error::Internal { reference } => td_string!(language, errors.internal, reference = reference.as_str()).to_string(),
    }
}

/// What is wrong with one field, as it stands below the field.
pub fn field_problem_text(language: Language, problem: &Problem) -> String {
    match problem {
        Problem::Missing => td_string!(language, errors.missing).to_string(),
        Problem::NotANumber => td_string!(language, errors.not_a_number).to_string(),
        Problem::NotABoolean => td_string!(language, errors.not_a_boolean).to_string(),
        Problem::OutOfRange { min, max } => td_string!(language, errors.out_of_range, min = *min, max = *max).to_string(),
        Problem::NotAboveZero { max } => td_string!(language, errors.not_above_zero, max = *max).to_string(),
        Problem::OffStep { step } => td_string!(language, errors.off_step, step = *step).to_string(),
        Problem::TooLong { max } => td_string!(language, errors.too_long, max = *max).to_string(),
        Problem::TooShort { min } => td_string!(language, errors.too_short, min = *min).to_string(),
        Problem::TooDeep { max } => td_string!(language, errors.too_deep, max = *max).to_string(),
        Problem::NotOneOf { choices } => td_string!(language, errors.not_one_of, choices = choices.join(", ")).to_string(),
        Problem::UnknownField => td_string!(language, errors.unknown_field).to_string(),
        Problem::Repeated => td_string!(language, errors.repeated).to_string(),
        Problem::NoSuch => td_string!(language, errors.no_such).to_string(),
        Problem::Taken => td_string!(language, errors.taken).to_string(),
        Problem::BadFormat { example } => td_string!(language, errors.bad_format, example = example.as_str()).to_string(),
        Problem::Invisible { character } => td_string!(language, errors.invisible, character = character.as_str()).to_string(),
        Problem::LooseMark { character } => td_string!(language, errors.loose_mark, character = character.as_str()).to_string(),
        Problem::Stacked { max } => td_string!(language, errors.stacked, max = *max).to_string(),
        Problem::MixedAlphabets { character } => td_string!(language, errors.mixed_alphabets, character = character.as_str()).to_string(),
        Problem::CommonPassword => td_string!(language, errors.common_password).to_string(),
        Problem::NotADate { example } => td_string!(language, errors.not_a_date, example = example.as_str()).to_string(),
        Problem::InThePast { now } => td_string!(language, errors.in_the_past, now = moment_text(*now, MomentStyle::Minute)).to_string(),
        Problem::NotAfter { at } => td_string!(language, errors.not_after, at = moment_text(*at, MomentStyle::Minute)).to_string(),
        Problem::EndsTooLate { at } => td_string!(language, errors.ends_too_late, at = moment_text(*at, MomentStyle::Minute)).to_string(),
        Problem::TooMany { max } => td_string!(language, errors.too_many, max = *max).to_string(),
        Problem::TooManyRows { rows, max } => td_string!(language, errors.too_many_rows, rows = *rows, max = *max).to_string(),
        Problem::HeaderOnly => td_string!(language, errors.header_only).to_string(),
        Problem::NoColumn { headers } => td_string!(language, errors.no_column, headers = headers.join(" / ")).to_string(),
        Problem::TooManyColumns { columns, max } => td_string!(language, errors.too_many_columns, columns = *columns, max = *max).to_string(),
        Problem::Workbook => td_string!(language, errors.workbook).to_string(),
        Problem::RowRefused { error } => td_string!(language, errors.row_refused, problem = error_text(language, error)).to_string(),
        Problem::SameAsRow { row } => td_string!(language, errors.same_as_row, row = *row).to_string(),
        Problem::EndsBeforeStart => td_string!(language, errors.ends_before_start).to_string(),
        Problem::WrongPassword => td_string!(language, errors.wrong_password).to_string(),
        Problem::AlreadyMetered { to } => td_string!(language, errors.already_metered, to = moment_text(*to, MomentStyle::Minute)).to_string(),
        Problem::BadRow { row, example } => td_string!(language, errors.bad_row, row = *row, example = example.as_str()).to_string(),
        Problem::InRow { row, cause } => td_string!(language, errors.in_row, row = *row, problem = field_problem_text(language, cause)).to_string(),
        Problem::SameRows { row, other } => td_string!(language, errors.same_rows, row = *row, other = *other).to_string(),
        Problem::TooManyOrders { orders, max } => td_string!(language, errors.too_many_orders, orders = *orders, max = *max).to_string(),
        Problem::SecretInClear => td_string!(language, errors.secret_in_clear).to_string(),
        Problem::PrivateKey => td_string!(language, errors.private_key).to_string(),
        Problem::WeakKey { bits } => td_string!(language, errors.weak_key, bits = *bits).to_string(),
        Problem::EmptyRoster => td_string!(language, errors.empty_roster).to_string(),
        Problem::TooFarAhead { days } => td_string!(language, errors.too_far_ahead, days = *days).to_string(),
        Problem::MonthClosed => td_string!(language, errors.month_closed).to_string(),
        Problem::VolumeFixed { gib } => td_string!(language, errors.volume_fixed, gib = *gib).to_string(),
        Problem::VolumeRefused { gib, message } => td_string!(language, errors.volume_refused, gib = *gib, message = message.as_str()).to_string(),
    }
}

/// By how much one item of the quota is over.
pub fn shortfall_text(language: Language, short: &Shortfall) -> String {
    let item = item_text(language, short.item);
    let show = |amount| short.item.show(amount);
    let left = show((short.limit - short.in_use).max(0));
    td_string!(language, errors.over_quota_item, item = item, asked = show(short.asked), left = left, over = show(short.over)).to_string()
}

/// What the quota calls it, with its unit.
pub fn item_text(language: Language, item: Item) -> &'static str {
    match item {
        Item::Cards => td_string!(language, errors.item_cards),
        Item::CpuCores => td_string!(language, errors.item_cpu_cores),
        Item::MemoryGib => td_string!(language, errors.item_memory_gib),
        Item::StorageGib => td_string!(language, errors.item_storage_gib),
        Item::RunningLabs => td_string!(language, errors.item_running_labs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn over_quota_says_by_how_much_in_both_languages() {
        let error = Error::OverQuota(vec![Shortfall { item: Item::Cards, limit: 4 * 840, in_use: 2 * 840, asked: 4 * 840, over: 2 * 840 }]);
        assert_eq!(error_text(Language::en, &error), "Over the course quota. Cards: 4 asked, 2 left, 2 too many.");
        let chinese = error_text(Language::zh_CN, &error);
        assert!(chinese.contains("要 4，剩 2，多了 2"), "{chinese}");
    }

    #[test]
    fn a_privileged_account_is_sent_to_its_password() {
        let error = Error::PrivilegedAccount { login: "li.hua".into() };
        let english = headline(Language::en, &error);
        assert!(english.contains("\"li.hua\"") && english.contains("Sign in here with your account and password"), "{english}");
        let chinese = headline(Language::zh_CN, &error);
        assert!(chinese.contains("“li.hua”") && chinese.contains("用账号和密码登录"), "{chinese}");
    }

    #[test]
    fn a_problem_in_a_row_names_the_row_and_the_cause() {
        let problem = Problem::InRow { row: 3, cause: Box::new(Problem::Invisible { character: "U+202E".into() }) };
        let english = field_problem_text(Language::en, &problem);
        assert!(english.starts_with("Line 3: ") && english.contains("(U+202E)"), "{english}");
        let chinese = field_problem_text(Language::zh_CN, &problem);
        assert!(chinese.starts_with("第 3 行：") && chinese.contains("U+202E"), "{chinese}");
    }

    #[test]
    fn a_fault_without_a_reference_does_not_promise_one() {
        let named = headline(Language::en, &Error::Internal { reference: "0badf00d".into() });
        assert!(named.contains("0badf00d"));
        assert!(!headline(Language::en, &Error::Internal { reference: String::new() }).contains("reference"));
    }
}
