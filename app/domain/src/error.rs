//! What can go wrong, as one closed list that the browser words in the reader's language and the API in `code`.
//! To add a failure: a variant here, its `code` and `status`, and a text in both `errors.json` files.

use serde::{Deserialize, Serialize};

use crate::{access::Role, capacity::NoRoom, catalogue::Localized, ids::OrderId, money::Money, quotas::Shortfall, time::Timestamp};

/// A refusal or failure as the caller may know it: never an internal message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Error {
    /// Input that does not fit: each problem names its field.
    #[error("the input has {} problem(s)", .0.len())]
    Invalid(Vec<FieldError>),
    /// More than the course's quota: each shortfall says by how much (D2).
    #[error("over the course's quota")]
    OverQuota(Vec<Shortfall>),
    /// More than the course's budget: `over` is what is missing (D4).
    #[error("over the course's budget by {over}")]
    OverBudget { left: Money, asked: Money, over: Money },
    /// A new limit below what is used or held: `asked` is 0 and `over` is by how much (D2).
    #[error("below what is used or held")]
    LimitBelowUse(Vec<Shortfall>),
    /// Somebody must be able to administer.
    #[error("the last administrator stays one")]
    LastAdministrator,
    /// A one-time link that is unknown, used, revoked or too old; never which of these.
    #[error("the link is no longer good")]
    LinkOver,
    /// A course with labs that are not destroyed or orders that are not decided.
    #[error("{labs} lab(s) and {orders} order(s) are in the way")]
    InTheWay { labs: u32, orders: u32 },
    /// Fewer cards of the kind are free than this needs in addition, or others wait for them (C4).
    #[error("{asked} more card(s) needed, {free} free")]
    OverCapacity {
        asked: u32,
        free: u32,
        #[serde(default)]
        why: NoRoom,
    },
    /// The price book has no price for this meter at this time.
    #[error("no price for {meter}")]
    PriceMissing { meter: String },
    /// A rule of the approval policy refuses such orders.
    #[error("the approval policy refuses it: {}", .reason.en)]
    RefusedByPolicy { rule: Option<Localized>, reason: Localized },
    /// Somebody who approved one stage of an order may not approve another.
    #[error("two stages need two people")]
    DecidedBefore,
    /// The requester may not order for the course any more, so their order cannot be approved.
    #[error("the requester does not belong to the course any more")]
    RequesterLeft,
    /// It does not exist, or the caller may not know that it does.
    #[error("not found")]
    NotFound,
    /// The caller may know of it and not do this.
    #[error("not allowed")]
    Forbidden,
    /// A token without the scope that this needs.
    #[error("the token lacks the scope {scope}")]
    ScopeMissing { scope: String },
    /// Nobody decides their own order (C5).
    #[error("nobody approves their own order")]
    OwnOrder,
    /// A person cannot give themselves a role that reads the audit record (D1).
    #[error("nobody makes themselves {}", .role.as_str())]
    OwnRole { role: Role },
    /// The thing is in a state that does not allow this.
    #[error("cannot {event} what is {state}")]
    InvalidTransition { state: String, event: String },
    /// Another change of the lab waits for approval, as this order; one is decided at a time. To programs it is an invalid transition.
    #[error("order {number} waits to change it")]
    ChangeWaits { order: OrderId, number: i64 },
    /// Somebody changed it since the caller read it.
    #[error("changed in the meantime")]
    Stale,
    /// The same idempotency key with another body.
    #[error("the idempotency key was used for another request")]
    IdempotencyKeyReused { order: Option<OrderId> },
    /// Nobody is signed in, or the session or token is no longer good.
    #[error("sign in first")]
    Unauthenticated,
    /// Wrong account or password; never which of the two.
    #[error("that account and password do not match")]
    SignInFailed,
    /// The identity provider did not sign the person in: they declined, or it refused.
    #[error("the identity provider refused")]
    ProviderRefused,
    /// The identity provider does not answer, or not as it should.
    #[error("the identity provider does not answer as it should")]
    ProviderAway,
    /// A sign-in through the provider that was not begun in this browser, took too long or was completed before.
    #[error("this sign-in is over")]
    SignInOver,
    /// Nobody here is who the identity provider says that this is. `login`: as the provider says it.
    #[error("no account for {login}")]
    NoAccount { login: String },
    /// The account with the login that the identity provider gives has a role above teacher, and is not joined by its login alone.
    #[error("{login} may do more than a teacher and is not joined by its login")]
    PrivilegedAccount { login: String },
    /// Only for somebody whom the identity provider vouches for: others learn nothing of accounts.
    #[error("the account is disabled")]
    AccountDisabled,
    /// Too many tries.
    #[error("too many tries; wait {retry_after_seconds} s")]
    RateLimited { retry_after_seconds: u32 },
    /// The one-time code of the first set-up is wrong, or set-up is over.
    #[error("the set-up code is not right")]
    SetupRefused,
    /// A form that came from another site, or without proof that it did not.
    #[error("the request did not come from this site")]
    CrossSite,
    /// The request body or URL cannot be read at all.
    #[error("the request cannot be read: {reason}")]
    Malformed { reason: String },
    /// The database or another necessary part is away; nothing was done.
    #[error("not available for the moment")]
    Unavailable { retry_after_seconds: u32 },
    /// A fault of ours; `reference` finds it in the log.
    #[error("internal error {reference}")]
    Internal { reference: String },
}

