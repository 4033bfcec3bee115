//! Reads the heads of the WebSocket frames that a client sends (RFC 6455), and the beginning of each message if it is wanted. Nothing is
//! changed or held back, and nothing else is kept: the frames pass on while they are looked at.

/// Longest head: two bytes, eight of length, four of mask.
const HEAD_MAX: usize = 14;

/// The stream is no WebSocket of a client. Nothing more can be told from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoFrames;

#[derive(Debug)]
pub struct Frames {
    /// Bytes of a message's beginning that are wanted.
    peek: usize,
    head: [u8; HEAD_MAX],
    head_length: usize,
    payload: Option<Payload>,
}

/// A frame whose head is read.
#[derive(Debug)]
struct Payload {
    /// All its bytes, and those that have not passed.
    length: u64,
    left: u64,
    mask: [u8; 4],
    /// Its beginning without the mask, until `wanted` bytes of it are there.
    start: Vec<u8>,
    wanted: usize,
}

impl Frames {
    pub const fn new(peek: usize) -> Self {
        Self { peek, head: [0; HEAD_MAX], head_length: 0, payload: None }
    }

    /// Takes what was sent next. `message` gets the beginning and the length of each frame with data; no beginning where it cannot be read,
    /// as of a compressed message.
    pub fn feed(&mut self, mut bytes: &[u8], mut message: impl FnMut(Option<&[u8]>, u64)) -> Result<(), NoFrames> {
        while let Some((first, rest)) = bytes.split_first() {
            if let Some(payload) = &mut self.payload {
                let taken = usize::try_from(payload.left).unwrap_or(usize::MAX).min(bytes.len());
                let (passing, rest) = bytes.split_at(taken);
                bytes = rest;
                if payload.pass(passing) {
                    message(Some(payload.start.as_slice()), payload.length);
                    payload.start = Vec::new();
                }
                if payload.left == 0 {
                    self.payload = None;
                }
            } else {
                bytes = rest;
                // The head is begun anew before it is full.
                self.head[self.head_length] = *first;
                self.head_length += 1;
                if self.head_length >= head_length(&self.head[..self.head_length]) {
                    self.begin(&mut message)?;
                }
            }
        }
        Ok(())
    }

    /// The head is complete.
    fn begin(&mut self, message: &mut impl FnMut(Option<&[u8]>, u64)) -> Result<(), NoFrames> {
        let head = &self.head[..std::mem::take(&mut self.head_length)];
        let (flags, opcode, is_masked) = (head[0] & 0xf0, head[0] & 0x0f, head[1] & 0x80 != 0);
        // Clients mask; two of the reserved bits have no meaning; opcodes 3 to 7 and from 11 on do not exist.
        if !is_masked || flags & 0x30 != 0 || matches!(opcode, 3..=7 | 11..) {
            return Err(NoFrames);
        }
        let (sizes, mask) = head.split_at(head.len() - 4);
        let length =
            if sizes.len() == 2 { u64::from(head[1] & 0x7f) } else { sizes[2..].iter().fold(0_u64, |length, byte| (length << 8) | u64::from(*byte)) };
        if length > i64::MAX.unsigned_abs() {
            return Err(NoFrames);
        }
        let mask = [mask[0], mask[1], mask[2], mask[3]];
        let (is_data, is_compressed) = (opcode <= 2, flags & 0x40 != 0);
        // The beginning of a message is in its first frame.
        let is_readable = is_data && opcode != 0 && !is_compressed;
        let wanted = if is_readable { usize::try_from(length).unwrap_or(usize::MAX).min(self.peek) } else { 0 };
        if is_data && wanted == 0 {
            message(is_readable.then_some(b"".as_slice()), length);
        }
        self.payload = (length > 0).then(|| Payload { length, left: length, mask, start: Vec::new(), wanted });
        Ok(())
    }
}

