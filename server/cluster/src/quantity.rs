//! Kubernetes quantities, read: `500m`, `64`, `512Gi`, `1e3`. Written they are plain strings with a unit.

/// A quantity in thousandths of its unit, rounded down; `None` for what is not a quantity.
fn milli(text: &str) -> Option<i128> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let sign = if whole.starts_with('-') { -1 } else { 1 };
    let whole: i128 = if matches!(whole, "" | "+" | "-") { 0 } else { whole.parse::<i128>().ok()?.abs() };
    // Nine digits of fraction are what Kubernetes keeps.
    let fraction: i128 = format!("{:0<9}", fraction.chars().take(9).collect::<String>()).parse().ok()?;
    let nano = whole.checked_mul(1_000_000_000)?.checked_add(fraction)?.checked_mul(sign)?;
    let (times, per): (i128, i128) = match suffix {
        "n" => (1, 1_000_000_000),
        "u" => (1, 1_000_000),
        "m" => (1, 1_000),
        "" => (1, 1),
        "k" => (1_000, 1),
        "M" => (1_000_000, 1),
        "G" => (1_000_000_000, 1),
        "T" => (1_000_000_000_000, 1),
        "P" => (1_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        _ => (10_i128.checked_pow(suffix.strip_prefix(['e', 'E'])?.parse().ok()?)?, 1),
    };
    Some(nano.checked_mul(times)? / per / 1_000_000)
}

/// Whole units, rounded down; 0 for what cannot be read, since a node must not vanish over one odd figure.
pub fn whole(text: &str) -> u32 {
    milli(text).and_then(|milli| u32::try_from(milli / 1_000).ok()).unwrap_or(0)
}

/// GiB, rounded down.
pub fn gib(text: &str) -> u32 {
    milli(text).and_then(|milli| u32::try_from(milli / 1_000 / (1 << 30)).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_writes_them() {
        assert_eq!(whole("64"), 64);
        assert_eq!(whole("63900m"), 63);
        assert_eq!(whole("1.5k"), 1_500);
        assert_eq!(whole("2e3"), 2_000);
        assert_eq!(whole("-1"), 0);
        assert_eq!(whole("many"), 0);
        assert_eq!(gib("512Gi"), 512);
        assert_eq!(gib("528282488Ki"), 503);
        assert_eq!(gib("2147483648"), 2);
    }
}