impl Error {
    /// One problem with one field.
    pub fn field(field: impl Into<String>, problem: Problem) -> Self {
        Self::Invalid(vec![FieldError { field: field.into(), problem }])
    }

    /// The same, with the problems of field `from` at field `to`: a form may name it otherwise.
    #[must_use]
    pub fn at(mut self, from: &str, to: &str) -> Self {
        if let Self::Invalid(problems) = &mut self {
            for each in problems.iter_mut().filter(|each| each.field == from) {
                to.clone_into(&mut each.field);
            }
        }
        self
    }

    /// One of each kind, for documentation; a test holds it against `code`.
    pub fn one_of_each() -> Vec<Self> {
        use crate::money::Currency::Cny;
        let cores = Shortfall { item: crate::quotas::Item::CpuCores, limit: 64, in_use: 56, asked: 16, over: 8 };
        let amount = |units| Money::units(units, Cny);
        vec![
            Self::field("duration_minutes", Problem::Missing),
            Self::OverQuota(vec![cores]),
            Self::OverBudget { left: amount(40), asked: amount(96), over: amount(56) },
            Self::LimitBelowUse(vec![Shortfall { item: crate::quotas::Item::CpuCores, limit: 32, in_use: 56, asked: 0, over: 24 }]),
            Self::LastAdministrator,
            Self::LinkOver,
            Self::InTheWay { labs: 2, orders: 1 },
            Self::OverCapacity { asked: 2, free: 1, why: NoRoom::TooFew },
            Self::RefusedByPolicy {
                rule: None, reason: Localized { zh: "期中周不开整机".into(), en: "No whole machines in mid-term week".into() }
            },
            Self::DecidedBefore,
            Self::RequesterLeft,
            Self::PriceMissing { meter: "gpu-a100-80g-hour".into() },
            Self::NotFound,
            Self::Forbidden,
            Self::ScopeMissing { scope: "orders:write".into() },
            Self::OwnOrder,
            Self::OwnRole { role: Role::Auditor },
            Self::InvalidTransition { state: "running".into(), event: "start".into() },
            Self::Stale,
            Self::IdempotencyKeyReused { order: None },
            Self::Unauthenticated,
            Self::SignInFailed,
            Self::ProviderRefused,
            Self::ProviderAway,
            Self::SignInOver,
            Self::NoAccount { login: "li.hua".into() },
            Self::PrivilegedAccount { login: "li.hua".into() },
            Self::AccountDisabled,
            Self::RateLimited { retry_after_seconds: 30 },
            Self::SetupRefused,
            Self::CrossSite,
            Self::Malformed { reason: "the body is not JSON".into() },
            Self::Unavailable { retry_after_seconds: 5 },
            Self::Internal { reference: "7f3e9d5e".into() },
        ]
    }

