//! Instants and the campus calendar. Instants are microseconds UTC; days and months are those of Asia/Shanghai,
//! which has had one offset (UTC+8, no summer time) since 1992, so no time zone database is needed in the browser.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

pub const MICROS_PER_SECOND: i64 = 1_000_000;
const DAY_SECONDS: i64 = 86_400;
/// Seconds east of UTC on campus.
pub const CAMPUS_OFFSET_SECONDS: i64 = 8 * 3_600;

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// Whole seconds, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(MICROS_PER_SECOND)
    }
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(MICROS_PER_SECOND)))
    }
    #[must_use]
    pub const fn plus_minutes(self, minutes: i64) -> Self {
        self.plus_seconds(minutes.saturating_mul(60))
    }
    /// Seconds from `earlier` to `self`, between the whole seconds they fall in.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.seconds() - earlier.seconds()
    }
    /// The wall clock on campus.
    pub const fn on_campus(self) -> Civil {
        Civil::from_unix(self.seconds() + CAMPUS_OFFSET_SECONDS)
    }
    /// The instant the campus day that holds `self` began.
    #[must_use]
    pub const fn start_of_campus_day(self) -> Self {
        let local = self.seconds() + CAMPUS_OFFSET_SECONDS;
        Self::from_seconds(local - local.rem_euclid(DAY_SECONDS) - CAMPUS_OFFSET_SECONDS)
    }
    /// Midnight on campus at the beginning of a day `2026-09-01`.
    pub fn parse_campus_day(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::parse_rfc3339(&format!("{text}T00:00:00+08:00")).filter(|at| at.on_campus().date() == text)
    }
    /// Start of a period: a campus day, or an instant in the API's form, so that a value that was read can be written back.
    pub fn parse_begin(text: &str) -> Option<Self> {
        Self::parse_campus_day(text).or_else(|| Self::parse_rfc3339(text.trim()))
    }
    /// End of a period: its last campus day (inclusive), or an instant in the API's form (exclusive).
    pub fn parse_end(text: &str) -> Option<Self> {
        Self::parse_campus_day(text).map(Self::end_of_campus_day).or_else(|| Self::parse_rfc3339(text.trim()))
    }
    /// A minute on campus as a form gives it: `2026-09-01T08:00`.
    pub fn parse_campus_minute(text: &str) -> Option<Self> {
        let text = text.trim();
        Self::parse_rfc3339(&format!("{}:00+08:00", text.replace(' ', "T")))
    }
    /// The first instant of the campus day after the one that holds `self`.
    #[must_use]
    pub const fn end_of_campus_day(self) -> Self {
        self.start_of_campus_day().plus_seconds(DAY_SECONDS)
    }
    /// Days from 1970-01-01 to the campus day that holds `self`.
    pub const fn campus_day(self) -> i64 {
        (self.seconds() + CAMPUS_OFFSET_SECONDS).div_euclid(DAY_SECONDS)
    }
    /// The first instant of a day as [`Self::campus_day`] counts it.
    pub const fn of_campus_day(day: i64) -> Self {
        Self::from_seconds(day * DAY_SECONDS - CAMPUS_OFFSET_SECONDS)
    }
    /// The campus month that holds `self`.
    pub const fn campus_month(self) -> Month {
        let civil = self.on_campus();
        Month { year: civil.year, month: civil.month }
    }
    /// `2026-11-21T14:03:09.250000Z`: RFC 3339, UTC, microseconds only when there are any.
    pub fn to_rfc3339(self) -> String {
        let civil = Civil::from_unix(self.seconds());
        let fraction = self.0.rem_euclid(MICROS_PER_SECOND);
        let Civil { year, month, day, hour, minute, second } = civil;
        if fraction == 0 {
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
        } else {
            format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{fraction:06}Z")
        }
    }
    /// Reads what [`Self::to_rfc3339`] writes, and any offset (`+08:00`) or precision to the microsecond.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let number = |range: std::ops::Range<usize>| digits(text.get(range)?);
        let bytes = text.as_bytes();
        let marks = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
        if bytes.len() < 20 || marks.iter().any(|(at, mark)| bytes[*at] != *mark) || !matches!(bytes[10], b'T' | b't' | b' ') {
            return None;
        }
        let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        if !(1..=12).contains(&month) || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let days = days_from_civil(year, month, day);
        // A day that its month does not have would be one of the next month.
        if civil_from_days(days) != (year, month, day) {
            return None;
        }
        let mut rest = text.get(19..)?;
        let mut micros = 0;
        if let Some(fraction) = rest.strip_prefix('.') {
            let length = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if length == 0 {
                return None;
            }
            let shown = &fraction[..length.min(6)];
            micros = digits(&format!("{shown:0<6}"))?;
            rest = &fraction[length..];
        }
        let offset = match rest {
            "Z" | "z" => 0,
            _ => {
                let sign = match rest.as_bytes().first()? {
                    b'+' => 1,
                    b'-' => -1,
                    _ => return None,
                };
                let (hours, minutes) = rest[1..].split_once(':').filter(|(hours, minutes)| hours.len() == 2 && minutes.len() == 2)?;
                let (hours, minutes) = (digits(hours)?, digits(minutes)?);
                if hours > 23 || minutes > 59 {
                    return None;
                }
                sign * (hours * 3_600 + minutes * 60)
            }
        };
        let unix = days * DAY_SECONDS + hour * 3_600 + minute * 60 + second - offset;
        Some(Self(unix * MICROS_PER_SECOND + micros))
    }
}

