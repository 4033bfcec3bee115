//! What the record is searched by, and searches that somebody keeps under a name (F4).

use serde::{Deserialize, Serialize};

use super::{Outcome, Via};
use crate::{
    error::Error,
    ids::{AuditSearchId, UserId},
    names,
    people::PersonRef,
    time::Timestamp,
};

const DAY_SECONDS: i64 = 86_400;
/// Characters of a saved search's name.
pub const NAME_MAX: u32 = 60;

/// A span that ends now; days are campus days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Range {
    Today,
    Week,
    Month,
    Term,
}

impl Range {
    pub const ALL: [Self; 4] = [Self::Today, Self::Week, Self::Month, Self::Term];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Today => "today",
            Self::Week => "week",
            Self::Month => "month",
            Self::Term => "term",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|range| range.as_str() == text)
    }
    /// Campus days that it spans, today included.
    pub const fn days(self) -> i64 {
        match self {
            Self::Today => 1,
            Self::Week => 7,
            Self::Month => 30,
            Self::Term => 180,
        }
    }
    /// When it began, seen from `now`.
    pub const fn start(self, now: Timestamp) -> Timestamp {
        now.start_of_campus_day().plus_seconds(-(self.days() - 1) * DAY_SECONDS)
    }
}

/// What the browser searches by; all that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Filter {
    /// Login, exact.
    pub person: Option<String>,
    /// `order.submit`, or a prefix that ends in a dot: `order.`
    pub action: Option<String>,
    /// Label or id of the object, exact.
    pub object: Option<String>,
    pub outcome: Option<Outcome>,
    pub via: Option<Via>,
    /// IP address of the client, exact.
    pub address: Option<String>,
    /// Words, all of which must occur.
    pub text: Option<String>,
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// Moves with the clock; `from` narrows it further.
    pub range: Option<Range>,
    /// Whether the reader's own readings of the record are found as well.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub own_reads: bool,
    /// The login whose successful readings of the record are left out: see [`Filter::for_reader`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_read_by: Option<UserId>,
}

impl Filter {
    /// As it is compared: trimmed, logins in lower case, nothing for empty.
    #[must_use]
    pub fn tidy(&self) -> Self {
        let Self { person, action, object, outcome, via, address, text, from, to, range, own_reads, not_read_by } = self;
        let trimmed = |text: &Option<String>| text.as_deref().map(str::trim).filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        Self {
            person: trimmed(person).map(|login| login.to_lowercase()),
            action: trimmed(action),
            object: trimmed(object),
            outcome: *outcome,
            via: *via,
            address: trimmed(address),
            text: trimmed(text),
            from: *from,
            to: *to,
            range: *range,
            own_reads: *own_reads,
            not_read_by: *not_read_by,
        }
    }

    /// The filter for this reader. Each search is recorded and would find its own record, so the reader's own readings are left out unless the
    /// filter asks for them.
    #[must_use]
    pub fn for_reader(&self, reader: UserId, login: &str) -> Self {
        Self { not_read_by: (!self.asks_for_reads_of(login)).then_some(reader), ..self.clone() }
    }

    /// Whether the reader with this login finds their own readings: by `own_reads`, by an action on the record, or by their own login.
    pub fn asks_for_reads_of(&self, login: &str) -> bool {
        let on_record = self.action.as_deref().is_some_and(|action| action.starts_with("audit."));
        self.own_reads || on_record || self.person.as_deref() == Some(login)
    }

    /// With the range as a fixed beginning: what a search at `now` means.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        let begin = self.range.map(|range| range.start(now));
        Self { from: self.from.max(begin), range: None, ..self.clone() }
    }
}

/// A search under a name, its owner's alone or every auditor's of the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedSearch {
    pub id: AuditSearchId,
    pub owner: PersonRef,
    pub name: String,
    pub shared: bool,
    pub filter: Filter,
    pub created_at: Timestamp,
}

/// The name in its stored form. Errors: `Invalid` on `name`.
pub fn check_name(name: &str) -> Result<String, Error> {
    names::check(name, NAME_MAX).map_err(|problem| Error::field("name", problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Problem;

    #[test]
    fn a_range_begins_at_midnight_on_campus() {
        let now = Timestamp::parse_rfc3339("2026-11-21T10:00:00+08:00").expect("a time");
        assert_eq!(Range::Today.start(now).to_rfc3339(), "2026-11-20T16:00:00Z");
        assert_eq!(Range::Week.start(now).to_rfc3339(), "2026-11-14T16:00:00Z");
        for range in Range::ALL {
            assert_eq!(Range::parse(range.as_str()), Some(range));
        }
    }

    #[test]
    fn a_range_and_a_beginning_together_are_the_narrower_of_the_two() {
        let now = Timestamp::parse_rfc3339("2026-11-21T10:00:00+08:00").expect("a time");
        let filter = Filter { range: Some(Range::Week), ..Filter::default() };
        assert_eq!(filter.at(now).from, Some(Range::Week.start(now)));
        let later = Filter { from: Some(now), ..filter.clone() };
        assert_eq!(later.at(now).from, Some(now));
        let earlier = Filter { from: Some(Timestamp::from_seconds(0)), ..filter };
        assert_eq!(earlier.at(now).from, Some(Range::Week.start(now)));
    }

    #[test]
    fn own_readings_are_left_out_unless_the_filter_asks_for_them() {
        let reader = UserId::from_uuid(uuid::Uuid::from_u128(7));
        let left_out = |filter: Filter| filter.for_reader(reader, "shen").not_read_by;
        let all = Filter::default;
        assert_eq!(left_out(all()), Some(reader));
        for filter in [
            Filter { action: Some("order.".into()), ..all() },
            Filter { person: Some("li".into()), ..all() },
            Filter { text: Some("audit.read".into()), ..all() },
        ] {
            assert_eq!(left_out(filter.clone()), Some(reader), "{filter:?}");
        }
        for filter in [
            Filter { own_reads: true, ..all() },
            Filter { action: Some("audit.".into()), ..all() },
            Filter { action: Some("audit.read".into()), ..all() },
            Filter { person: Some("shen".into()), ..all() },
        ] {
            assert_eq!(left_out(filter.clone()), None, "{filter:?}");
        }
        let stored = serde_json::to_value(all()).expect("JSON");
        assert!(stored.get("own_reads").is_none() && stored.get("not_read_by").is_none(), "a filter from before reads the same: {stored}");
    }

    #[test]
    fn a_name_is_short_and_visible() {
        assert_eq!(check_name(" 被拒的操作 "), Ok("被拒的操作".to_owned()));
        assert_eq!(check_name("  "), Err(Error::field("name", Problem::Missing)));
        assert_eq!(check_name(&"长".repeat(61)), Err(Error::field("name", Problem::TooLong { max: 60 })));
        assert!(check_name("a\nb").is_err());
    }
}
