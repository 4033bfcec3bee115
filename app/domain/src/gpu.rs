//! Cards by name: what a teacher calls a card, what share of a whole one it is, and what Kubernetes calls it.
//! To offer another card add a row to `CARDS`.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Whole-card equivalents in 1/840ths, so that sevenths (MIG) and eighths (shares) add up exactly (D3).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CardShare(i64);

impl CardShare {
    pub const WHOLE: Self = Self(840);
    pub const ZERO: Self = Self(0);
    pub const fn whole(cards: i64) -> Self {
        Self(cards * 840)
    }
    pub const fn from_parts(parts: i64) -> Self {
        Self(parts)
    }
    /// 840 is one whole card.
    pub const fn parts(self) -> i64 {
        self.0
    }
    #[must_use]
    pub const fn times(self, count: i64) -> Self {
        Self(self.0.saturating_mul(count))
    }
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    #[must_use]
    pub const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

/// `2`, `1/7`, `1 3/7`, or two decimals where no small fraction fits.
impl fmt::Display for CardShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let (whole, rest) = (self.0.unsigned_abs() / 840, self.0.unsigned_abs() % 840);
        if rest == 0 {
            return write!(f, "{sign}{whole}");
        }
        for denominator in [2, 4, 7, 8, 3, 5, 6] {
            if rest * denominator % 840 == 0 {
                let numerator = rest * denominator / 840;
                return if whole == 0 { write!(f, "{sign}{numerator}/{denominator}") } else { write!(f, "{sign}{whole} {numerator}/{denominator}") };
            }
        }
        // What is not quite a card is not shown as one.
        write!(f, "{sign}{whole}.{:02}", ((rest * 100 + 420) / 840).min(99))
    }
}

/// Who makes the card. Each vendor's software labels nodes in its own words: GPU feature discovery for NVIDIA, the node labeller for AMD.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Vendor {
    Nvidia,
    Amd,
}

impl Vendor {
    pub const ALL: [Self; 2] = [Self::Nvidia, Self::Amd];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Nvidia => "NVIDIA",
            Self::Amd => "AMD",
        }
    }
    /// The prefix of its extended resources and of its nodes' taint.
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Nvidia => "nvidia.com/",
            Self::Amd => "amd.com/",
        }
    }
    /// Extended resource of whole cards.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::Nvidia => "nvidia.com/gpu",
            Self::Amd => "amd.com/gpu",
        }
    }
    /// Node label that carries [`CardKind::product`].
    pub const fn product_label(self) -> &'static str {
        match self {
            Self::Nvidia => "nvidia.com/gpu.product",
            Self::Amd => "amd.com/gpu.product-name",
        }
    }
    /// Node label with the driver's version: `550.54.15`.
    pub const fn driver_label(self) -> &'static str {
        match self {
            Self::Nvidia => "nvidia.com/cuda.driver-version.full",
            Self::Amd => "amd.com/gpu.driver-version",
        }
    }
}

/// A kind of card that can be ordered: a whole one or a share of one.
#[derive(Debug, PartialEq, Eq)]
pub struct CardKind {
    /// Stable id, used in price books and orders: `a100-80g`, `a100-80g-1g.10gb`.
    pub id: &'static str,
    /// What people call it: `A100 80 GB`, `A100 1/7, 10 GB`.
    pub name: &'static str,
    pub vendor: Vendor,
    /// Model shared by all shares of it: `a100-80g`.
    pub model: &'static str,
    pub memory_gb: u32,
    pub share: CardShare,
    /// Extended resource that a pod requests.
    pub resource: &'static str,
    /// Value of the node label [`Vendor::product_label`] that says the node has it.
    pub product: &'static str,
}

