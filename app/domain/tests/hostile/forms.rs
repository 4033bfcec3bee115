//! Every form: a check gives what it promises, or names fields of that form.

use domain::{
    Error,
    announcements::AnnouncementForm,
    courses::CourseForm,
    delegations::DelegationForm,
    money::{Currency, Money},
    names,
    page::{MAX_LIMIT, PageRequest},
    people::{Invitation, NewPerson},
    pricing::{DiscountForm, PriceForm},
    quotas::{BudgetForm, QuotaForm},
    shares::{self, ShareForm},
    time::Timestamp,
    tokens::TokenForm,
};
use proptest::{collection::vec, prelude::*};

use crate::texts::{config, names_only, nasty, near};

const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
const NUMBERS: &[&str] = &["6000", "0", "8", "1/7", "1 3/7", "0.5", "-1"];
const DAYS: &[&str] = &["2026-12-01", "2026-11-01", "9999-12-31", "0000-01-01", ""];

/// Either good or a refusal that names nothing but these fields.
#[track_caller]
fn good_or_named<T>(result: Result<T, Error>, fields: &[&str]) {
    if let Err(error) = result {
        names_only(&error, fields);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn quotas(texts in vec(near(NUMBERS), 7)) {
        let mut texts = texts.into_iter();
        let mut next = || texts.next().unwrap_or_default();
        let form = QuotaForm {
            cards: next(), cpu_cores: next(), memory_gib: next(), storage_gib: next(), running_labs: next(), cards_per_order: next(), starts_per_day: next(),
        };
        let known = ["cards", "cpu_cores", "memory_gib", "storage_gib", "running_labs", "cards_per_order", "starts_per_day"];
        good_or_named(form.check(Money::zero(Currency::Cny)), &known);
    }

    #[test]
    fn budgets(amount in near(NUMBERS), from in near(DAYS), to in near(DAYS), notify in near(&["50, 80%", "", "200"]), block in near(&["100", ""])) {
        let form = BudgetForm { amount, from, to, notify, approve: String::new(), block };
        match form.check(Currency::Cny) {
            Ok((_, terms)) => {
                prop_assert!(terms.thresholds.iter().all(|each| (1..=200).contains(&each.percent)));
                prop_assert!(terms.from.zip(terms.to).is_none_or(|(from, to)| from < to));
            }
            Err(error) => names_only(&error, &["amount", "from", "to", "notify", "approve", "block"]),
        }
    }

    #[test]
    fn links_to_a_lab(lasts in near(&["hour", "lab", "until", ""]), until in near(&["2026-11-18T12:00", "2026-11-18T12:00:00+08:00", ""]), ends in 0..9_000_000_i64) {
        let lab_ends_at = NOW.plus_seconds(ends);
        let form = ShareForm { lasts, until, view_only: true };
        match form.check(NOW, Some(lab_ends_at)) {
            Ok(share) => {
                prop_assert!(share.ends_at <= shares::latest_end(NOW, Some(lab_ends_at)));
            }
            Err(error) => names_only(&error, &["lasts", "until"]),
        }
    }

    #[test]
    fn prices(meter in near(&["gpu-a100-80g-hour", "storage-gib-month"]), price in near(&["5.40", "1000000"]), quoted in near(&["unit", "minute", ""]), from in near(DAYS)) {
        let form = PriceForm { meter, price, quoted, from };
        match form.check(NOW, NOW) {
            Ok(price) => prop_assert!(price.unit_micros >= 0 && price.from >= NOW),
            Err(error) => names_only(&error, &["meter", "price", "quoted", "from"]),
        }
    }

    #[test]
    fn discounts(percent in near(&["20", "12.5%", "100", "0"]), from in near(DAYS), until in near(DAYS), reason in near(&["pilot"])) {
        let form = DiscountForm { percent, from, until, reason };
        match form.check(NOW, NOW) {
            Ok(new) => prop_assert!((1..=10_000).contains(&new.off.get()) && new.to.is_none_or(|to| to > new.from)),
            Err(error) => names_only(&error, &["percent", "from", "until", "reason"]),
        }
    }

    #[test]
    fn announcements(zh in nasty(), en in nasty(), level in near(&["info", "maintenance"]), from in near(&["", "2026-12-01T08:00"]), to in near(&["2026-12-02T08:00", "2026-12-02T08:00:00Z"])) {
        let form = AnnouncementForm { zh, en, level, from, to, department: String::new() };
        match form.check(NOW) {
            Ok((_, _, from, to)) => prop_assert!(from < to && NOW <= to, "{:?}", form),
            Err(error) => names_only(&error, &["zh", "en", "level", "from", "to"]),
        }
    }

    #[test]
    fn delegations(stand_in in near(&["li.hua"]), from in near(DAYS), until in near(DAYS), note in near(&["出差"])) {
        let form = DelegationForm { stand_in, from, until, note };
        match form.check(NOW) {
            Ok(new) => prop_assert!(new.from < new.until && new.until > NOW && new.from >= NOW.start_of_campus_day(), "{:?}", form),
            Err(error) => names_only(&error, &["stand_in", "from", "until", "note"]),
        }
    }

    #[test]
    fn courses(code in near(&["CV2402"]), name in near(&["计算机视觉"]), budget in near(NUMBERS), cards in near(NUMBERS)) {
        let form = CourseForm { code, name, budget, cards, department: String::new() };
        if let Ok((_, name, ..)) = form.check() {
            prop_assert!(!name.chars().any(names::is_invisible), "{:?}", name);
        }
        good_or_named(form.check(), &["code", "name", "budget", "cards"]);
    }

    #[test]
    fn people(login in near(&["li.hua"]), name in near(&["李华"]), password in nasty()) {
        good_or_named(Invitation { login: login.clone(), name: name.clone() }.check(), &["login", "name"]);
        let new = NewPerson { login, name, password };
        if let Ok((login, name)) = new.check() {
            prop_assert!(!login.chars().chain(name.chars()).any(names::is_invisible), "they stand in logs and lists: {:?} {:?}", login, name);
        }
        good_or_named(new.check(), &["login", "name", "password"]);
    }

    #[test]
    fn tokens(name in near(&["grading script"]), scopes in vec(near(&["orders:read", "admin"]), 0..20), days in near(&["30", "90"])) {
        good_or_named(TokenForm { name, scopes, days }.check(), &["name", "scopes", "days"]);
    }

    #[test]
    fn pages(limit in any::<u32>(), after in nasty()) {
        let page = PageRequest { limit, after: Some(after) };
        prop_assert_eq!(page.rows().is_ok(), (1..=MAX_LIMIT).contains(&limit));
        good_or_named(page.rows(), &["limit"]);
        good_or_named(page.cursor(|text| text.parse::<i64>().ok()), &["after"]);
    }
}
