//! The first page: for each role what it acts on, the most urgent first. Figures are summed by the database.

use serde::{Deserialize, Serialize};

use crate::{
    audit::{Listed, SavedSearch, run::ChainCard},
    courses::CourseRef,
    labs::LabView,
    quotas::QuotaStatus,
    steady_clock::ClockJump,
    time::Timestamp,
};

/// Order to running, at the median (A6): 18 minutes.
pub const START_TARGET_SECONDS: i64 = 18 * 60;
/// Starts that succeed (A6): at least 99.5 %, in thousandths.
pub const SUCCESS_TARGET_PERMILLE: i64 = 995;
/// Figures of A6 look back so many days.
pub const FIGURE_DAYS: i64 = 30;
/// Labs shown; the rest is behind a link.
pub const LABS_SHOWN: u32 = 6;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dashboard {
    pub now: Timestamp,
    /// Labs of the reader, or of the tenant for those who look after all of them; `None` for whom labs are nothing.
    pub labs: Option<Labs>,
    /// Courses that the reader may see, with what is left.
    pub quotas: Vec<(CourseRef, QuotaStatus)>,
    pub teaching: Option<Teaching>,
    pub deciding: Option<Deciding>,
    pub auditing: Option<Auditing>,
    pub operating: Option<Operating>,
    pub administering: Option<Administering>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Labs {
    /// Not destroyed, newest first; at most [`LABS_SHOWN`].
    pub shown: Vec<LabView>,
    pub more: bool,
}

/// For a teacher: their own orders that are on their way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Teaching {
    pub waiting_for_decision: u32,
    pub waiting_for_cards: u32,
}

/// For a manager.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deciding {
    /// Orders of others.
    pub waiting: u32,
    pub oldest: Option<Timestamp>,
    /// Approved orders and restarted labs that wait for cards.
    pub waiting_for_cards: u32,
}

/// For an auditor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auditing {
    pub chain: ChainCard,
    /// Refused since midnight on campus, attempts of counted floods included.
    pub refused_today: i64,
    pub privileged: Vec<Listed>,
    pub searches: Vec<SavedSearch>,
}

/// For an operator. Cards are whole ones or slices as the cluster counts them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operating {
    pub away_since: Option<Timestamp>,
    /// `None` before the first contact.
    pub last_seen_at: Option<Timestamp>,
    pub nodes: u32,
    /// Not ready, or closed to new pods.
    pub nodes_out: u32,
    pub cards: u32,
    pub cards_used: u32,
    /// On nodes that are out.
    pub cards_out: u32,
    pub labs_running: u32,
    pub labs_failed: u32,
    /// Running labs whose cards are unused.
    pub labs_unused: u32,
    pub queue: u32,
    /// Pieces of background work that are due.
    pub work: u32,
    pub starts: Starts,
    pub overruns: Overruns,
    /// The machine's clock has jumped. Shown while Lectern does not follow it yet, and after that until the portal restarts.
    pub clock_jump: Option<ClockJump>,
}

/// Labs whose pods ran beyond the end of their time in the last [`FIGURE_DAYS`]: neither the portal nor the cluster ended them. The extra
/// time is not charged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overruns {
    pub labs: u32,
    /// Sum over these labs.
    pub seconds: i64,
}

/// Figures of A6 over [`FIGURE_DAYS`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Starts {
    /// Seconds from the order to the first running, at the median; `None` when nothing has started.
    pub median_seconds: Option<i64>,
    /// Labs whose first outcome was running, and failing.
    pub succeeded: i64,
    pub failed: i64,
}

impl Starts {
    /// Thousandths, rounded down so that 99.5 % is never claimed too early; `None` when nothing was tried.
    pub const fn success_permille(&self) -> Option<i64> {
        let tried = self.succeeded + self.failed;
        if tried == 0 { None } else { Some(self.succeeded * 1_000 / tried) }
    }
}

/// For an administrator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Administering {
    pub people: u32,
    pub disabled: u32,
    /// Have an account and never signed in.
    pub never_signed_in: u32,
    pub courses: u32,
    /// Enabled teachers with a course, managers and auditors: the first steps of an installation.
    pub teachers_with_course: u32,
    pub managers: u32,
    pub auditors: u32,
    /// Cards that the cluster has.
    pub cards: u32,
}

/// A step that an administrator must complete before teaching can begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    Course,
    Teacher,
    Manager,
    Auditor,
    Cards,
}

