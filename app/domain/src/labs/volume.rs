//! A lab's persistent volume as the cluster has it: which one it is, and how large.

use serde::{Deserialize, Serialize};

/// The reason of a failed lab whose volume, and with it every file, is gone.
pub const VOLUME_LOST: &str = "VolumeLost";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Identifies this volume: a new one of the same name has another.
    pub uid: String,
    /// GiB that can be used. `None` until the cluster has provided the volume.
    pub capacity_gib: Option<u32>,
    /// GiB that the claim requests. More than the capacity while the volume grows.
    pub requested_gib: u32,
    /// It was seen earlier and no longer exists.
    #[serde(default)]
    pub lost: bool,
}

impl Volume {
    /// GiB that are requested and there, which is what is billed. A cluster without a provisioner may bind a volume larger than the request.
    pub fn size_gib(&self) -> Option<u32> {
        Some(self.capacity_gib?.min(self.requested_gib))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_what_is_requested_and_there() {
        let volume = |capacity_gib, requested_gib| Volume { uid: "u".into(), capacity_gib, requested_gib, lost: false }.size_gib();
        assert_eq!(volume(Some(20), 20), Some(20));
        assert_eq!(volume(Some(20), 40), Some(20), "it has not grown yet");
        assert_eq!(volume(Some(60), 60), Some(60), "somebody else enlarged it");
        assert_eq!(volume(Some(100), 20), Some(20), "the cluster had none as small");
        assert_eq!(volume(None, 20), None, "not provided yet");
    }
}
