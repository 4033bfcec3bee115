//! Links by which the owner of a lab lets people of the college in until an end, or lets them look only. What is said of a link is here; its
//! secret is nowhere but in the link.

use serde::{Deserialize, Serialize};

use crate::{Problem, Result, catalogue::Workload, error::FieldErrors, ids::ShareId, people::PersonRef, time::Timestamp};

/// Longest time that a link is good, in days.
pub const DAYS_MAX: i64 = 30;
/// Links of one lab that may be good at a time.
pub const SHARES_MAX: u32 = 20;

/// Time for which a link is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasts {
    Hour,
    /// To the end of the day on campus.
    Day,
    Week,
    /// To the end of the lab's time, which is the end of the lesson for a lesson's lab.
    Lab,
    /// To an instant that is typed.
    Until,
}

impl Lasts {
    pub const ALL: [Self; 5] = [Self::Hour, Self::Lab, Self::Day, Self::Week, Self::Until];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Lab => "lab",
            Self::Until => "until",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lasts| lasts.as_str() == text)
    }
}

/// The latest end of a link that is made now. `lab_ends_at`: `None` for a lab that has not run yet.
pub fn latest_end(now: Timestamp, lab_ends_at: Option<Timestamp>) -> Timestamp {
    let longest = now.plus_minutes(DAYS_MAX * 24 * 60);
    lab_ends_at.map_or(longest, |end| end.min(longest))
}

/// Typed values of a new link.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShareForm {
    /// By the names of [`Lasts`].
    pub lasts: String,
    /// A minute on campus, or an instant in the API's form; for [`Lasts::Until`].
    pub until: String,
    pub view_only: bool,
}

/// A new link after its checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NewShare {
    pub ends_at: Timestamp,
    pub view_only: bool,
}

impl ShareForm {
    /// A fixed time that would be longer than the lab's is cut at the lab's end; a typed one is refused.
    ///
    /// Errors: `Invalid` on `lasts` and `until`.
    pub fn check(&self, now: Timestamp, lab_ends_at: Option<Timestamp>) -> Result<NewShare> {
        let latest = latest_end(now, lab_ends_at);
        let mut errors = FieldErrors::default();
        let wanted = match Lasts::parse(self.lasts.trim()) {
            Some(Lasts::Hour) => now.plus_minutes(60),
            Some(Lasts::Day) => now.end_of_campus_day(),
            Some(Lasts::Week) => now.plus_minutes(7 * 24 * 60),
            Some(Lasts::Lab) => latest,
            Some(Lasts::Until) => self.typed_end(now, latest).unwrap_or_else(|problem| {
                errors.push("until", problem);
                latest
            }),
            None => {
                errors.push("lasts", Problem::NotOneOf { choices: Lasts::ALL.map(|lasts| lasts.as_str().to_owned()).into() });
                latest
            }
        };
        errors.finish()?;
        Ok(NewShare { ends_at: wanted.min(latest), view_only: self.view_only })
    }

    fn typed_end(&self, now: Timestamp, latest: Timestamp) -> Result<Timestamp, Problem> {
        let text = self.until.trim();
        if text.is_empty() {
            return Err(Problem::Missing);
        }
        let end = Timestamp::parse_campus_minute(text).or_else(|| Timestamp::parse_rfc3339(text));
        match end {
            None => Err(Problem::NotADate { example: "2026-11-30T18:00".into() }),
            Some(end) if end <= now => Err(Problem::InThePast { now }),
            Some(end) if end > latest => Err(Problem::EndsTooLate { at: latest }),
            Some(end) => Ok(end),
        }
    }
}

/// Somebody who came by a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShareVisitor {
    pub person: PersonRef,
    pub first_at: Timestamp,
    pub last_at: Timestamp,
}

/// A link as its owner sees it; its secret was shown once and is not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    pub id: ShareId,
    pub view_only: bool,
    pub created_at: Timestamp,
    pub ends_at: Timestamp,
    pub withdrawn_at: Option<Timestamp>,
    /// Those who used the lab by it, the last one first.
    pub visitors: Vec<ShareVisitor>,
}

impl Share {
    pub fn is_good(&self, now: Timestamp) -> bool {
        is_good(self.ends_at, self.withdrawn_at, now)
    }
}

/// Whether a link with this end opens its lab at `now`.
pub fn is_good(ends_at: Timestamp, withdrawn_at: Option<Timestamp>, now: Timestamp) -> bool {
    withdrawn_at.is_none() && now < ends_at
}

/// Limits a visit to looking, by the application in the lab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewOnly {
    /// JupyterLab: its pages are read, and its events are heard.
    Notebook,
    /// Any other application: its pages are read.
    Other,
}

/// The one WebSocket of JupyterLab that takes nothing from the browser. Kernels, terminals, language servers and documents that several
/// people edit are reached by others.
const EVENTS: &str = "/api/events/subscribe";