/// A number of digits alone: `parse` also takes a sign.
fn digits(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

/// A date and time of day on some wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Civil {
    pub year: i32,
    pub month: u8,
    pub day: u8,
    pub hour: u8,
    pub minute: u8,
    pub second: u8,
}

impl Civil {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "each value is reduced to its range first")]
    const fn from_unix(seconds: i64) -> Self {
        let days = seconds.div_euclid(DAY_SECONDS);
        let rest = seconds.rem_euclid(DAY_SECONDS);
        let (year, month, day) = civil_from_days(days);
        Self {
            year: year as i32,
            month: month as u8,
            day: day as u8,
            hour: (rest / 3_600) as u8,
            minute: (rest / 60 % 60) as u8,
            second: (rest % 60) as u8,
        }
    }
    /// `2026-11-21`
    pub fn date(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
    /// `22:04`
    pub fn time(self) -> String {
        format!("{:02}:{:02}", self.hour, self.minute)
    }
}

// Days to dates and back in the proleptic Gregorian calendar, counted in 400-year eras that begin on 1 March.
const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// A campus calendar month, the period of a bill. Text form `2026-11`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Month {
    year: i32,
    month: u8,
}

impl Month {
    pub const fn new(year: i32, month: u8) -> Option<Self> {
        if month >= 1 && month <= 12 && year >= 1970 && year <= 9999 { Some(Self { year, month }) } else { None }
    }
    pub const fn year(self) -> i32 {
        self.year
    }
    pub const fn month(self) -> u8 {
        self.month
    }
    /// The first instant of the month on campus.
    pub const fn start(self) -> Timestamp {
        let days = days_from_civil(self.year as i64, self.month as i64, 1);
        Timestamp::from_seconds(days * DAY_SECONDS - CAMPUS_OFFSET_SECONDS)
    }
    /// The first instant after the month.
    pub const fn end(self) -> Timestamp {
        self.next().start()
    }
    #[must_use]
    pub const fn next(self) -> Self {
        if self.month == 12 { Self { year: self.year + 1, month: 1 } } else { Self { year: self.year, month: self.month + 1 } }
    }
    #[must_use]
    pub const fn previous(self) -> Self {
        if self.month == 1 { Self { year: self.year - 1, month: 12 } } else { Self { year: self.year, month: self.month - 1 } }
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.year, self.month)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a month like 2026-11: {0:?}")]
pub struct NotAMonth(pub String);

impl FromStr for Month {
    type Err = NotAMonth;
    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let fail = || NotAMonth(text.chars().take(32).collect());
        let (year, month) = text.split_once('-').ok_or_else(fail)?;
        if year.len() != 4 || month.len() != 2 {
            return Err(fail());
        }
        let number = |text: &str| digits(text).ok_or_else(fail);
        let (year, month) = (i32::try_from(number(year)?), u8::try_from(number(month)?));
        year.ok().zip(month.ok()).and_then(|(year, month)| Self::new(year, month)).ok_or_else(fail)
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl TryFrom<String> for Month {
    type Error = NotAMonth;
    fn try_from(text: String) -> Result<Self, NotAMonth> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc3339_reads_what_it_writes() {
        for micros in [0, 1, 1_795_212_189_250_000, -1, 951_782_400_000_000] {
            let at = Timestamp::from_micros(micros);
            assert_eq!(Timestamp::parse_rfc3339(&at.to_rfc3339()), Some(at));
        }
        assert_eq!(Timestamp::parse_rfc3339("2025-08-24T00:00:00+08:00").map(Timestamp::to_rfc3339).as_deref(), Some("2025-08-23T16:00:00Z"));
        for bad in [
            "yesterday",
            "2025-13-01T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2025-01-01T00:00:00+9999999999999999:00",
            "2025-01-01T00:00:00+-1:00",
            "2025-01-01T00000:00Z",
        ] {
            assert_eq!(Timestamp::parse_rfc3339(bad), None, "{bad}");
        }
    }

    #[test]
    fn days_are_counted_on_campus() {
        let day = Timestamp::parse_campus_day("2026-11-21").expect("a date");
        assert_eq!(day.to_rfc3339(), "2026-11-20T16:00:00Z");
        assert_eq!(Timestamp::of_campus_day(day.campus_day()), day);
        assert_eq!(day.plus_seconds(86_399).campus_day(), day.campus_day());
        assert_eq!(day.end_of_campus_day().campus_day(), day.campus_day() + 1);
        assert_eq!([Timestamp::parse_campus_day("2026-02-30"), Timestamp::parse_campus_day("2026-1-1")], [None, None]);
    }

    #[test]
    fn a_campus_month_begins_at_four_in_the_afternoon_before_utc() {
        let month: Month = "2026-12".parse().expect("a month");
        assert_eq!(month.start().to_rfc3339(), "2026-11-30T16:00:00Z");
        assert_eq!(month.end().to_rfc3339(), "2026-12-31T16:00:00Z");
        assert_eq!(month.start().campus_month(), month);
        assert_eq!(month.start().plus_seconds(-1).campus_month(), month.previous());
        assert!("2026-13".parse::<Month>().is_err() && "2026-+1".parse::<Month>().is_err());
    }

    #[test]
    fn the_day_turns_at_midnight_on_campus() {
        let late = Timestamp::parse_rfc3339("2026-11-21T15:59:59Z").expect("a time");
        let early = late.plus_seconds(1);
        assert_eq!(late.on_campus().date(), "2026-11-21");
        assert_eq!(early.on_campus().date(), "2026-11-22");
        assert_eq!(early.start_of_campus_day(), early);
        assert_eq!(early.seconds_since(late.start_of_campus_day()), 86_400);
    }
}