    /// Stable code for the API, the audit record and the tests.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid",
            Self::OverQuota(_) => "over_quota",
            Self::OverBudget { .. } => "over_budget",
            Self::LimitBelowUse(_) => "limit_below_use",
            Self::LastAdministrator => "last_administrator",
            Self::LinkOver => "link_over",
            Self::InTheWay { .. } => "in_the_way",
            Self::OverCapacity { .. } => "over_capacity",
            Self::PriceMissing { .. } => "price_missing",
            Self::RefusedByPolicy { .. } => "refused_by_policy",
            Self::DecidedBefore => "decided_before",
            Self::RequesterLeft => "requester_left",
            Self::NotFound => "not_found",
            Self::Forbidden => "forbidden",
            Self::ScopeMissing { .. } => "scope_missing",
            Self::OwnOrder => "own_order",
            Self::OwnRole { .. } => "own_role",
            Self::InvalidTransition { .. } | Self::ChangeWaits { .. } => "invalid_transition",
            Self::Stale => "stale",
            Self::IdempotencyKeyReused { .. } => "idempotency_key_reused",
            Self::Unauthenticated => "unauthenticated",
            Self::SignInFailed => "sign_in_failed",
            Self::ProviderRefused => "provider_refused",
            Self::ProviderAway => "provider_away",
            Self::SignInOver => "sign_in_over",
            Self::NoAccount { .. } => "no_account",
            Self::PrivilegedAccount { .. } => "privileged_account",
            Self::AccountDisabled => "account_disabled",
            Self::RateLimited { .. } => "rate_limited",
            Self::SetupRefused => "setup_refused",
            Self::CrossSite => "cross_site",
            Self::Malformed { .. } => "malformed",
            Self::Unavailable { .. } => "unavailable",
            Self::Internal { .. } => "internal",
        }
    }

    /// The HTTP status that carries it.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Malformed { .. } => 400,
            Self::Unauthenticated | Self::SignInFailed | Self::SignInOver => 401,
            Self::Forbidden
            | Self::ScopeMissing { .. }
            | Self::OwnOrder
            | Self::OwnRole { .. }
            | Self::DecidedBefore
            | Self::SetupRefused
            | Self::CrossSite => 403,
            Self::ProviderRefused | Self::NoAccount { .. } | Self::PrivilegedAccount { .. } | Self::AccountDisabled => 403,
            Self::NotFound | Self::LinkOver => 404,
            Self::InvalidTransition { .. } | Self::Stale | Self::LimitBelowUse(_) | Self::LastAdministrator | Self::InTheWay { .. } => 409,
            Self::RequesterLeft | Self::ChangeWaits { .. } => 409,
            Self::Invalid(_)
            | Self::OverQuota(_)
            | Self::OverBudget { .. }
            | Self::OverCapacity { .. }
            | Self::PriceMissing { .. }
            | Self::RefusedByPolicy { .. }
            | Self::IdempotencyKeyReused { .. } => 422,
            Self::RateLimited { .. } => 429,
            Self::Internal { .. } => 500,
            Self::Unavailable { .. } | Self::ProviderAway => 503,
        }
    }

    /// Seconds for a `Retry-After` header, where waiting helps.
    pub const fn retry_after_seconds(&self) -> Option<u32> {
        match self {
            Self::RateLimited { retry_after_seconds } | Self::Unavailable { retry_after_seconds } => Some(*retry_after_seconds),
            _ => None,
        }
    }
}

/// A problem with one field of a form or of a JSON body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's name as in the form or body; parameters as `parameters.<key>`.
    pub field: String,
    pub problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "problem")]