impl ViewOnly {
    pub const fn of(workload: Workload) -> Self {
        match workload {
            Workload::Notebook => Self::Notebook,
            _ => Self::Other,
        }
    }

    /// Whether a request may reach the lab. `upgrades`: it asks for a WebSocket or another protocol; `path`: as it was sent.
    pub fn allows(self, method: &str, upgrades: bool, path: &str) -> bool {
        if !matches!(method, "GET" | "HEAD") {
            return false;
        }
        match self {
            // Old pages of Jupyter make a terminal where this path is read.
            Self::Notebook => {
                if upgrades {
                    path == EVENTS
                } else {
                    !path.trim_end_matches('/').ends_with("/terminals/new")
                }
            }
            Self::Other => !upgrades,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const HOUR: i64 = 3_600;

    fn check(lasts: &str, until: &str, lab_ends_at: Option<Timestamp>) -> Result<Timestamp> {
        let form = ShareForm { lasts: lasts.into(), until: until.into(), view_only: true };
        form.check(NOW, lab_ends_at).map(|share| share.ends_at)
    }

    #[test]
    fn a_link_ends_with_its_time_and_with_the_lab_at_the_latest() {
        let lab = Some(NOW.plus_seconds(2 * HOUR));
        assert_eq!(check("hour", "", lab), Ok(NOW.plus_seconds(HOUR)));
        assert_eq!(check("week", "", lab), Ok(NOW.plus_seconds(2 * HOUR)));
        assert_eq!(check("lab", "", lab), Ok(NOW.plus_seconds(2 * HOUR)));
        assert_eq!(check("day", "", None), Ok(NOW.end_of_campus_day()));
        assert_eq!(check("lab", "", None), Ok(NOW.plus_seconds(DAYS_MAX * 24 * HOUR)));
        let far = Some(NOW.plus_seconds(90 * 24 * HOUR));
        assert_eq!(check("lab", "", far), Ok(NOW.plus_seconds(DAYS_MAX * 24 * HOUR)));
    }

    #[test]
    fn a_typed_end_is_between_now_and_the_labs_end() {
        let lab = NOW.plus_seconds(2 * HOUR);
        let good = NOW.plus_seconds(HOUR);
        assert_eq!(check("until", &good.to_rfc3339(), Some(lab)), Ok(good));
        let refused = |until: &str| check("until", until, Some(lab)).unwrap_err();
        assert_eq!(refused(""), Error::field("until", Problem::Missing));
        assert_eq!(refused(&NOW.to_rfc3339()), Error::field("until", Problem::InThePast { now: NOW }));
        assert_eq!(refused(&lab.plus_seconds(1).to_rfc3339()), Error::field("until", Problem::EndsTooLate { at: lab }));
        assert!(matches!(refused("tomorrow"), Error::Invalid(_)));
        assert!(matches!(check("for ever", "", None), Err(Error::Invalid(problems)) if problems[0].field == "lasts"));
    }

    #[test]
    fn names_are_read_back() {
        assert!(Lasts::ALL.into_iter().all(|lasts| Lasts::parse(lasts.as_str()) == Some(lasts)));
        assert_eq!(Lasts::parse("Hour"), None);
    }

    #[test]
    fn a_withdrawn_link_and_one_at_its_end_are_over() {
        assert!(is_good(NOW.plus_seconds(1), None, NOW));
        assert!(!is_good(NOW, None, NOW));
        assert!(!is_good(NOW.plus_seconds(1), Some(NOW), NOW));
    }

    #[test]
    fn looking_reaches_neither_a_kernel_nor_a_terminal() {
        let notebook = ViewOnly::of(Workload::Notebook);
        for path in ["/lab/tree/a.ipynb", "/api/contents/a.ipynb", "/api/kernels/x/channels", "/static/lab/main.js"] {
            assert!(notebook.allows("GET", false, path) && notebook.allows("HEAD", false, path), "{path}");
            for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "get"] {
                assert!(!notebook.allows(method, false, path), "{method} {path}");
            }
        }
        assert!(notebook.allows("GET", true, EVENTS));
        for path in [
            "/api/kernels/x/channels",
            "/terminals/websocket/1",
            "/terminals/%77ebsocket/1",
            "/api/collaboration/room/x",
            "/lsp/ws/python",
            "//api/events/subscribe",
        ] {
            assert!(!notebook.allows("GET", true, path), "{path}");
        }
        assert!(!notebook.allows("GET", false, "/terminals/new") && !notebook.allows("GET", false, "/terminals/new/"));
        let editor = ViewOnly::of(Workload::CodeEditor);
        assert!(editor.allows("GET", false, "/") && !editor.allows("GET", true, EVENTS) && !editor.allows("POST", false, "/"));
    }
}