impl Administering {
    /// The steps in order, each with whether it is done.
    pub const fn steps(&self) -> [(Step, bool); 5] {
        [
            (Step::Course, self.courses > 0),
            (Step::Teacher, self.teachers_with_course > 0),
            (Step::Manager, self.managers > 0),
            (Step::Auditor, self.auditors > 0),
            (Step::Cards, self.cards > 0),
        ]
    }
    pub fn is_set_up(&self) -> bool {
        self.steps().iter().all(|(_, done)| *done)
    }
}

/// One part of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Teaching,
    Deciding,
    Auditing,
    Operating,
    Administering,
}

/// How much of a course's budget is spent or held, in hundredths; 100 for a budget of nothing.
pub fn budget_percent(status: &QuotaStatus) -> i64 {
    let limit = status.budget.limit.micros;
    let taken = status.budget.spent.micros.saturating_add(status.budget.held.micros);
    if limit <= 0 { 100 } else { i64::try_from(i128::from(taken) * 100 / i128::from(limit)).unwrap_or(i64::MAX) }
}

/// From here a course is near its budget.
pub const NEAR_BUDGET_PERCENT: i64 = 80;

impl Dashboard {
    /// The parts of this reader, what must be looked at first at the top.
    pub fn parts(&self) -> Vec<Part> {
        let mut parts = Vec::new();
        let mut add = |part, there: bool, urgency: u8| {
            if there {
                parts.push((std::cmp::Reverse(urgency), part));
            }
        };
        let urgent = |condition: bool, urgency| if condition { urgency } else { 0 };
        let broken = self.auditing.as_ref().is_some_and(|part| part.chain.is_broken());
        let operating = self.operating.as_ref();
        let away = operating.is_some_and(|part| part.away_since.is_some() || part.labs_failed > 0 || part.nodes_out > 0);
        let setting_up = self.administering.as_ref().is_some_and(|part| !part.is_set_up());
        let deciding = self.deciding.as_ref().is_some_and(|part| part.waiting > 0);
        add(Part::Teaching, self.teaching.is_some(), 1);
        add(Part::Deciding, self.deciding.is_some(), urgent(deciding, 2));
        add(Part::Operating, operating.is_some(), urgent(away, 3));
        add(Part::Auditing, self.auditing.is_some(), urgent(broken, 5));
        add(Part::Administering, self.administering.is_some(), urgent(setting_up, 4));
        // Stable: equals stay in the order above.
        parts.sort_by_key(|(urgency, _)| *urgency);
        parts.into_iter().map(|(_, part)| part).collect()
    }

    /// Courses whose budget is nearly or wholly taken, the worst first.
    pub fn near_budget(&self) -> Vec<&(CourseRef, QuotaStatus)> {
        let mut near: Vec<_> = self.quotas.iter().filter(|(_, status)| budget_percent(status) >= NEAR_BUDGET_PERCENT).collect();
        near.sort_by_key(|(_, status)| std::cmp::Reverse(budget_percent(status)));
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> Dashboard {
        Dashboard {
            now: Timestamp::from_seconds(0),
            labs: None,
            quotas: Vec::new(),
            teaching: None,
            deciding: None,
            auditing: None,
            operating: None,
            administering: None,
        }
    }

    fn administering() -> Administering {
        Administering { people: 3, disabled: 0, never_signed_in: 0, courses: 1, teachers_with_course: 1, managers: 1, auditors: 1, cards: 8 }
    }

    #[test]
    fn what_waits_for_the_reader_comes_first() {
        let mut page = nobody();
        assert_eq!(page.parts(), []);
        page.teaching = Some(Teaching { waiting_for_decision: 0, waiting_for_cards: 0 });
        page.deciding = Some(Deciding { waiting: 0, oldest: None, waiting_for_cards: 0 });
        page.administering = Some(administering());
        assert_eq!(page.parts(), [Part::Teaching, Part::Deciding, Part::Administering]);
        page.deciding = Some(Deciding { waiting: 1, oldest: None, waiting_for_cards: 0 });
        assert_eq!(page.parts(), [Part::Deciding, Part::Teaching, Part::Administering]);
        page.administering = Some(Administering { courses: 0, ..administering() });
        assert_eq!(page.parts(), [Part::Administering, Part::Deciding, Part::Teaching]);
    }

    #[test]
    fn a_rate_is_never_rounded_up_to_its_target() {
        let starts = |succeeded, failed| Starts { median_seconds: None, succeeded, failed };
        assert_eq!(starts(0, 0).success_permille(), None);
        assert_eq!(starts(1_989, 11).success_permille(), Some(994));
        assert_eq!(starts(199, 1).success_permille(), Some(995));
    }

    #[test]
    fn an_installation_is_set_up_when_every_step_is_done() {
        assert!(administering().is_set_up());
        assert!(!Administering { cards: 0, ..administering() }.is_set_up());
    }
}
