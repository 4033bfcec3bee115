//! Kubernetes quantities, read: `500m`, `64`, `512Gi`, `1e3`. Written they are plain strings with a unit.

/// A quantity in thousandths of its unit, rounded down; `None` for what is not a quantity.
fn milli(text: &str) -> Option<i128> {
    let end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-'))).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_number =
        (!whole.is_empty() || !fraction.is_empty()) && [whole, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_number {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
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
        "E" => (1_000_000_000_000_000_000, 1),
        "Ki" => (1 << 10, 1),
        "Mi" => (1 << 20, 1),
        "Gi" => (1 << 30, 1),
        "Ti" => (1 << 40, 1),
        "Pi" => (1 << 50, 1),
        "Ei" => (1 << 60, 1),
        _ => (10_i128.checked_pow(suffix.strip_prefix(['e', 'E'])?.parse().ok()?)?, 1),
    };
    Some(nano.checked_mul(times)? / per / 1_000_000)
}

/// Whether one quantity is less than another; `false` if one cannot be parsed.
pub fn is_less(one: &str, other: &str) -> bool {
    matches!((milli(one), milli(other)), (Some(one), Some(other)) if one < other)
}

/// Whether both are the same quantity, however it is written; `false` if one cannot be parsed.
pub fn is_same(one: &str, other: &str) -> bool {
    matches!((milli(one), milli(other)), (Some(one), Some(other)) if one == other)
}

/// Whole units, rounded down; 0 for what cannot be read, since a node must not vanish over one odd figure, and the largest number for more.
pub fn whole(text: &str) -> u32 {
    milli(text).map_or(0, |milli| u32::try_from((milli / 1_000).max(0)).unwrap_or(u32::MAX))
}

/// Thousandths, rounded down; 0 for a text that cannot be parsed.
pub fn millis(text: &str) -> u64 {
    milli(text).and_then(|milli| u64::try_from(milli).ok()).unwrap_or(0)
}

/// MiB, rounded up, so that requested memory never counts as free.
pub fn mib(text: &str) -> u64 {
    milli(text).and_then(|milli| u64::try_from((milli / 1_000 + (1 << 20) - 1) >> 20).ok()).unwrap_or(0)
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
        assert_eq!(whole("4294967296"), u32::MAX);
        assert_eq!(whole("many"), 0);
        assert_eq!(gib("512Gi"), 512);
        assert_eq!(gib("528282488Ki"), 503);
        assert_eq!(gib("2147483648"), 2);
        assert_eq!((whole("-2.5"), milli("-2.5"), milli(".5")), (0, Some(-2_500), Some(500)));
    }

    #[test]
    fn what_is_no_quantity_is_none() {
        let smallest = i128::MIN.to_string();
        for bad in [
            "",
            ".",
            "+",
            "-",
            "--1",
            "+-1",
            "1.-5",
            "1.+5",
            "1..2",
            "1 Gi",
            "1GiB",
            "e3",
            "1e-3",
            "1e99",
            "1e99999999999",
            "٣",
            "½",
            "\0",
            smallest.as_str(),
        ] {
            assert_eq!(milli(bad), None, "{bad:?}");
        }
    }
}
