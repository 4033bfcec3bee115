//! What a new installation begins with: three offerings, the reference prices in yuan, a policy. An operator changes all of it later.

use domain::{
    Result,
    access::Role,
    approvals::{Condition, Outcome, Policy, Rule},
    catalogue::{Localized, Offering},
    gpu::{Card, CardShare},
    ids::{PriceBookId, TenantId},
    money::{Currency, MICROS_PER_UNIT},
    pricing::{Meter, Price},
};
use storage::Write;

use crate::{
    Services,
    error::{OrDomain, internal},
};

/// In the catalogue's order.
pub(super) const OFFERINGS: [&str; 3] = [
    include_str!("../../offerings/jupyterlab-slice.yaml"),
    include_str!("../../offerings/jupyterlab-2xa100-1tb.yaml"),
    include_str!("../../offerings/pytorch-ddp-8.yaml"),
];

/// Fen per card-hour. A whole A100 is the reference price of requirements E4; a seventh costs a seventh.
const CARD_FEN: [(&str, i64); 6] =
    [("a100-80g", 540), ("a100-80g-1g.10gb", 77), ("a100-80g-2g.20gb", 154), ("h100-80g", 980), ("v100-32g", 260), ("mi250", 480)];
/// Micro-yuan per core-hour, GiB-hour and GiB-month; storage at the reference prices of E4 ($0.15, $0.02, $0.001).
const OTHER_MICROS: [(Meter, i64); 5] = [
    (Meter::CpuCoreHour, 50_000),
    (Meter::MemoryGibHour, 10_000),
    (Meter::StorageGibMonth, 1_080_000),
    (Meter::HddGibMonth, 144_000),
    (Meter::ObjectGibMonth, 7_200),
];

const MICROS_PER_FEN: i64 = MICROS_PER_UNIT / 100;
/// Orders above this ask a manager.
const COST_LIMIT_YUAN: i64 = 500;

/// Lays down what is missing of offerings, prices and the tenant's policy. Doing it again changes nothing.
pub async fn install_defaults(services: &Services, write: &mut Write, tenant: TenantId) -> Result<()> {
    let now = services.clock.now();
    let mut changed = false;
    for (position, text) in (1..).zip(OFFERINGS) {
        let offering = parse(text).map_err(|error| internal(&error))?;
        changed |= storage::offerings::publish(write, &offering, position, now).await.or_domain()?;
    }
    if !storage::prices::has_default(write).await.or_domain()? {
        let book = PriceBookId::from_uuid(services.entropy.uuid());
        storage::prices::insert_book(write, book, None, Currency::Cny).await.or_domain()?;
        for price in prices(now.campus_month().start()) {
            storage::prices::insert_price(write, book, &price).await.or_domain()?;
        }
        changed = true;
    }
    changed |= storage::policies::insert(write, tenant, &policy()).await.or_domain()?;
    if changed {
        storage::offerings::raise_version(write).await.or_domain()?;
    }
    Ok(())
}

/// By way of JSON, so that enums are written as in the API (`kind: {text: …}`) and not as YAML tags.
pub(super) fn parse(text: &str) -> Result<Offering, serde_json::Error> {
    use serde::de::Error as _;
    let value: serde_json::Value = serde_yaml_ng::from_str(text).map_err(serde_json::Error::custom)?;
    serde_json::from_value(value)
}

/// Prices of every kind of card that there is, from the beginning of the month on.
fn prices(from: domain::time::Timestamp) -> Vec<Price> {
    let fen = |card: Card| CARD_FEN.iter().find(|(id, _)| *id == card.id()).map(|(_, fen)| *fen);
    let cards = Card::all().filter_map(|card| Some((Meter::CardHour(card), fen(card)? * MICROS_PER_FEN)));
    cards.chain(OTHER_MICROS).map(|(meter, unit_micros)| Price::new(meter, unit_micros, from)).collect()
}

/// Automatic up to one whole card and ¥500, within the course's figures per order and day; a manager decides the rest (C1, D3).
pub(super) fn policy() -> Policy {
    let rule = |zh: &str, en: &str, when, then| Rule { name: Localized { zh: zh.into(), en: en.into() }, when, then };
    let manager = Outcome::Approval(Role::Manager);
    Policy {
        rules: vec![
            rule("超过课程每单卡数", "More cards than the course may have per order", Condition::OverCardsPerOrder, manager),
            rule("超过课程当天启动卡数", "More cards than the course may start in a day", Condition::OverStartsPerDay, manager),
            rule("超过一张整卡", "More than one whole card", Condition::CardsOver(CardShare::WHOLE), manager),
            rule("费用超过 500 元", "Costs more than ¥500", Condition::CostOver(COST_LIMIT_YUAN * MICROS_PER_UNIT), manager),
            rule("其余免审批", "Everything else needs no approval", Condition::Always, Outcome::Automatic),
        ],
    }
}

#[cfg(test)]
mod tests {
    use domain::catalogue::ParameterInput;

    use super::*;

    #[test]
    fn every_built_in_offering_reads_and_its_defaults_resolve() {
        let offerings = OFFERINGS.map(|text| parse(text).expect("a good offering"));
        for offering in &offerings {
            let spec = offering.resolve(&ParameterInput::new()).expect("defaults are values");
            // The base is what the defaults say, so that the catalogue card tells the truth.
            assert_eq!(spec, domain::catalogue::LabSpec { environment: spec.environment.clone(), ..offering.base.clone() }, "{}", offering.slug);
            offering.check_duration(offering.duration.default).expect("the default duration is allowed");
        }
        let [slice, large, ddp] = offerings.map(|offering| offering.resolve(&ParameterInput::new()).expect("defaults"));
        assert_eq!((slice.card_share().to_string().as_str(), slice.cpu_cores, slice.memory_gib, slice.storage_gib), ("1/7", 4, 16, 20));
        assert_eq!((large.cards(), large.storage_gib), (2, 1_024));
        assert_eq!((ddp.nodes, ddp.cards_per_node, ddp.cpu_cores, ddp.memory_gib), (8, 1, 16, 64));
    }

    #[test]
    fn an_unknown_key_in_an_offering_is_refused() {
        assert!(parse(&format!("{}\ncolour: red\n", OFFERINGS[0])).is_err());
    }

    #[test]
    fn every_meter_has_a_price() {
        let priced: Vec<_> = prices(domain::time::Timestamp::from_seconds(0)).into_iter().map(|price| price.meter).collect();
        assert!(Meter::all().all(|meter| priced.contains(&meter)), "{priced:?}");
        assert_eq!(priced.len(), Meter::all().count());
    }
}
