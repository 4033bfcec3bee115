//! What is metered: names that price books, usage and the API share. To meter another thing add a variant, its name and its words.

use serde::{Deserialize, Serialize};

use crate::{catalogue::LabSpec, gpu::Card};

/// What is metered and priced (E1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Meter {
    /// One card (or share) of this kind for an hour: `gpu-a100-80g-hour`.
    CardHour(Card),
    /// `cpu-core-hour`
    CpuCoreHour,
    /// `memory-gib-hour`
    MemoryGibHour,
    /// A GiB of a lab's volume (SSD) for a month of 30 days: `storage-gib-month`.
    StorageGibMonth,
    /// The same on the slow tier: `storage-hdd-gib-month`.
    HddGibMonth,
    /// The same in object storage: `storage-object-gib-month`.
    ObjectGibMonth,
}

impl Meter {
    /// Every meter there is, cards first.
    pub fn all() -> impl Iterator<Item = Self> {
        let others = [Self::CpuCoreHour, Self::MemoryGibHour, Self::StorageGibMonth, Self::HddGibMonth, Self::ObjectGibMonth];
        Card::all().map(Self::CardHour).chain(others)
    }

    /// Counted by the month of 30 days, not by the hour.
    pub const fn is_monthly(self) -> bool {
        matches!(self, Self::StorageGibMonth | Self::HddGibMonth | Self::ObjectGibMonth)
    }

    /// Seconds in the meter's unit of time; a storage month has 30 days whatever the calendar says.
    pub const fn unit_seconds(self) -> i64 {
        if self.is_monthly() { 30 * 86_400 } else { 3_600 }
    }
}

impl std::fmt::Display for Meter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CardHour(card) => write!(f, "gpu-{card}-hour"),
            Self::CpuCoreHour => f.write_str("cpu-core-hour"),
            Self::MemoryGibHour => f.write_str("memory-gib-hour"),
            Self::StorageGibMonth => f.write_str("storage-gib-month"),
            Self::HddGibMonth => f.write_str("storage-hdd-gib-month"),
            Self::ObjectGibMonth => f.write_str("storage-object-gib-month"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown meter {0:?}")]
pub struct UnknownMeter(pub String);

impl std::str::FromStr for Meter {
    type Err = UnknownMeter;
    fn from_str(text: &str) -> Result<Self, UnknownMeter> {
        match text {
            "cpu-core-hour" => Ok(Self::CpuCoreHour),
            "memory-gib-hour" => Ok(Self::MemoryGibHour),
            "storage-gib-month" => Ok(Self::StorageGibMonth),
            "storage-hdd-gib-month" => Ok(Self::HddGibMonth),
            "storage-object-gib-month" => Ok(Self::ObjectGibMonth),
            other => other
                .strip_prefix("gpu-")
                .and_then(|rest| rest.strip_suffix("-hour"))
                .and_then(|id| id.parse().ok())
                .map(Self::CardHour)
                .ok_or_else(|| UnknownMeter(other.chars().take(64).collect())),
        }
    }
}
impl From<Meter> for String {
    fn from(meter: Meter) -> Self {
        meter.to_string()
    }
}
impl TryFrom<String> for Meter {
    type Error = UnknownMeter;
    fn try_from(text: String) -> Result<Self, UnknownMeter> {
        text.parse()
    }
}

/// Meters that count while a lab runs, with their quantities (whole units).
pub fn running_meters(spec: &LabSpec) -> Vec<(Meter, i64)> {
    [
        (Meter::CardHour(spec.card), i64::from(spec.cards())),
        (Meter::CpuCoreHour, i64::from(spec.total_cpu_cores())),
        (Meter::MemoryGibHour, i64::from(spec.total_memory_gib())),
    ]
    .into_iter()
    .filter(|(_, quantity)| *quantity > 0)
    .collect()
}

/// Meters that count as long as the lab's volume exists.
pub fn kept_meters(spec: &LabSpec) -> Vec<(Meter, i64)> {
    if spec.storage_gib > 0 { vec![(Meter::StorageGibMonth, i64::from(spec.storage_gib))] } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meter_names_read_back() {
        for meter in Meter::all() {
            assert_eq!(meter.to_string().parse(), Ok(meter));
        }
        assert!("gpu-abacus-hour".parse::<Meter>().is_err());
    }
}