impl Payload {
    /// Notes bytes that pass. Whether the wanted beginning is complete by them.
    fn pass(&mut self, bytes: &[u8]) -> bool {
        self.left -= bytes.len() as u64;
        let missing = self.wanted.saturating_sub(self.start.len());
        if missing == 0 {
            return false;
        }
        for byte in bytes.iter().take(missing) {
            self.start.push(byte ^ self.mask[self.start.len() % 4]);
        }
        let is_complete = self.start.len() == self.wanted;
        if is_complete {
            self.wanted = 0;
        }
        is_complete
    }
}

/// The length of a head, as far as its first bytes say it.
fn head_length(head: &[u8]) -> usize {
    let Some(second) = head.get(1) else { return 2 };
    let length = match second & 0x7f {
        126 => 2,
        127 => 8,
        _ => 0,
    };
    2 + length + if second & 0x80 != 0 { 4 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MASK: [u8; 4] = [0x12, 0x34, 0x56, 0x78];

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![first];
        match payload.len() {
            length @ 0..=125 => frame.push(0x80 | u8::try_from(length).expect("short")),
            length @ 126..=65_535 => {
                frame.push(0xfe);
                frame.extend(u16::try_from(length).expect("16 bits").to_be_bytes());
            }
            length => {
                frame.push(0x80 | 127);
                frame.extend((length as u64).to_be_bytes());
            }
        }
        frame.extend(MASK);
        frame.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
        frame
    }

    /// The messages of a stream that comes in pieces of this size.
    fn messages(peek: usize, stream: &[u8], piece: usize) -> Result<Vec<(Option<String>, u64)>, NoFrames> {
        let (mut frames, mut seen) = (Frames::new(peek), Vec::new());
        for piece in stream.chunks(piece) {
            frames.feed(piece, |start, length| seen.push((start.map(|start| String::from_utf8_lossy(start).into_owned()), length)))?;
        }
        Ok(seen)
    }

    #[test]
    fn messages_are_seen_however_the_stream_is_cut() {
        let (middle, long) = ("y".repeat(300), "x".repeat(70_000));
        let mut stream = Vec::new();
        for (first, payload) in [(0x81, "hello"), (0x82, ""), (0x81, "0123456789"), (0x82, middle.as_str()), (0x81, long.as_str())] {
            stream.extend(frame(first, payload.as_bytes()));
        }
        let expected: Vec<_> = [("hello", 5), ("", 0), ("01234567", 10), ("yyyyyyyy", 300), ("xxxxxxxx", 70_000)]
            .map(|(start, length)| (Some(start.to_owned()), length))
            .into();
        for piece in [1, 2, 3, 7, 1_000, stream.len()] {
            assert_eq!(messages(8, &stream, piece), Ok(expected.clone()), "{piece}");
        }
        let lengths: Vec<_> = messages(0, &stream, 11).expect("frames").into_iter().map(|(_, length)| length).collect();
        assert_eq!(lengths, [5, 0, 10, 300, 70_000]);
    }

    #[test]
    fn pings_are_no_messages_and_compressed_ones_cannot_be_read() {
        let stream =
            [frame(0x89, b"ping"), frame(0x8a, b""), frame(0xc1, b"packed"), frame(0x01, b"first"), frame(0x80, b"second"), frame(0x88, b"")];
        let seen = messages(8, &stream.concat(), 5).expect("frames");
        assert_eq!(seen, [(None, 6), (Some("first".to_owned()), 5), (None, 6)]);
    }

    #[test]
    fn what_is_no_frame_of_a_client_ends_the_reading() {
        let unmasked = [0x81, 0x02, b'h', b'i'];
        let reserved = frame(0x91, b"x");
        let unknown = frame(0x83, b"x");
        let mut endless = vec![0x82, 0xff];
        endless.extend([0xff; 8]);
        endless.extend(MASK);
        for stream in [unmasked.as_slice(), reserved.as_slice(), unknown.as_slice(), endless.as_slice(), b"SSH-2.0-OpenSSH_9.7\r\n".as_slice()] {
            assert_eq!(messages(8, stream, 3), Err(NoFrames), "{stream:?}");
        }
    }
}
