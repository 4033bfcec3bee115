//! A moment in campus time, with the full time and its zone on hover and the instant for machines.

use domain::time::Timestamp;
use leptos::prelude::*;

use crate::{i18n::td_string, language};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MomentStyle {
    /// `2026-11-21 23:05`
    #[default]
    Minute,
    /// `2026-11-21 23:05:12`, for audit and bills.
    Second,
    /// `2026-11-21`
    Date,
    /// `23:05`, where the day is plain from its surroundings.
    Time,
}

/// Campus time in one style.
pub fn moment_text(at: Timestamp, style: MomentStyle) -> String {
    let civil = at.on_campus();
    match style {
        MomentStyle::Minute => format!("{} {}", civil.date(), civil.time()),
        MomentStyle::Second => format!("{} {}:{:02}", civil.date(), civil.time(), civil.second),
        MomentStyle::Date => civil.date(),
        MomentStyle::Time => civil.time(),
    }
}

/// `<Moment at/>`: text in campus time, zone on hover.
#[component]
pub fn Moment(at: Timestamp, #[prop(optional)] style: MomentStyle) -> impl IntoView {
    let zone = td_string!(language::current(), components.campus_time);
    let full = moment_text(at, MomentStyle::Second);
    view! {
        <time class="nowrap" datetime=at.to_rfc3339() title=format!("{full} {zone}")>
            {moment_text(at, style)}
        </time>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_on_the_page_is_the_clock_on_campus() {
        let at = Timestamp::parse_rfc3339("2026-11-21T16:05:09Z").expect("a time");
        assert_eq!(moment_text(at, MomentStyle::Minute), "2026-11-22 00:05");
        assert_eq!(moment_text(at, MomentStyle::Second), "2026-11-22 00:05:09");
        assert_eq!(moment_text(at, MomentStyle::Date), "2026-11-22");
        assert_eq!(moment_text(at, MomentStyle::Time), "00:05");
    }
}
