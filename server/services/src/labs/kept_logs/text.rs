//! The text of a kept log: its end as it is read, and its body as it is stored.

use std::io::{Read as _, Write as _};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::ZlibDecoder, write::ZlibEncoder};

/// The end of a text that comes in pieces.
pub(super) struct Tail {
    most: usize,
    bytes: Vec<u8>,
    lines: u32,
    dropped: bool,
}

impl Tail {
    pub const fn of(most: usize) -> Self {
        Self { most, bytes: Vec::new(), lines: 0, dropped: false }
    }

    pub fn push(&mut self, piece: &[u8]) {
        let lines = piece.split(|byte| *byte == b'\n').count() - 1;
        self.lines = self.lines.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
        self.bytes.extend_from_slice(piece);
        if self.bytes.len() > 2 * self.most {
            self.shorten();
        }
    }

    fn shorten(&mut self) {
        let over = self.bytes.len().saturating_sub(self.most);
        if over > 0 {
            self.bytes.drain(..over);
            self.dropped = true;
        }
    }

    /// The text, from the beginning of a line where that is near, and whether there was more. `most_lines`: as many as were asked for.
    pub fn end(mut self, most_lines: u32) -> (Vec<u8>, bool) {
        self.shorten();
        if self.dropped
            && let Some(at) = self.bytes.iter().take(self.most / 16).position(|byte| *byte == b'\n')
        {
            self.bytes.drain(..=at);
        }
        (self.bytes, self.dropped || self.lines >= most_lines)
    }
}

/// Compressed, as text. A compressor into memory does not fail; if it does, the log is empty.
pub(super) fn pack(text: &[u8]) -> String {
    let mut compressor = ZlibEncoder::new(Vec::new(), Compression::default());
    let packed = compressor.write_all(text).and_then(|()| compressor.finish());
    STANDARD.encode(packed.unwrap_or_default())
}

/// At most so many bytes of the text; `None` if the body is damaged.
pub(super) fn unpack(body: &str, most: usize) -> Option<Vec<u8>> {
    let packed = STANDARD.decode(body).ok()?;
    let mut text = Vec::new();
    ZlibDecoder::new(packed.as_slice()).take(most as u64).read_to_end(&mut text).ok()?;
    Some(text)
}

pub(super) fn last_lines(text: &[u8], lines: usize) -> &[u8] {
    let whole = text.strip_suffix(b"\n").unwrap_or(text);
    if lines == 0 {
        return &[];
    }
    let ends = whole.iter().enumerate().rev().filter(|(_, byte)| **byte == b'\n');
    ends.map(|(at, _)| at).nth(lines - 1).map_or(text, |at| &text[at + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_text_begins_with_a_line() {
        let mut tail = Tail::of(256);
        for number in 0..100 {
            tail.push(format!("line {number}\n").as_bytes());
        }
        let (text, cut) = tail.end(1_000);
        let text = String::from_utf8(text).expect("text");
        assert!(cut && text.len() <= 256 && text.starts_with("line ") && text.ends_with("line 99\n"), "{text}");
        let mut short = Tail::of(64);
        short.push(b"all of it\n");
        assert_eq!(short.end(1_000), (b"all of it\n".to_vec(), false));
    }

    #[test]
    fn a_text_is_the_same_after_it_was_packed() {
        for text in [b"".as_slice(), b"loss=0.1\n", b"\0\xff \xe6\xb7\xb1\n"] {
            assert_eq!(unpack(&pack(text), 1_000).as_deref(), Some(text));
        }
        assert_eq!(unpack("no body", 1_000), None);
        assert!(pack(&vec![b'x'; 100_000]).len() < 1_000, "it is compressed");
    }

    #[test]
    fn the_last_lines_are_whole() {
        let text = b"one\ntwo\nthree\n";
        assert_eq!(last_lines(text, 1), b"three\n");
        assert_eq!(last_lines(text, 2), b"two\nthree\n");
        assert_eq!(last_lines(text, 3), text);
        assert_eq!(last_lines(text, 9), text);
        assert_eq!(last_lines(text, 0), b"");
        assert_eq!(last_lines(b"one\ntwo", 1), b"two");
    }
}
