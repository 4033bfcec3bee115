//! What is metered, in words: names, units, quantities and unit prices, the same on order forms, lab pages and bills.

use std::fmt::Write as _;

use domain::{gpu::CardShare, metering::UsageLine, money::Money, pricing::Meter, time::Month};

use crate::{components::quantity_text, i18n::td_string, language::Language};

/// `A100 80 GB`, `CPU`, `Memory`, `Storage`.
pub fn meter_text(language: Language, meter: Meter) -> &'static str {
    match meter {
        Meter::CardHour(card) => card.name(),
        Meter::CpuCoreHour => td_string!(language, billing.meter_cpu),
        Meter::MemoryGibHour => td_string!(language, billing.meter_memory),
        Meter::StorageGibMonth => td_string!(language, billing.meter_storage),
        Meter::HddGibMonth => td_string!(language, prices.meter_hdd),
        Meter::ObjectGibMonth => td_string!(language, prices.meter_object),
    }
}

/// What a quantity is counted in: `card-h`, `core-h`, `GiB-months`.
pub fn unit_text(language: Language, meter: Meter) -> &'static str {
    match meter {
        Meter::CardHour(card) if card.share() == CardShare::WHOLE => td_string!(language, billing.unit_card_hours),
        Meter::CardHour(_) => td_string!(language, billing.unit_slice_hours),
        Meter::CpuCoreHour => td_string!(language, billing.unit_core_hours),
        Meter::MemoryGibHour => td_string!(language, billing.unit_gib_hours),
        Meter::StorageGibMonth | Meter::HddGibMonth | Meter::ObjectGibMonth => td_string!(language, billing.unit_gib_months),
    }
}

fn per_text(language: Language, meter: Meter) -> &'static str {
    match meter {
        Meter::CardHour(card) if card.share() == CardShare::WHOLE => td_string!(language, billing.per_card_hour),
        Meter::CardHour(_) => td_string!(language, billing.per_slice_hour),
        Meter::CpuCoreHour => td_string!(language, billing.per_core_hour),
        Meter::MemoryGibHour => td_string!(language, billing.per_gib_hour),
        Meter::StorageGibMonth | Meter::HddGibMonth | Meter::ObjectGibMonth => td_string!(language, billing.per_gib_month),
    }
}

/// `part / whole` with `decimals` decimals, rounded half up. Nothing negative is metered.
fn decimal(part: i128, whole: i128, decimals: u32) -> String {
    let scale = 10_i128.pow(decimals);
    let scaled = (part.max(0) * scale + whole / 2) / whole.max(1);
    let (units, rest) = (scaled / scale, scaled % scale);
    let units = domain::money::grouped(u64::try_from(units).unwrap_or(u64::MAX));
    if decimals == 0 { units } else { format!("{units}.{rest:0width$}", width = decimals as usize) }
}

/// Quantity times seconds as people count it: `12.50 card-h`. Four decimals below 10, so that a short test run still
/// shows what it is billed for.
pub fn usage_text(language: Language, meter: Meter, unit_seconds: i64) -> String {
    let (part, whole) = (i128::from(unit_seconds), i128::from(meter.unit_seconds()));
    let decimals = if part >= whole * 10 { 2 } else { 4 };
    quantity_text(decimal(part, whole, decimals), unit_text(language, meter))
}

/// `¥5.40 / card-h`; as many decimals as the price has, at most six.
pub fn unit_price_text(language: Language, meter: Meter, unit_price: Money) -> String {
    format!("{}\u{a0}/\u{a0}{}", exact_text(unit_price), per_text(language, meter))
}

/// Money with every decimal that it has, at least two.
pub fn exact_text(money: Money) -> String {
    if money.micros % 10_000 == 0 {
        return money.to_string();
    }
    let fraction = format!("{:06}", money.micros.unsigned_abs() % 1_000_000);
    let digits = fraction.trim_end_matches('0');
    let sign = if money.is_negative() { "-" } else { "" };
    let units = domain::money::grouped(money.micros.unsigned_abs() / 1_000_000);
    format!("{sign}{}{units}.{digits:0<2}", money.currency.symbol())
}

/// An amount on a bill: below a cent with four decimals, so that a short run does not look free.
pub fn amount_text(amount: Money) -> String {
    let micros = amount.micros.unsigned_abs();
    if micros == 0 || micros >= 10_000 {
        return amount.to_string();
    }
    let sign = if amount.is_negative() { "-" } else { "" };
    format!("{sign}{}0.{:04}", amount.currency.symbol(), (micros + 50) / 100)
}

/// The price that a line was rated at on average; exactly the book's price when that did not change.
pub fn average_price(meter: Meter, unit_seconds: i64, amount: Money) -> Option<Money> {
    if unit_seconds <= 0 {
        return None;
    }
    let (unit, seconds) = (i128::from(meter.unit_seconds()), i128::from(unit_seconds));
    let micros = (i128::from(amount.micros) * unit + seconds / 2).div_euclid(seconds);
    // Each amount was rounded to a micro-unit: what that can shift means nothing and is rounded away again.
    let mut step = 1;
    while step * seconds < unit * 4 {
        step *= 10;
    }
    let micros = (micros + step / 2).div_euclid(step) * step;
    Some(Money::new(i64::try_from(micros).ok()?, amount.currency))
}

/// `12.50 card-h` of cards of any kind.
pub fn hours_text(language: Language, card_seconds: i64) -> String {
    quantity_text(decimal(i128::from(card_seconds), 3_600, 1), td_string!(language, billing.unit_card_hours))
}

