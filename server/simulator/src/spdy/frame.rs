//! SPDY frames as bytes. Numbers are big-endian.

use bytes::{Buf as _, BufMut as _, Bytes, BytesMut};

use super::Malformed;

/// The last frame of its sender on this stream.
const FIN: u8 = 1;
const VERSION: u16 = 3;
/// Bytes before the payload.
const HEAD: usize = 8;
/// kubectl sends at most 32 KiB of data at once.
const LONGEST: usize = 4 << 20;

/// One frame. Header blocks are still compressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Data {
        stream: u32,
        is_last: bool,
        bytes: Bytes,
    },
    SynStream {
        stream: u32,
        is_last: bool,
        block: Bytes,
    },
    SynReply {
        stream: u32,
        block: Bytes,
    },
    /// More headers for a stream.
    Headers {
        block: Bytes,
    },
    Reset {
        stream: u32,
        status: u32,
    },
    Ping(u32),
    GoAway {
        last: u32,
    },
    /// SETTINGS and WINDOW_UPDATE. kubectl's library neither counts what it sends against a window nor announces what it has read.
    Ignored,
}

impl Frame {
    /// Takes the first frame off the buffer; `None` if it is not complete yet.
    pub fn take(buffer: &mut BytesMut) -> Result<Option<Self>, Malformed> {
        let Some(mut head) = buffer.get(..HEAD) else { return Ok(None) };
        let (first, second) = (head.get_u32(), head.get_u32());
        let (flags, length) = (second.to_be_bytes()[0], (second & 0x00ff_ffff) as usize);
        if length > LONGEST {
            return Err(Malformed("a frame is too long"));
        }
        if buffer.len() < HEAD + length {
            return Ok(None);
        }
        buffer.advance(HEAD);
        let payload = buffer.split_to(length).freeze();
        let is_last = flags & FIN != 0;
        if first >> 31 == 0 {
            return Ok(Some(Self::Data { stream: first, is_last, bytes: payload }));
        }
        if first >> 16 & 0x7fff != u32::from(VERSION) {
            return Err(Malformed("another version"));
        }
        Self::control(first & 0xffff, is_last, payload).map(Some)
    }

    fn control(kind: u32, is_last: bool, mut payload: Bytes) -> Result<Self, Malformed> {
        let least = match kind {
            1 => 10,
            2 | 6 | 8 => 4,
            3 | 7 => 8,
            _ => 0,
        };
        if payload.len() < least {
            return Err(Malformed("a frame is too short"));
        }
        Ok(match kind {
            1 => {
                let stream = id(&mut payload);
                // The stream that this one belongs to, the priority and the slot.
                payload.advance(6);
                Self::SynStream { stream, is_last, block: payload }
            }
            2 => Self::SynReply { stream: id(&mut payload), block: payload },
            3 => Self::Reset { stream: id(&mut payload), status: payload.get_u32() },
            6 => Self::Ping(payload.get_u32()),
            7 => Self::GoAway { last: id(&mut payload) },
            8 => {
                payload.advance(4);
                Self::Headers { block: payload }
            }
            _ => Self::Ignored,
        })
    }

    pub fn encode(&self) -> Bytes {
        let (kind, flags, payload) = match self {
            Self::Data { stream, is_last, bytes } => {
                let mut frame = BytesMut::with_capacity(HEAD + bytes.len());
                frame.put_u32(*stream);
                frame.put_u32(length(bytes.len()) | u32::from(*is_last) << 24);
                frame.put_slice(bytes);
                return frame.freeze();
            }
            Self::SynStream { stream, is_last, block } => {
                let mut payload = BytesMut::with_capacity(10 + block.len());
                payload.put_u32(*stream);
                payload.put_bytes(0, 6);
                payload.put_slice(block);
                (1_u16, u8::from(*is_last), payload)
            }
            Self::SynReply { stream, block } => (2, 0, numbered(*stream, block)),
            Self::Headers { block } => (8, 0, numbered(0, block)),
            Self::Reset { stream, status } => (3, 0, numbered(*stream, &status.to_be_bytes())),
            Self::Ping(number) => (6, 0, numbered(*number, &[])),
            Self::GoAway { last } => (7, 0, numbered(*last, &0_u32.to_be_bytes())),
            // Settings without an entry.
            Self::Ignored => (4, 0, numbered(0, &[])),
        };
        let mut frame = BytesMut::with_capacity(HEAD + payload.len());
        frame.put_u16(0x8000 | VERSION);
        frame.put_u16(kind);
        frame.put_u32(length(payload.len()) | u32::from(flags) << 24);
        frame.put_slice(&payload);
        frame.freeze()
    }
}

fn id(payload: &mut Bytes) -> u32 {
    payload.get_u32() & 0x7fff_ffff
}

fn numbered(number: u32, rest: &[u8]) -> BytesMut {
    let mut payload = BytesMut::with_capacity(4 + rest.len());
    payload.put_u32(number);
    payload.put_slice(rest);
    payload
}

/// Frames written here are far below 16 MiB.
fn length(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX) & 0x00ff_ffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_back_however_the_bytes_are_cut() {
        let frames = [
            Frame::SynStream { stream: 1, is_last: true, block: Bytes::from_static(b"block") },
            Frame::SynReply { stream: 1, block: Bytes::from_static(b"b") },
            Frame::Data { stream: 3, is_last: false, bytes: Bytes::from_static(b"hello") },
            Frame::Data { stream: 3, is_last: true, bytes: Bytes::new() },
            Frame::Reset { stream: 3, status: 5 },
            Frame::Ping(7),
            Frame::GoAway { last: 3 },
            Frame::Ignored,
        ];
        let all: Vec<u8> = frames.iter().flat_map(|frame| frame.encode().to_vec()).collect();
        for size in [1, 3, 8, 1000] {
            let (mut buffer, mut seen) = (BytesMut::new(), Vec::new());
            for piece in all.chunks(size) {
                buffer.extend_from_slice(piece);
                while let Some(frame) = Frame::take(&mut buffer).unwrap() {
                    seen.push(frame);
                }
            }
            assert_eq!(seen, frames, "in pieces of {size}");
        }
    }

    #[test]
    fn what_is_not_spdy_is_refused() {
        for bytes in
            [&b"\x80\x02\x00\x06\x00\x00\x00\x04\x00\x00\x00\x01"[..], b"\x80\x03\x00\x01\x00\x00\x00\x02ab", b"\x00\x00\x00\x01\x00\xff\xff\xff"]
        {
            Frame::take(&mut BytesMut::from(bytes)).unwrap_err();
        }
    }
}
