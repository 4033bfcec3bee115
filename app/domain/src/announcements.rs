//! Announcements of administrators and operators: a text in both languages, for a time, to everybody or to one department (L4).

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::Localized,
    courses::DepartmentRef,
    error::{Error, FieldErrors, Problem},
    ids::AnnouncementId,
    people::PersonRef,
    texts,
    time::Timestamp,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Everybody can put it away.
    Info,
    /// Stays as long as it holds.
    Maintenance,
}

impl Level {
    pub const ALL: [Self; 2] = [Self::Info, Self::Maintenance];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Maintenance => "maintenance",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
    }
}

/// An announcement as pages show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Banner {
    pub id: AnnouncementId,
    pub level: Level,
    pub text: Localized,
    pub to: Timestamp,
}

/// An announcement as those see it who make them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    pub id: AnnouncementId,
    pub level: Level,
    pub text: Localized,
    pub from: Timestamp,
    pub to: Timestamp,
    /// `None` is everybody.
    pub department: Option<DepartmentRef>,
    pub by: PersonRef,
    pub created_at: Timestamp,
    /// When somebody ended it early.
    pub ended_at: Option<Timestamp>,
}

impl Announcement {
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && self.from <= now && now < self.to
    }
}

/// Longest text in each language, in characters.
pub const TEXT_MAX: u32 = 300;

/// As typed; times are campus times, `2026-11-21T08:00`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnnouncementForm {
    pub zh: String,
    pub en: String,
    pub level: String,
    /// Empty is now.
    pub from: String,
    pub to: String,
    /// A department's id; empty is everybody.
    pub department: String,
}

impl AnnouncementForm {
    /// Level, text, from, to. Errors: [`Error::Invalid`] with every problem.
    pub fn check(&self, now: Timestamp) -> Result<(Level, Localized, Timestamp, Timestamp), Error> {
        const EXAMPLE: &str = "2026-11-21T08:00";
        let mut errors = FieldErrors::default();
        for (field, text) in [("zh", &self.zh), ("en", &self.en)] {
            if let Err(problem) = texts::check_some(text, TEXT_MAX) {
                errors.push(field, problem);
            }
        }
        let level = Level::parse(self.level.trim()).unwrap_or_else(|| {
            errors.push("level", Problem::NotOneOf { choices: Level::ALL.iter().map(|level| level.as_str().to_owned()).collect() });
            Level::Info
        });
        let mut minute = |field: &str, text: &str| match text.trim() {
            "" if field == "from" => now,
            "" => {
                errors.push(field, Problem::Missing);
                now
            }
            text => Timestamp::parse_campus_minute(text).or_else(|| Timestamp::parse_rfc3339(text)).unwrap_or_else(|| {
                errors.push(field, Problem::NotADate { example: EXAMPLE.into() });
                now
            }),
        };
        let from = minute("from", &self.from);
        let to = minute("to", &self.to);
        if to != now && to <= from {
            errors.push("to", Problem::EndsBeforeStart);
        } else if to < now {
            errors.push("to", Problem::InThePast { now });
        }
        errors.finish()?;
        Ok((level, Localized { zh: self.zh.trim().to_owned(), en: self.en.trim().to_owned() }, from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_campus_times_and_the_end_comes_last() {
        let now = Timestamp::parse_rfc3339("2026-11-20T00:00:00Z").expect("a time");
        let form = |from: &str, to: &str| AnnouncementForm {
            zh: "维护".into(),
            en: "Maintenance".into(),
            level: "maintenance".into(),
            from: from.into(),
            to: to.into(),
            ..AnnouncementForm::default()
        };
        let (level, _, from, to) = form("", "2026-11-21T08:00").check(now).expect("good");
        assert_eq!((level, from, to.to_rfc3339().as_str()), (Level::Maintenance, now, "2026-11-21T00:00:00Z"));
        assert_eq!(form("2026-11-22T08:00", "2026-11-21T08:00").check(now), Err(Error::field("to", Problem::EndsBeforeStart)));
        assert_eq!(form("", "soon").check(now), Err(Error::field("to", Problem::NotADate { example: "2026-11-21T08:00".into() })));
        assert_eq!(form("2026-11-01T08:00", "2026-11-02T08:00").check(now), Err(Error::field("to", Problem::InThePast { now })));
        let hidden = AnnouncementForm { en: "No\u{202e}work".into(), ..form("", "2026-11-21T08:00") };
        assert_eq!(hidden.check(now), Err(Error::field("en", Problem::Invisible { character: "U+202E".into() })));
    }
}
