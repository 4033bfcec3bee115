//! Orders for a whole class and for a timetable (B3): how many seats, at which lessons. Each seat of each lesson becomes an order of its
//! own; what they have in common is [`ClassRef`].

use serde::{Deserialize, Serialize};

use super::Order;
use crate::{
    error::{Error, FieldErrors, Problem},
    ids::ClassId,
    time::{MICROS_PER_SECOND, Timestamp},
};

/// Minutes before the bell at which a lesson's lab is brought up. The ordered minutes count from there.
pub const LEAD: u32 = 10;
/// Most seats of an order that names a number.
pub const SEATS_MAX: u32 = 60;
/// Most lessons of an order, one a week.
pub const WEEKS_MAX: u32 = 20;
/// Most orders that are made together.
pub const ORDERS_MAX: u32 = 200;
/// How far ahead the first lesson may be, in days.
pub const AHEAD_MAX_DAYS: i64 = 366;
/// In the field of the seats: as many as the course's roster has students.
pub const ROSTER: &str = "roster";
/// In the field of the seats: as many as the field of their number says.
pub const COUNTED: &str = "number";
/// In the field of the seats: one lab, for whoever orders it. An empty field says the same.
pub const ONE: &str = "one";
/// In the field of the time: at once. An empty field says the same, unless a day or a bell is given.
pub const NOW: &str = "now";
/// In the field of the time: at lessons.
pub const LESSONS: &str = "lessons";

/// The class order that an order belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassRef {
    pub id: ClassId,
    pub seats: u32,
    pub lessons: u32,
    /// Which of the lessons this order is for, from 1.
    pub lesson: u32,
}

impl ClassRef {
    /// How many orders were made together.
    pub const fn orders(self) -> u32 {
        self.seats.saturating_mul(self.lessons)
    }
}

/// Seats and lessons as typed; all empty means one lab at once. Flat in the form and nested nowhere, so that an error belongs to its field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassForm {
    /// [`ONE`], [`ROSTER`], [`COUNTED`] or a number.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seats: String,
    /// Only beside [`COUNTED`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub seat_count: String,
    /// [`NOW`] or [`LESSONS`].
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub when: String,
    /// Campus day of the first lesson: `2026-11-30`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub first_day: String,
    /// When it begins on campus: `08:20`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bell: String,
    /// How many lessons, one a week; empty for one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub weeks: String,
}

/// The parsed content of a [`ClassForm`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    pub seats: u32,
    /// Each seat is a student's.
    pub by_roster: bool,
    /// When the lessons begin, in order; empty for at once.
    pub bells: Vec<Timestamp>,
}

impl Plan {
    /// How many orders it makes.
    pub fn orders(&self) -> u32 {
        self.seats.saturating_mul(self.lessons())
    }

    /// How many times each seat runs.
    pub fn lessons(&self) -> u32 {
        u32::try_from(self.bells.len()).unwrap_or(u32::MAX).max(1)
    }

    /// Minutes that are ordered for a lesson of so many: a lab for a lesson is up before it.
    pub fn ordered(&self, minutes: u32) -> u32 {
        if self.bells.is_empty() { minutes } else { minutes.saturating_add(LEAD) }
    }

    /// When the labs start, lesson by lesson; one `None` for at once.
    pub fn starts(&self) -> Vec<Option<Timestamp>> {
        if self.bells.is_empty() { vec![None] } else { self.bells.iter().map(|bell| Some(before(*bell))).collect() }
    }
}

/// When the lab of a lesson comes up.
pub fn before(bell: Timestamp) -> Timestamp {
    bell.plus_minutes(-i64::from(LEAD))
}

impl ClassForm {
    /// Whether it asks for one lab at once.
    pub fn is_plain(&self) -> bool {
        matches!(self.seats.trim(), "" | ONE | "1") && !self.has_lessons()
    }

    fn has_lessons(&self) -> bool {
        match self.when.trim() {
            "" => !(self.first_day.trim().is_empty() && self.bell.trim().is_empty()),
            when => when != NOW,
        }
    }

    /// `students`: how many the course's roster has.
    ///
    /// Errors: [`Error::Invalid`] on `seats`, `seat_count`, `when`, `first_day`, `bell` and `weeks`; the number of orders in all is on the
    /// seats.
    pub fn plan(&self, students: u32, now: Timestamp) -> Result<Plan, Error> {
        let mut errors = FieldErrors::default();
        let (seats, field) = self.seats(students, &mut errors);
        let bells = if self.has_lessons() { self.bells(now, &mut errors) } else { Vec::new() };
        let plan = Plan { seats, by_roster: self.seats.trim() == ROSTER, bells };
        if plan.orders() > ORDERS_MAX {
            errors.push(field, Problem::TooManyOrders { orders: plan.orders(), max: ORDERS_MAX });
        }
        errors.finish()?;
        Ok(plan)
    }

