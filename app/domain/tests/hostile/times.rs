//! Instants, days, months and times of day.

use domain::{
    labs::TimeOfDay,
    time::{Month, Timestamp},
};
use proptest::prelude::*;

use crate::texts::{config, near};

const INSTANTS: &[&str] = &[
    "2026-11-21T14:03:09.250000Z",
    "2026-11-21T14:03:09Z",
    "2026-11-21 14:03:09+08:00",
    "2026-11-21t14:03:09.5-12:45",
    "0000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "2026-02-29T00:00:00Z",
    "2024-02-29T00:00:00Z",
    "2026-11-21T14:03:09+9223372036854775807:00",
    "2026-11-21T14:03:09-99:99",
];
/// Those that have four digits for their year.
const WRITABLE: std::ops::Range<i64> = -62_167_219_200_000_000..253_402_300_800_000_000;

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_instant_that_is_read_is_one_that_can_be_written(text in near(INSTANTS)) {
        if let Some(at) = Timestamp::parse_rfc3339(&text) {
            // Offsets reach a day beyond the years that have four digits.
            if WRITABLE.contains(&at.micros()) {
                prop_assert_eq!(Timestamp::parse_rfc3339(&at.to_rfc3339()), Some(at), "{}", text);
            }
            let _ = (at.on_campus().date(), at.start_of_campus_day(), at.end_of_campus_day(), at.campus_month());
        }
    }

    #[test]
    fn an_instant_reads_back_as_itself(micros in WRITABLE) {
        let at = Timestamp::from_micros(micros);
        prop_assert_eq!(Timestamp::parse_rfc3339(&at.to_rfc3339()), Some(at));
    }

    #[test]
    fn no_day_is_read_as_another(year in 0..10_000, month in 0..20_u8, day in 0..40_u8) {
        let text = format!("{year:04}-{month:02}-{day:02}");
        let read = Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z"));
        if let Some(at) = read {
            let written = at.to_rfc3339();
            prop_assert!(written.starts_with(&text), "{} is not {}", text, written);
        }
        prop_assert_eq!(read.is_some(), Timestamp::parse_campus_day(&text).is_some(), "{}", text);
    }

    #[test]
    fn a_day_is_the_day_that_was_typed(text in near(&["2026-09-01", " 2026-02-28 ", "2026-02-30", "0000-01-01", "9999-12-31"])) {
        if let Some(at) = Timestamp::parse_campus_day(&text) {
            prop_assert_eq!(at.on_campus().date(), text.trim());
        }
    }

    #[test]
    fn a_minute_is_the_minute_that_was_typed(text in near(&["2026-09-01T08:00", "2026-09-01 23:59", "2026-09-31T08:00", "2026-09-01T08000"])) {
        if let Some(at) = Timestamp::parse_campus_minute(&text) {
            let civil = at.on_campus();
            prop_assert_eq!(format!("{}T{}", civil.date(), civil.time()), text.trim().replace([' ', 't'], "T"));
        }
    }

    #[test]
    fn a_month_reads_back_as_itself(text in near(&["2026-11", "1970-01", "9999-12", "2026-+1", "+999-12"])) {
        if let Ok(month) = text.parse::<Month>() {
            prop_assert_eq!(&month.to_string(), &text);
            prop_assert!(month.start() < month.end());
            let _ = month.previous();
        }
        // As documents hold it.
        let quoted = serde_json::to_string(&text).expect("a text");
        prop_assert_eq!(serde_json::from_str::<Month>(&quoted).ok(), text.parse::<Month>().ok());
    }

    #[test]
    fn a_time_of_day_reads_back_as_itself(text in near(&["22:00", "00:00", "23:59", "24:00", "+1:30", "1:-1"])) {
        if let Ok(time) = text.parse::<TimeOfDay>() {
            prop_assert_eq!(time.to_string(), text);
            prop_assert!(time.next_after(Timestamp::from_seconds(0)) > Timestamp::from_seconds(0));
        }
    }
}