/// By how many percent, and whether it is more; `None` where there was nothing before.
pub fn change_percent(now: i64, before: i64) -> Option<(String, bool)> {
    if before <= 0 {
        return None;
    }
    let tenths = (i128::from(now) - i128::from(before)) * 1_000 / i128::from(before);
    Some((format!("{}.{}", tenths.abs() / 10, tenths.abs() % 10), tenths >= 0))
}

/// How an interval's amount is made: `2 × 5,400 s × ¥5.40 ÷ 3,600 s × (1 − 20 %)`. The same in both languages.
pub fn formula_text(line: &UsageLine) -> String {
    let grouped = |number: i64| domain::money::grouped(number.unsigned_abs());
    let mut text = format!(
        "{} × {}\u{a0}s × {} ÷ {}\u{a0}s",
        line.quantity,
        grouped(line.seconds),
        exact_text(line.unit_price),
        grouped(line.meter.unit_seconds())
    );
    if !line.discount.is_none() {
        let _ = write!(text, " × (1 − {}\u{a0}%)", line.discount);
    }
    text
}

/// `41.1 %`, `-2.8 %`; a dash where nothing cost anything. Halves are rounded away from zero, like money.
pub fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "–".to_owned();
    }
    let whole = u128::from(whole.unsigned_abs());
    let tenths = (u128::from(part.unsigned_abs()) * 1_000 + whole / 2) / whole;
    let sign = if part < 0 && tenths > 0 { "-" } else { "" };
    format!("{sign}{}.{}\u{a0}%", tenths / 10, tenths % 10)
}

/// `November`, `11 月`
pub fn month_name(language: Language, month: Month) -> &'static str {
    match month.month() {
        1 => td_string!(language, billing.month_1),
        2 => td_string!(language, billing.month_2),
        3 => td_string!(language, billing.month_3),
        4 => td_string!(language, billing.month_4),
        5 => td_string!(language, billing.month_5),
        6 => td_string!(language, billing.month_6),
        7 => td_string!(language, billing.month_7),
        8 => td_string!(language, billing.month_8),
        9 => td_string!(language, billing.month_9),
        10 => td_string!(language, billing.month_10),
        11 => td_string!(language, billing.month_11),
        _ => td_string!(language, billing.month_12),
    }
}

#[cfg(test)]
mod tests {
    use domain::{gpu::Card, money::Currency};

    use super::*;

    fn a100() -> Meter {
        Meter::CardHour("a100-80g".parse::<Card>().expect("a card"))
    }

    #[test]
    fn shares_add_up_in_tenths_of_a_percent() {
        assert_eq!(percent(411, 1_000), "41.1\u{a0}%");
        assert_eq!(percent(1, 3), "33.3\u{a0}%");
        assert_eq!(percent(0, 0), "–");
        assert_eq!((percent(-28, 1_000), percent(-1, 3), percent(-4, 100_000)), ("-2.8\u{a0}%".into(), "-33.3\u{a0}%".into(), "0.0\u{a0}%".into()));
        assert_eq!((percent(1_372, 1_000), percent(i64::MIN, 1)), ("137.2\u{a0}%".into(), "-922337203685477580800.0\u{a0}%".into()));
        assert_eq!(change_percent(110, 100), Some(("10.0".into(), true)));
        assert_eq!((change_percent(95, 100), change_percent(1, 0)), (Some(("5.0".into(), false)), None));
    }

    #[test]
    fn quantities_are_in_hours_with_their_unit() {
        assert_eq!(usage_text(Language::en, a100(), 2 * 5_400), "3.0000\u{a0}card-h");
        assert_eq!(usage_text(Language::en, a100(), 1), "0.0003\u{a0}card-h");
        assert_eq!(usage_text(Language::en, a100(), 3_600 * 1_234 + 1_800), "1,234.50\u{a0}card-h");
        assert_eq!(usage_text(Language::zh_CN, Meter::StorageGibMonth, 1_024 * 86_400 * 30), "1,024.00\u{a0}GiB 月");
    }

    #[test]
    fn unit_prices_keep_the_decimals_they_have() {
        let price = |micros| unit_price_text(Language::en, a100(), Money::new(micros, Currency::Cny));
        assert_eq!(price(5_400_000), "¥5.40\u{a0}/\u{a0}card-h");
        assert_eq!(price(2_100), "¥0.0021\u{a0}/\u{a0}card-h");
        assert_eq!(price(1_500_500_000), "¥1,500.50\u{a0}/\u{a0}card-h");
    }

    #[test]
    fn a_fraction_of_a_cent_is_not_nothing() {
        let text = |micros| amount_text(Money::new(micros, Currency::Cny));
        assert_eq!((text(0).as_str(), text(3_333).as_str(), text(9_960).as_str()), ("¥0.00", "¥0.0033", "¥0.0100"));
        assert_eq!(text(1_234_567), "¥1.23");
    }

    #[test]
    fn the_average_of_one_price_is_that_price() {
        let price = Money::new(5_400_000, Currency::Cny);
        for (quantity, seconds) in [(1, 37), (1, 3_600), (2, 5_401), (8, 90_061)] {
            let amount = domain::pricing::amount(price, a100(), quantity, seconds);
            assert_eq!(average_price(a100(), quantity * seconds, amount), Some(price));
        }
        assert_eq!(average_price(a100(), 0, price), None);
    }
}