    /// The number of seats, and the field that says it.
    fn seats(&self, students: u32, errors: &mut FieldErrors) -> (u32, &'static str) {
        let (typed, field) = match self.seats.trim() {
            "" | ONE => return (1, "seats"),
            ROSTER => {
                if students == 0 {
                    errors.push("seats", Problem::EmptyRoster);
                }
                return (students.max(1), "seats");
            }
            COUNTED => (self.seat_count.trim(), "seat_count"),
            typed => (typed, "seats"),
        };
        let range = Problem::OutOfRange { min: 1, max: SEATS_MAX.into() };
        match typed.parse::<u32>() {
            _ if typed.is_empty() => errors.push(field, Problem::Missing),
            Ok(seats) if (1..=SEATS_MAX).contains(&seats) => return (seats, field),
            Ok(_) => errors.push(field, range),
            Err(_) => errors.push(field, Problem::NotANumber),
        }
        (1, field)
    }

    fn bells(&self, now: Timestamp, errors: &mut FieldErrors) -> Vec<Timestamp> {
        if !matches!(self.when.trim(), "" | LESSONS) {
            errors.push("when", Problem::NotOneOf { choices: [NOW, LESSONS].map(str::to_owned).to_vec() });
        }
        let day = match self.first_day.trim() {
            "" => Err(Problem::Missing),
            text => Timestamp::parse_campus_day(text).ok_or_else(|| Problem::NotADate { example: "2026-11-30".into() }),
        };
        let bell = match self.bell.trim() {
            "" => Err(Problem::Missing),
            text => time_of_day(text).ok_or_else(|| Problem::BadFormat { example: "08:20".into() }),
        };
        let weeks = match self.weeks.trim() {
            "" => Ok(1),
            text => match text.parse::<u32>() {
                Ok(weeks) if (1..=WEEKS_MAX).contains(&weeks) => Ok(weeks),
                Ok(_) => Err(Problem::OutOfRange { min: 1, max: WEEKS_MAX.into() }),
                Err(_) => Err(Problem::NotANumber),
            },
        };
        let mut take = |field: &str, problem: Problem| errors.push(field, problem);
        let (day, bell, weeks) = (
            day.map_err(|problem| take("first_day", problem)).ok(),
            bell.map_err(|problem| take("bell", problem)).ok(),
            weeks.map_err(|problem| take("weeks", problem)).ok(),
        );
        let (Some(day), Some(bell), Some(weeks)) = (day, bell, weeks) else { return Vec::new() };
        let first = day.plus_minutes(bell);
        if first <= now {
            // On the day itself it is the hour that is wrong.
            let field = if day == now.start_of_campus_day() { "bell" } else { "first_day" };
            errors.push(field, Problem::InThePast { now });
        } else if first > now.plus_seconds(AHEAD_MAX_DAYS * 86_400) {
            errors.push("first_day", Problem::TooFarAhead { days: AHEAD_MAX_DAYS });
        }
        // A campus day has always 24 hours, so the same hour of next week is 7 times that later.
        (0..i64::from(weeks)).map(|week| first.plus_seconds(week * 7 * 86_400)).collect()
    }
}

/// Minutes from midnight of `08:20` or `8:20`, also with seconds, which some browsers send.
fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let mut number = |least: usize, below: i64| -> Option<i64> {
        let part = parts.next()?;
        let good = (least..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse().ok().filter(|number| good && *number < below)
    };
    let (hour, minute) = (number(1, 24)?, number(2, 60)?);
    let seconds = number(2, 60);
    (parts.next().is_none() && (seconds.is_some() || text.matches(':').count() == 1)).then_some(hour * 60 + minute)
}

impl Order {
    /// When its lab is up to be used: the bell of its lesson; `None` for at once.
    pub fn bell(&self) -> Option<Timestamp> {
        self.starts_at.map(|at| at.plus_minutes(LEAD.into()))
    }

    /// When its lesson is over, whenever its lab comes up; `None` for at once.
    pub fn ends_at(&self) -> Option<Timestamp> {
        self.starts_at.map(|at| at.plus_minutes(self.minutes.into()))
    }

    /// Whether its time is still to come.
    pub fn is_ahead(&self, now: Timestamp) -> bool {
        self.starts_at.is_some_and(|at| at > now)
    }

    /// Whether its time is over.
    pub fn is_past(&self, now: Timestamp) -> bool {
        self.ends_at().is_some_and(|end| end <= now)
    }

    /// Minutes of the lesson itself, as they were typed.
    pub const fn lesson_minutes(&self) -> u32 {
        if self.starts_at.is_some() { self.minutes.saturating_sub(LEAD) } else { self.minutes }
    }

    /// When it was booked for; `None` for at once.
    pub fn booked(&self) -> Option<Span> {
        self.starts_at.zip(self.ends_at()).map(|(from, to)| Span { from, to })
    }

    /// When it runs, if it is let through now.
    pub fn span(&self, now: Timestamp) -> Span {
        Span::of(self.starts_at, self.minutes, now)
    }
}

/// From one moment to another, the second not included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl Span {
    /// When something runs that is let through now: `starts_at` of `None` means at once, and what is late ends when it was to end.
    pub fn of(starts_at: Option<Timestamp>, minutes: u32, now: Timestamp) -> Self {
        let to = starts_at.unwrap_or(now).plus_minutes(minutes.into());
        let from = starts_at.map_or(now, |at| at.max(now));
        Self { from, to: to.max(from) }
    }

    pub fn overlaps(&self, other: &Self) -> bool {
        self.from < other.to && other.from < self.to
    }

    pub fn holds(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }
}

/// Microseconds of a minute, for the database, which adds minutes to instants.
pub const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;

#[cfg(test)]
mod tests;
