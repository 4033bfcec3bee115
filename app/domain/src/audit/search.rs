//! What the record is searched by, and searches that somebody keeps under a name (F4).

use serde::{Deserialize, Serialize};

use super::{Outcome, Via};
use crate::{error::Error, ids::AuditSearchId, names, people::PersonRef, time::Timestamp};

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
}

impl Filter {
    /// As it is compared: trimmed, logins in lower case, nothing for empty.
    #[must_use]
    pub fn tidy(&self) -> Self {
        let Self { person, action, object, outcome, via, address, text, from, to, range } = self;
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
        }
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
    fn a_name_is_short_and_visible() {
        assert_eq!(check_name(" 被拒的操作 "), Ok("被拒的操作".to_owned()));
        assert_eq!(check_name("  "), Err(Error::field("name", Problem::Missing)));
        assert_eq!(check_name(&"长".repeat(61)), Err(Error::field("name", Problem::TooLong { max: 60 })));
        assert!(check_name("a\nb").is_err());
    }
}
