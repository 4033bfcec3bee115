//! Rosters, and the seats and lessons of a class order.

use domain::{
    names,
    orders::class::{ClassForm, LEAD, ORDERS_MAX, Span, WEEKS_MAX},
    roster::{self, STUDENTS_MAX},
    time::Timestamp,
};
use proptest::{collection::vec, prelude::*};

use crate::texts::{config, names_only, near};

const ROSTERS: &[&str] = &[
    "2024010117 李华\n2024010118\t示范学生\n",
    "1,a\r\n2，b\r\n\r\n3；c",
    "24-01_x.y",
    "",
    "名单\r序号,学号,姓名\r1,\"2401\",\"李, 华\"\r2,２４０２,'=x\r",
    "1\t2401\t李华\n2\t2402\t2班\n",
    "sep=;\nname;number\na,b;S01\n",
];
const FIELDS: &[&str] = &["one", "roster", "number", "30", "now", "lessons", "2026-11-30", "08:20", "8:20:00", "20", ""];

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_roster_is_read_or_its_line_is_named(text in near(ROSTERS)) {
        match roster::parse(&text) {
            Ok(students) => {
                prop_assert!(students.len() <= STUDENTS_MAX as usize);
                for student in &students {
                    prop_assert!((1..=32).contains(&student.number.len()) && student.number.is_ascii());
                    prop_assert!(student.name.chars().count() <= 60 && !student.name.chars().any(names::is_invisible), "{:?}", student);
                }
                prop_assert_eq!(roster::parse(&roster::text(&students)), Ok(students), "what is shown reads back");
            }
            Err(error) => names_only(&error, &["roster"]),
        }
    }

    #[test]
    fn seats_and_lessons_are_planned_or_their_field_is_named(
        typed in vec(near(FIELDS), 6),
        students in 0_u32..=STUDENTS_MAX,
        now in -4_000_000_000_i64..300_000_000_000,
    ) {
        let now = Timestamp::from_seconds(now);
        let [seats, seat_count, when, first_day, bell, weeks] = typed.try_into().expect("six");
        let form = ClassForm { seats, seat_count, when, first_day, bell, weeks };
        match form.plan(students, now) {
            Ok(plan) => {
                prop_assert!((1..=ORDERS_MAX).contains(&plan.orders()), "{:?}", plan);
                prop_assert!(plan.bells.len() <= WEEKS_MAX as usize && plan.bells.iter().all(|bell| *bell > now));
                let starts = plan.starts();
                prop_assert_eq!(starts.len(), plan.lessons() as usize);
                for (start, bell) in starts.iter().zip(&plan.bells) {
                    prop_assert_eq!(start.expect("a lesson").plus_minutes(LEAD.into()), *bell);
                    let span = Span::of(*start, plan.ordered(90), now);
                    prop_assert!(span.from >= now && span.to > span.from);
                }
            }
            Err(error) => names_only(&error, &["seats", "seat_count", "when", "first_day", "bell", "weeks"]),
        }
    }
}
