//! Instants as the API writes them.

use std::time::Duration;

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// Now, to the second: `2026-01-02T03:04:05Z`.
pub fn now() -> String {
    format(OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or_else(|_| OffsetDateTime::now_utc()))
}

fn format(at: OffsetDateTime) -> String {
    at.format(&Rfc3339).unwrap_or_default()
}

/// An instant of the API, or `None` when it is not one.
pub fn parse(text: &str) -> Option<OffsetDateTime> {
    OffsetDateTime::parse(text, &Rfc3339).ok()
}

/// How long ago an instant of the API was; zero when it lies ahead or is none.
pub fn since(text: &str) -> Duration {
    parse(text).map_or(Duration::ZERO, |at| (OffsetDateTime::now_utc() - at).try_into().unwrap_or(Duration::ZERO))
}

/// An instant later than now, to the second.
pub fn after(seconds: i64) -> String {
    let at = moved(OffsetDateTime::now_utc(), seconds);
    format(at.replace_nanosecond(0).unwrap_or(at))
}

/// An instant plus a number of seconds, for log lines.
pub fn plus(at: OffsetDateTime, seconds: i64) -> String {
    format(moved(at, seconds))
}

/// Most seconds that an instant is moved by, a century: objects may ask for any number.
const MOST: i64 = 100 * 365 * 86_400;

fn moved(at: OffsetDateTime, seconds: i64) -> OffsetDateTime {
    at.checked_add(time::Duration::seconds(seconds.clamp(-MOST, MOST))).unwrap_or(at)
}

/// An age as `kubectl` prints it: `42s`, `5m3s`, `7h`, `12d`.
pub fn age(text: &str) -> String {
    if parse(text).is_none() {
        return "<unknown>".to_owned();
    }
    human(since(text).as_secs())
}

/// A duration as `kubectl` prints it.
pub fn human(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    let two = |big: u64, big_unit: &str, small: u64, small_unit: &str| {
        if small == 0 { format!("{big}{big_unit}") } else { format!("{big}{big_unit}{small}{small_unit}") }
    };
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 => two(minutes, "m", seconds % 60, "s"),
        600..10_800 => format!("{minutes}m"),
        10_800..28_800 => two(hours, "h", minutes % 60, "m"),
        28_800..172_800 => format!("{hours}h"),
        172_800..691_200 => two(days, "d", hours % 24, "h"),
        691_200..63_072_000 => format!("{days}d"),
        _ => two(days / 365, "y", days % 365, "d"),
    }
}

#[cfg(test)]
mod tests {
    use super::human;

    #[test]
    fn ages_read_as_kubectl_prints_them() {
        let seen: Vec<_> = [5, 119, 125, 180, 700, 11_000, 30_000, 200_000, 800_000].into_iter().map(human).collect();
        assert_eq!(seen, ["5s", "119s", "2m5s", "3m", "11m", "3h3m", "8h", "2d7h", "9d"]);
    }
}
