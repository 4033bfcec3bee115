//! Counts the output of a shell since it began: how much of it the screen has taken in, what the portal was told of that, and up to where it is
//! a repetition. The portal sends [`WINDOW`] bytes ahead of what it was told, so a program that writes without end is never far ahead of the
//! screen, and Ctrl-C shows soon.

use domain::terminal::{Attached, WINDOW};

/// The portal is told of so much output at a time, well before it waits for that.
const TELL: u64 = WINDOW / 4;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flow {
    taken: u64,
    told: u64,
    live: u64,
}

impl Flow {
    /// Output on the screen, for the portal; `None` for an empty screen.
    pub fn seen(&self) -> Option<u64> {
        (self.taken > 0).then_some(self.taken)
    }

    /// Begins at the portal's count. Returns whether the screen shows something else and must be cleared.
    pub fn attach(&mut self, attached: &Attached) -> bool {
        let is_other = attached.from != self.taken;
        *self = Self { taken: attached.from, told: attached.from, live: attached.live };
        is_other
    }

    /// The bytes at the beginning of the next output to whose questions nothing may be answered.
    pub fn repeated(&self, length: usize) -> usize {
        usize::try_from(self.live.saturating_sub(self.taken)).unwrap_or(usize::MAX).min(length)
    }

    /// Counts output that the screen has taken in, and gives the count of which the portal is to be told now.
    pub fn take(&mut self, length: usize) -> Option<u64> {
        self.taken += length as u64;
        if self.taken - self.told < TELL {
            return None;
        }
        self.told = self.taken;
        Some(self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attached(from: u64, live: u64) -> Attached {
        Attached { token: "t".into(), from, live }
    }

    #[test]
    fn the_portal_is_told_before_it_waits() {
        let mut flow = Flow::default();
        assert!(!flow.attach(&attached(0, 0)), "the screen is empty");
        let (mut sent, mut seen) = (0_u64, 0);
        // As the portal sends: as long as less than the window is on its way.
        for _ in 0..1_000 {
            assert!(sent - seen < WINDOW, "the portal waits, and is not told any more");
            sent += 1_000;
            seen = flow.take(1_000).unwrap_or(seen);
            assert!(sent - seen < TELL, "it is told late");
        }
        assert_eq!(flow.seen(), Some(sent));
    }

    #[test]
    fn a_screen_goes_on_at_its_count_and_is_cleared_for_another() {
        let mut flow = Flow::default();
        assert_eq!(flow.seen(), None);
        assert!(flow.attach(&attached(40, 100)));
        assert_eq!((flow.repeated(10), flow.repeated(1_000)), (10, 60));
        flow.take(60);
        assert_eq!((flow.repeated(10), flow.seen()), (0, Some(100)));
        assert!(!flow.attach(&attached(100, 100)), "it has all of it");
        assert!(flow.attach(&attached(0, 100)), "the portal repeats it");
        assert_eq!(flow.repeated(200), 100);
    }
}