pub enum Problem {
    Missing,
    NotANumber,
    NotABoolean,
    OutOfRange {
        min: i64,
        max: i64,
    },
    /// Zero or below, or over `max`, where zero says nothing.
    NotAboveZero {
        max: i64,
    },
    /// Not `min` plus a whole number of steps.
    OffStep {
        step: i64,
    },
    TooLong {
        max: u32,
    },
    TooShort {
        min: u32,
    },
    /// The text is nested more than `max` levels deep.
    TooDeep {
        max: u32,
    },
    NotOneOf {
        choices: Vec<String>,
    },
    UnknownField,
    /// Given more than once where one value is wanted.
    Repeated,
    /// Names something that is not there, or that the caller may not see.
    NoSuch,
    Taken,
    /// Characters or form that are not allowed; `example` shows one that is.
    BadFormat {
        example: String,
    },
    /// A character that is invisible, or that changes how the text around it is shown: `U+200B`.
    Invisible {
        character: String,
    },
    /// An accent or another mark at the beginning, without a letter that carries it: `U+0301`.
    LooseMark {
        character: String,
    },
    /// More than `max` accents or other marks on one letter.
    Stacked {
        max: u32,
    },
    /// A letter of another alphabet than those before it in the same word, where it may look like one of theirs: `с U+0441`.
    MixedAlphabets {
        character: String,
    },
    /// A password that is among the first that an attacker would try.
    CommonPassword,
    NotADate {
        example: String,
    },
    InThePast {
        now: Timestamp,
    },
    /// The instant is not later than `at`.
    NotAfter {
        at: Timestamp,
    },
    /// The instant is later than `at`, until when it may last.
    EndsTooLate {
        at: Timestamp,
    },
    /// The old password is wrong.
    WrongPassword,
    /// One may have no more of them at a time.
    TooMany {
        max: u32,
    },
    /// A list that is longer than one may be.
    TooManyRows {
        rows: u32,
        max: u32,
    },
    /// A table with a header and no row below it.
    HeaderOnly,
    /// A table without a column that it needs: the headers by which it is known.
    NoColumn {
        headers: Vec<String>,
    },
    /// A list with more columns than one may have.
    TooManyColumns {
        columns: u32,
        max: u32,
    },
    /// The same as in an earlier row.
    SameAsRow {
        row: u32,
    },
    /// A row that was right in itself and was refused when it was imported, with the reason.
    RowRefused {
        error: Box<Error>,
    },
    /// The file is a workbook; the list is expected as text.
    Workbook,
    /// A row of a text that has one thing a line; `example` shows one that is right.
    BadRow {
        row: u32,
        example: String,
    },
    /// The problem of a value in a row of such a text.
    InRow {
        row: u32,
        cause: Box<Problem>,
    },
    /// Two rows of such a text that are the same.
    SameRows {
        row: u32,
        other: u32,
    },
    /// More orders together than one may make.
    TooManyOrders {
        orders: u32,
        max: u32,
    },
    /// The course has no students in its roster.
    EmptyRoster,
    /// A secret in a field that everybody may read: it belongs in the offering's secrets.
    SecretInClear,
    /// A private key where a public one is wanted.
    PrivateKey,
    /// An RSA key that is so short that it can be broken: it needs `bits`.
    WeakKey {
        bits: u32,
    },
    /// Later than one may order.
    TooFarAhead {
        days: i64,
    },
    /// Ends before it begins.
    EndsBeforeStart,
    /// Usage is counted up to `to`, and what was billed stays as it was.
    AlreadyMetered {
        to: Timestamp,
    },
    /// A bill of that month is closed: it takes nothing more.
    MonthClosed,
    /// The storage class of the lab's volume does not allow it to grow: it stays at `gib`.
    VolumeFixed {
        gib: u32,
    },
    /// The cluster checked a volume of `gib` and refuses it. `message`: the cluster's own words.
    VolumeRefused {
        gib: u32,
        message: String,
    },
}

/// Collects field problems, so that a form shows all of them at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    pub fn push(&mut self, field: impl Into<String>, problem: Problem) {
        self.0.push(FieldError { field: field.into(), problem });
    }
    /// Whether the field has a problem already.
    pub fn has(&self, field: &str) -> bool {
        self.0.iter().any(|error| error.field == field)
    }
    #[expect(clippy::len_without_is_empty, reason = "counts problems between two points")]
    pub const fn len(&self) -> usize {
        self.0.len()
    }
    /// Keeps the value, or notes the problems and gives `None`.
    pub fn take<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, Error> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Invalid(problems)) => {
                self.0.extend(problems);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }
    pub fn finish(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Error;

    /// The source is the only list of all variants.
    #[test]
    fn there_is_one_of_each_code() {
        let source = include_str!("error.rs");
        let table = source.split("pub const fn code(").nth(1).and_then(|rest| rest.split("pub const fn status(").next()).expect("the table of codes");
        let written: BTreeSet<_> = table.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let shown: BTreeSet<_> = Error::one_of_each().iter().map(Error::code).collect();
        assert_eq!(shown, written, "add the new error to `one_of_each`");
    }
}
