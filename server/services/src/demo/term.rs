//! What happens in the demonstration term, before it happens: lessons by the timetable, projects, training, and how each order fares.

use domain::time::Timestamp;

use super::{chance::Chance, college::COURSES};

/// Minutes after midnight on campus at which lesson slots begin; a slot takes 100 minutes.
const SLOTS: [i64; 5] = [8 * 60, 10 * 60, 14 * 60, 16 * 60, 19 * 60];
const LESSON: i64 = 100;

const REASONS: [&str; 5] = [
    "期中周卡紧张，请排到下周。",
    "这个实验用共享卡就够了，请改用七分之一张。",
    "时长偏长，先申请两小时，不够再续。",
    "本周额度要留给毕业设计，请与系里协调。",
    "用途写得不清楚，请说明对应哪一次实验。",
];

/// Reason and message as Kubernetes gives them.
pub(super) const FAULTS: [(&str, &str); 3] = [
    ("ImagePullBackOff", "Back-off pulling image: the registry did not answer in time"),
    ("CrashLoopBackOff", "back-off 40s restarting failed container lab"),
    ("OOMKilled", "container lab was killed: out of memory"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// A seventh of a card.
    Slice,
    /// A notebook with so many whole cards.
    Cards(u32),
    /// Eight processes with a card each.
    Training,
}

/// What becomes of an order that somebody must decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Approve,
    Reject(&'static str),
    /// Its owner takes it back first.
    Cancel,
    /// Nobody does anything until it expires.
    Leave,
}

#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) at: Timestamp,
    /// Place of the course.
    pub(super) course: usize,
    /// Drawn among those who teach it.
    pub(super) teacher: i64,
    pub(super) wish: Wish,
    pub(super) minutes: i64,
    pub(super) purpose: String,
    pub(super) verdict: Verdict,
    /// Minutes until it is decided.
    pub(super) decided_after: i64,
    /// Place of the fault with which the first start ends.
    pub(super) fault: Option<usize>,
    /// Stopped so many minutes before its time.
    pub(super) early: Option<i64>,
    /// Destroyed so many minutes after it stopped; `None` keeps its files.
    pub(super) cleared_after: Option<i64>,
}

/// Midnight on campus of the Monday with which the term begins.
pub(super) fn beginning(now: Timestamp, weeks: i64) -> Timestamp {
    let today = now.start_of_campus_day();
    let monday = today.plus_minutes(-weekday(today) * 24 * 60);
    monday.plus_minutes(-(weeks - 1).max(0) * 7 * 24 * 60)
}

/// 0 is Monday.
fn weekday(day: Timestamp) -> i64 {
    // The first day of all was a Thursday.
    ((day.seconds() + domain::time::CAMPUS_OFFSET_SECONDS) / 86_400 + 3).rem_euclid(7)
}

/// Every order of the term up to `end`, in order of time.
pub(super) fn plans(start: Timestamp, end: Timestamp, chance: &mut Chance) -> Vec<Plan> {
    let mut all = Vec::new();
    let mut day = start;
    while day < end {
        let (week, weekday) = ((day.seconds_since(start)) / (7 * 86_400), weekday(day));
        for (course, plan) in COURSES.iter().enumerate() {
            for (on, slot) in &plan.lessons {
                if *on == weekday {
                    lesson(&mut all, chance, day, week, course, *slot);
                }
            }
            if weekday < 5 && chance.percent(15) {
                project(&mut all, chance, day, week, course);
            }
            if weekday < 5 && chance.percent(5) {
                training(&mut all, chance, day, week, course);
            }
            // Lessons are prepared in the evening, at weekends too.
            if chance.percent(10) {
                let at = day.plus_minutes(SLOTS[4] + chance.between(0, 50));
                let minutes = *chance.of(&[60, 90, 120]);
                all.push(self::plan(chance, at, course, Wish::Slice, minutes, "备课".into()));
            }
        }
        day = day.plus_minutes(24 * 60);
    }
    // What cannot have ended by now has not begun.
    all.retain(|plan| plan.at.plus_minutes(plan.minutes + 90) < end);
    all.sort_by_key(|plan| (plan.at, plan.course));
    all
}

fn lesson(all: &mut Vec<Plan>, chance: &mut Chance, day: Timestamp, week: i64, course: usize, slot: usize) {
    let topic = topic(course, week);
    let bell = day.plus_minutes(SLOTS[slot]);
    for seat in 0..chance.between(1, 3) {
        let at = bell.plus_minutes(-chance.between(4, 14)).plus_seconds(seat * 37 + chance.between(0, 30));
        let purpose = format!("第 {} 周 第 {}–{} 节 {topic}", week + 1, slot * 2 + 1, slot * 2 + 2);
        all.push(plan(chance, at, course, Wish::Slice, LESSON, purpose));
    }
}

fn project(all: &mut Vec<Plan>, chance: &mut Chance, day: Timestamp, week: i64, course: usize) {
    let at = day.plus_minutes(chance.between(8 * 60 + 20, 16 * 60));
    let cards = if chance.percent(70) { 2 } else { 4 };
    let minutes = chance.between(2, 6) * 60;
    all.push(plan(chance, at, course, Wish::Cards(cards), minutes, format!("课程项目：{}", topic(course, week))));
}

fn training(all: &mut Vec<Plan>, chance: &mut Chance, day: Timestamp, week: i64, course: usize) {
    let at = day.plus_minutes(chance.between(9 * 60, 17 * 60));
    let minutes = chance.between(1, 4) * 60;
    all.push(plan(chance, at, course, Wish::Training, minutes, format!("{}：多卡训练", topic(course, week))));
}

fn topic(course: usize, week: i64) -> &'static str {
    let topics = &COURSES[course].topics;
    topics[usize::try_from(week / 3).unwrap_or(0) % topics.len()]
}

fn plan(chance: &mut Chance, at: Timestamp, course: usize, wish: Wish, minutes: i64, purpose: String) -> Plan {
    let verdict = match chance.between(1, 100) {
        1..=16 => Verdict::Reject(chance.of::<&str>(&REASONS)),
        17..=21 => Verdict::Cancel,
        22..=27 => Verdict::Leave,
        _ => Verdict::Approve,
    };
    Plan {
        at,
        course,
        teacher: chance.between(0, 1_000),
        wish,
        minutes,
        purpose,
        verdict,
        decided_after: chance.between(6, 95),
        fault: chance.percent(5).then(|| usize::try_from(chance.between(0, 2)).unwrap_or(0)),
        early: chance.percent(35).then(|| chance.between(5, 25)),
        cleared_after: chance.percent(94).then(|| chance.between(30, 2_000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_term_is_a_few_hundred_orders_and_always_the_same_ones() {
        let now = Timestamp::parse_rfc3339("2026-11-21T10:00:00+08:00").expect("a time");
        let start = beginning(now, 16);
        assert_eq!(start.on_campus().date(), "2026-08-03");
        let plans = |seed| plans(start, now, &mut Chance::new(seed));
        let term = plans(1);
        assert!((300..700).contains(&term.len()), "{}", term.len());
        let times = |plans: &[Plan]| plans.iter().map(|plan| plan.at).collect::<Vec<_>>();
        assert_eq!(times(&term), times(&plans(1)));
        assert!(times(&term).is_sorted());
        for plan in &term {
            let at = plan.at.on_campus();
            assert!((7..23).contains(&at.hour), "{at:?}");
            assert!(weekday(plan.at) < 5 || plan.purpose == "备课", "{plan:?}");
        }
    }
}
