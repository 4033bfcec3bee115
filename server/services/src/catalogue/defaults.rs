//! Defaults of a new installation: eight offerings, the reference prices in yuan, a policy. An operator changes all of it later.

use domain::{
    Result,
    access::Role,
    approvals::{Condition, OrderTest, Outcome, Policy, Rule},
    catalogue::Localized,
    gpu::{Card, CardShare},
    ids::{PriceBookId, TenantId},
    money::{Currency, MICROS_PER_UNIT},
    pricing::{Meter, Price, PriceBook},
    time::Timestamp,
};
use storage::Write;

use crate::{
    Services,
    error::{OrDomain, internal},
    offerings::yaml,
    secrets,
};

/// In the catalogue's order.
pub(crate) const OFFERINGS: [&str; 8] = [
    include_str!("../../offerings/jupyterlab-slice.yaml"),
    include_str!("../../offerings/jupyterlab-2xa100-1tb.yaml"),
    include_str!("../../offerings/vscode.yaml"),
    include_str!("../../offerings/linux-ssh.yaml"),
    include_str!("../../offerings/batch-training.yaml"),
    include_str!("../../offerings/inference-service.yaml"),
    include_str!("../../offerings/pytorch-ddp-8.yaml"),
    include_str!("../../offerings/pytorch-ddp-10.yaml"),
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

/// Lays down what is missing of offerings, prices, the tenant's policy and the value of labs' own secrets. Doing it again changes nothing.
pub async fn install_defaults(services: &Services, write: &mut Write, tenant: TenantId) -> Result<()> {
    let now = services.clock.now();
    let mut changed = false;
    for (position, text) in (1..).zip(OFFERINGS) {
        let offering = yaml::parse(text).map_err(|error| internal(&error))?;
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
    changed |= storage::policies::insert(write, tenant, &policy(), now).await.or_domain()?;
    secrets::own::lay_down(services, write).await?;
    if changed {
        storage::offerings::raise_version(write).await.or_domain()?;
    }
    Ok(())
}

/// The prices of a new installation, for a first idea of what an offering would cost.
pub fn price_book(now: Timestamp) -> PriceBook {
    PriceBook { prices: prices(now.campus_month().start()), ..PriceBook::empty(PriceBookId::from_uuid(uuid::Uuid::nil()), Currency::Cny) }
}

/// Prices of every kind of card that there is, from the beginning of the month on.
fn prices(from: Timestamp) -> Vec<Price> {
    let fen = |card: Card| CARD_FEN.iter().find(|(id, _)| *id == card.id()).map(|(_, fen)| *fen);
    let cards = Card::all().filter_map(|card| Some((Meter::CardHour(card), fen(card)? * MICROS_PER_FEN)));
    cards.chain(OTHER_MICROS).map(|(meter, unit_micros)| Price::new(meter, unit_micros, from)).collect()
}

/// Automatic up to one whole card and ¥500, within the course's figures per order and day; a manager decides the rest (C1, D3).
pub(super) fn policy() -> Policy {
    let rule = |zh: &str, en: &str, when: Condition, then| Rule::new(Localized { zh: zh.into(), en: en.into() }, when, then);
    let manager = || Outcome::Stages(vec![Role::Manager]);
    Policy::new(vec![
        rule("超过课程每单卡数", "More cards than the course may have per order", OrderTest::OverCardsPerOrder.into(), manager()),
        rule("超过课程当天启动卡数", "More cards than the course may start in a day", OrderTest::OverStartsPerDay.into(), manager()),
        rule("超过一张整卡", "More than one whole card", OrderTest::CardsOver(CardShare::WHOLE).into(), manager()),
        rule("费用超过 500 元", "Costs more than ¥500", OrderTest::CostOver(COST_LIMIT_YUAN * MICROS_PER_UNIT).into(), manager()),
        rule("其余免审批", "Everything else needs no approval", Condition::Always, Outcome::Automatic),
    ])
}

#[cfg(test)]
mod tests {
    use domain::catalogue::Offering;

    use super::*;

    #[test]
    fn every_built_in_offering_reads_and_says_what_its_defaults_make() {
        let offerings = OFFERINGS.map(|text| yaml::parse(text).expect("a good offering"));
        for (offering, text) in offerings.iter().zip(OFFERINGS) {
            // Reading brings the base in line; the file should say it right by itself.
            let plain: serde_json::Value = serde_yaml_ng::from_str(text).expect("YAML");
            assert_eq!(serde_json::from_value::<Offering>(plain).expect("an offering"), *offering, "{}", offering.slug);
            offering.check_duration(offering.duration.default).expect("the default duration is allowed");
        }
        let ids: std::collections::BTreeSet<_> = offerings.iter().map(|offering| offering.id).collect();
        assert_eq!(ids.len(), OFFERINGS.len(), "each has an id of its own");
        let of = |slug: &str| offerings.iter().find(|offering| offering.slug == slug).map(Offering::defaults).expect("built in");
        let (slice, large, ddp, ten) = (of("jupyterlab-slice"), of("jupyterlab-2xa100-1tb"), of("pytorch-ddp-8"), of("pytorch-ddp-10"));
        assert_eq!((slice.card_share().to_string().as_str(), slice.cpu_cores, slice.memory_gib, slice.storage_gib), ("1/7", 4, 16, 20));
        assert_eq!((large.cards(), large.storage_gib), (2, 1_024));
        assert_eq!((ddp.nodes, ddp.cards_per_node, ddp.cpu_cores, ddp.memory_gib), (8, 1, 16, 64));
        assert_eq!((ten.nodes, ten.cards()), (10, 10));
    }

    #[test]
    fn an_order_of_each_can_be_priced_by_the_first_price_book() {
        let now = Timestamp::from_seconds(1_795_000_000);
        for text in OFFERINGS {
            let offering = yaml::parse(text).expect("a good offering");
            price_book(now).estimate(&offering.defaults(), 60, now).expect("a price");
        }
    }

    #[test]
    fn every_meter_has_a_price() {
        let priced: Vec<_> = prices(domain::time::Timestamp::from_seconds(0)).into_iter().map(|price| price.meter).collect();
        assert!(Meter::all().all(|meter| priced.contains(&meter)), "{priced:?}");
        assert_eq!(priced.len(), Meter::all().count());
    }
}
