//! Money, whole numbers and cards as people type them.

use domain::{
    billing::AdjustmentForm,
    gpu::CardShare,
    money::{Currency, Money, parse_micros},
    quotas::{cards, whole},
};
use proptest::prelude::*;

use crate::texts::{config, names_only, near};

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_amount_has_no_sign_and_no_more_than_a_millionth(text in near(&["5.40", "1,000", "0.000001", "9223372036854.775807", "0", "1.+5", "1.-5"])) {
        if let Some(micros) = parse_micros(&text) {
            prop_assert!(micros >= 0, "{}", text);
            prop_assert!(text.trim().chars().all(|sign| sign.is_ascii_digit() || matches!(sign, '.' | ',')), "{}", text);
            let written = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
            prop_assert_eq!(parse_micros(&written), Some(micros));
            let _ = Money::new(micros, Currency::Cny).to_string();
        }
    }

    #[test]
    fn every_amount_can_be_shown_and_added(micros in any::<i64>(), more in any::<i64>()) {
        let (amount, more) = (Money::new(micros, Currency::Cny), Money::new(more, Currency::Cny));
        prop_assert!(amount.to_string().contains('.'));
        let _ = (amount.plus(more), amount.minus(more));
    }

    #[test]
    fn a_currency_is_known_by_its_code_alone(text in near(&["CNY", "USD", "EUR", "cny"])) {
        if let Ok(currency) = text.parse::<Currency>() {
            prop_assert_eq!(currency.code(), text);
        }
    }

    #[test]
    fn a_whole_number_is_within_its_bounds(text in near(&["6000", " 0 ", "100", "101", "-0"]), max in 0..1_000_000_i64) {
        if let Ok(number) = whole(&text, max) {
            prop_assert!((0..=max).contains(&number));
        }
    }

    #[test]
    fn cards_are_what_was_typed(text in near(&["2", "1/7", "1 3/7", "0.5", "10000", "-0.5", "1.+5", "+1/7", "0 +1/7", "-0 1/7"])) {
        if let Ok(parts) = cards(&text) {
            prop_assert!((0..=10_000 * 840).contains(&parts), "{} is {}", text, parts);
            prop_assert!(!text.contains('+') && (parts == 0 || !text.contains('-')), "{} is {}", text, parts);
        }
    }

    #[test]
    fn a_share_of_a_card_reads_back_as_itself_where_it_is_shown_exactly(parts in 0..=10_000_i64 * 840) {
        let shown = CardShare::from_parts(parts).to_string();
        if !shown.contains('.') {
            prop_assert_eq!(cards(&shown), Ok(parts));
        }
    }

    #[test]
    fn every_share_of_a_card_can_be_shown_as_less_than_the_next_card(parts in any::<i64>()) {
        let shown = CardShare::from_parts(parts).to_string();
        let whole = shown.trim_start_matches('-').split([' ', '.']).next().unwrap_or_default();
        prop_assert!(whole.contains('/') || whole == (parts.unsigned_abs() / 840).to_string(), "{} is {}", parts, shown);
        prop_assert!(shown.split_once('.').is_none_or(|(_, hundredths)| hundredths.len() == 2), "{} is {}", parts, shown);
    }

    #[test]
    fn an_adjustment_is_of_the_kind_that_was_typed(
        course in near(&["CV2402"]),
        kind in near(&["credit", "charge", "correction"]),
        amount in near(&["12.50", "0", "9223372036854.775807"]),
        reason in near(&["The card was away"]),
    ) {
        let form = AdjustmentForm { course, kind, amount, reason };
        match form.check(Currency::Cny) {
            Ok(new) => prop_assert_eq!(new.amount.micros < 0, form.kind.trim() == "credit"),
            Err(error) => names_only(&error, &["course", "kind", "amount", "reason"]),
        }
    }
}
