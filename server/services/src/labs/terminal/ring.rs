//! The last output of a shell, by its count since the shell began.

use std::collections::VecDeque;

use bytes::Bytes;

/// Bytes that are kept for a browser that comes back.
pub(super) const KEPT: usize = 256 * 1_024;

#[derive(Debug, Default)]
pub(super) struct Ring {
    bytes: VecDeque<u8>,
    /// The count after the last byte.
    end: u64,
}

impl Ring {
    /// Adds output; what is older than the last [`KEPT`] bytes before it is forgotten.
    pub fn push(&mut self, more: &[u8]) {
        let over = self.bytes.len().saturating_sub(KEPT);
        self.bytes.drain(..over);
        self.bytes.extend(more);
        self.end += more.len() as u64;
    }

    pub const fn end(&self) -> u64 {
        self.end
    }

    /// The count before the first byte that is kept.
    pub fn start(&self) -> u64 {
        self.end - self.bytes.len() as u64
    }

    /// Where an empty screen begins: at the first line that is whole, so that no half of a character or of a sequence is drawn.
    pub fn first_line(&self) -> u64 {
        let start = self.start();
        if start == 0 {
            return 0;
        }
        self.bytes.iter().position(|byte| *byte == b'\n').map_or(self.end, |at| start + at as u64 + 1)
    }

    /// At most so many bytes after `from`, which are kept.
    pub fn piece(&self, from: u64, most: usize) -> Bytes {
        let skipped = usize::try_from(from.saturating_sub(self.start())).unwrap_or(usize::MAX);
        self.bytes.iter().skip(skipped).take(most).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_found_by_their_count() {
        let mut ring = Ring::default();
        assert_eq!((ring.start(), ring.first_line(), ring.end()), (0, 0, 0));
        ring.push("深 a\n".as_bytes());
        assert_eq!(ring.piece(0, 3), Bytes::from_static("深".as_bytes()));
        assert_eq!(ring.piece(4, 100), Bytes::from_static(b"a\n"));
        assert_eq!(ring.piece(6, 100), Bytes::new());
        assert_eq!(ring.first_line(), 0, "nothing is missing before it");
    }

    #[test]
    fn what_is_old_is_forgotten_up_to_a_line() {
        let mut ring = Ring::default();
        ring.push(b"first\nsecond\n");
        ring.push(&vec![b'x'; KEPT - 3]);
        ring.push(b"\nlast");
        assert_eq!((ring.start(), ring.first_line()), (10, 13), "`second` is cut");
        assert_eq!(ring.piece(ring.first_line(), 3), Bytes::from_static(b"xxx"));
        assert_eq!(ring.piece(ring.end() - 4, 10), Bytes::from_static(b"last"));
        let mut one_line = Ring::default();
        one_line.push(&vec![b'x'; KEPT]);
        one_line.push(b"xx");
        one_line.push(b"x");
        assert_eq!(one_line.first_line(), one_line.end());
    }
}