pub const CARDS: &[CardKind] = &[
    CardKind {
        id: "a100-80g",
        name: "A100 80 GB",
        vendor: Vendor::Nvidia,
        model: "a100-80g",
        memory_gb: 80,
        share: CardShare::WHOLE,
        resource: "nvidia.com/gpu",
        product: "NVIDIA-A100-SXM4-80GB",
    },
    CardKind {
        id: "a100-80g-1g.10gb",
        name: "A100 1/7, 10 GB",
        vendor: Vendor::Nvidia,
        model: "a100-80g",
        memory_gb: 10,
        share: CardShare::from_parts(120),
        resource: "nvidia.com/mig-1g.10gb",
        product: "NVIDIA-A100-SXM4-80GB",
    },
    CardKind {
        id: "a100-80g-2g.20gb",
        name: "A100 2/7, 20 GB",
        vendor: Vendor::Nvidia,
        model: "a100-80g",
        memory_gb: 20,
        share: CardShare::from_parts(240),
        resource: "nvidia.com/mig-2g.20gb",
        product: "NVIDIA-A100-SXM4-80GB",
    },
    CardKind {
        id: "h100-80g",
        name: "H100 80 GB",
        vendor: Vendor::Nvidia,
        model: "h100-80g",
        memory_gb: 80,
        share: CardShare::WHOLE,
        resource: "nvidia.com/gpu",
        product: "NVIDIA-H100-80GB-HBM3",
    },
    CardKind {
        id: "v100-32g",
        name: "V100 32 GB",
        vendor: Vendor::Nvidia,
        model: "v100-32g",
        memory_gb: 32,
        share: CardShare::WHOLE,
        resource: "nvidia.com/gpu",
        product: "Tesla-V100-SXM2-32GB",
    },
    CardKind {
        id: "mi250",
        name: "MI250 128 GB",
        vendor: Vendor::Amd,
        model: "mi250",
        memory_gb: 128,
        share: CardShare::WHOLE,
        resource: "amd.com/gpu",
        product: "AMD_Instinct_MI250_OAM",
    },
];

/// Peak performance of a card, from its maker's public data sheet: dense FP16 on matrix units. Rough: it compares cards, it promises nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Thousand million operations a second.
    pub tensor_gflops: u32,
}

/// Whole cards by model.
const TENSOR_GFLOPS: [(&str, u32); 4] = [("a100-80g", 312_000), ("h100-80g", 989_000), ("v100-32g", 125_000), ("mi250", 362_100)];

/// Figures of a card; a share has its part of the whole. All zero for a model that the table does not have.
pub fn figures(card: Card) -> Figures {
    let whole = TENSOR_GFLOPS.iter().find(|(model, _)| *model == card.kind().model).map_or(0, |(_, figure)| *figure);
    let part = i64::from(whole) * card.share().parts() / CardShare::WHOLE.parts();
    Figures { tensor_gflops: u32::try_from(part).unwrap_or(u32::MAX) }
}

/// A card kind by its id; always one of `CARDS`.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Card(&'static CardKind);

impl Card {
    pub fn all() -> impl Iterator<Item = Self> {
        CARDS.iter().map(Self)
    }
    pub fn kind(self) -> &'static CardKind {
        self.0
    }
    pub fn id(self) -> &'static str {
        self.0.id
    }
    pub fn name(self) -> &'static str {
        self.0.name
    }
    pub fn share(self) -> CardShare {
        self.0.share
    }
    /// The kind that a node with this product label offers under this resource name.
    pub fn of_node(product: &str, resource: &str) -> Option<Self> {
        CARDS.iter().find(|kind| kind.product == product && kind.resource == resource).map(Self)
    }
}

impl fmt::Debug for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Card({})", self.0.id)
    }
}
impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.id)
    }
}
impl PartialOrd for Card {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Card {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.id.cmp(other.0.id)
    }
}
impl std::hash::Hash for Card {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.id.hash(state);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown card {0:?}")]
pub struct UnknownCard(pub String);

impl FromStr for Card {
    type Err = UnknownCard;
    fn from_str(id: &str) -> Result<Self, UnknownCard> {
        CARDS.iter().find(|kind| kind.id == id).map(Self).ok_or_else(|| UnknownCard(id.chars().take(64).collect()))
    }
}
impl From<Card> for String {
    fn from(card: Card) -> Self {
        card.0.id.to_owned()
    }
}
impl TryFrom<String> for Card {
    type Error = UnknownCard;
    fn try_from(id: String) -> Result<Self, UnknownCard> {
        id.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seven_slices_are_one_card() {
        let slice: Card = "a100-80g-1g.10gb".parse().expect("a card");
        assert_eq!(slice.share().times(7), CardShare::WHOLE);
        assert_eq!(slice.share().to_string(), "1/7");
        assert_eq!(slice.share().times(10).to_string(), "1 3/7");
        assert_eq!(CardShare::whole(8).to_string(), "8");
    }

    #[test]
    fn every_model_has_figures_and_a_share_its_part() {
        for card in Card::all() {
            assert!(figures(card).tensor_gflops > 0, "{card}");
        }
        let slice: Card = "a100-80g-2g.20gb".parse().expect("a card");
        assert_eq!(figures(slice).tensor_gflops, 312_000 * 2 / 7);
    }

    #[test]
    fn card_ids_are_unique_and_each_resource_is_found_on_its_node() {
        for card in Card::all() {
            assert_eq!(CARDS.iter().filter(|other| other.id == card.id()).count(), 1);
            assert_eq!(Card::of_node(card.kind().product, card.kind().resource), Some(card));
            assert!(card.kind().resource.starts_with(card.kind().vendor.prefix()), "{card}");
        }
    }
}
