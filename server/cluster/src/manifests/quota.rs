//! The course's limits as a ResourceQuota (D2): a backstop behind the portal's own check, which alone can add up different cards.
//!
//! The limit on cards is in whole-card equivalents, Kubernetes counts each resource name by itself. So each name gets the most that the
//! limit allows of that kind alone: with 4 cards `nvidia.com/gpu` 4 and, seven to a card, `nvidia.com/mig-1g.10gb` 28.

use std::collections::BTreeMap;

use domain::{
    courses::Course,
    gpu::{Card, CardShare},
    quotas::Amounts,
};
use serde_json::json;

use super::Manifest;
use crate::{kinds::Kind, labels};

const NAME: &str = "lectern-course";
/// D2's reference value; the portal counts labs, of which one may be many pods.
const PODS: u32 = 1_000;

pub fn resource_quota(course: &Course, limits: &Amounts) -> Manifest {
    let mut hard = BTreeMap::from([
        ("pods".to_owned(), PODS.to_string()),
        ("requests.cpu".to_owned(), limits.cpu_cores.max(0).to_string()),
        ("requests.memory".to_owned(), format!("{}Gi", limits.memory_gib.max(0))),
        ("requests.storage".to_owned(), format!("{}Gi", limits.storage_gib.max(0))),
    ]);
    for (resource, most) in cards(limits.cards) {
        // Extended resources are accepted only with this prefix, never as `limits.`.
        hard.insert(format!("requests.{resource}"), most.to_string());
    }
    Manifest::new(Kind::ResourceQuota, &course.namespace, NAME, &labels::of_course(course), json!({ "spec": { "hard": hard } }))
}

/// The most of each resource name that the limit allows, rounded down; the largest where kinds of card share a name.
fn cards(limit: CardShare) -> BTreeMap<&'static str, i64> {
    let mut most = BTreeMap::new();
    for card in Card::all() {
        let count = limit.parts().max(0) / card.share().parts().max(1);
        let entry = most.entry(card.kind().resource).or_insert(count);
        *entry = count.max(*entry);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_in_cards_becomes_whole_numbers_of_each_kind() {
        let four = cards(CardShare::whole(4));
        assert_eq!((four["nvidia.com/gpu"], four["nvidia.com/mig-1g.10gb"], four["nvidia.com/mig-2g.20gb"]), (4, 28, 14));
        let half = cards(CardShare::from_parts(420));
        assert_eq!((half["nvidia.com/gpu"], half["nvidia.com/mig-1g.10gb"]), (0, 3));
    }
}
