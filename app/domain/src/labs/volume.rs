//! A lab's persistent volume as the cluster reports it: its identity and its size.

use serde::{Deserialize, Serialize};

/// Failure reason of a lab whose volume, with all its files, was deleted.
pub const VOLUME_LOST: &str = "VolumeLost";

/// Reason of the note on a lab whose volume the cluster refused to grow, although it had passed the check. The lab does not fail.
pub const VOLUME_NOT_GROWN: &str = "VolumeNotGrown";

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Identifies this volume; a new volume of the same name has another UID.
    pub uid: String,
    /// Usable GiB. `None` until the cluster has provided the volume.
    pub capacity_gib: Option<u32>,
    /// GiB that the claim requests. It exceeds the capacity while the volume grows.
    pub requested_gib: u32,
    /// The volume was seen earlier and no longer exists.
    #[serde(default)]
    pub lost: bool,
}

impl Volume {
    /// GiB that are both requested and provided, which is the billed size. A cluster without a provisioner may bind a volume larger than
    /// the request.
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
