//! Watches what a client sends on an upgraded connection for real use of the lab. What counts is in `domain::visits::real_use`.

use domain::visits::real_use::{Talk, TalkUse};
use tokio::time::Instant;

use crate::{frames::Frames, ports::SharedPass};

pub struct Watch {
    pass: SharedPass,
    /// `None` for a stream without messages.
    frames: Option<Frames>,
    talk: TalkUse,
    began: Instant,
}

impl Watch {
    pub fn new(pass: &SharedPass, talk: Talk) -> Self {
        let frames = (talk != Talk::Bytes).then(|| Frames::new(talk.peek()));
        Self { pass: SharedPass::clone(pass), frames, talk: TalkUse::new(talk), began: Instant::now() }
    }

    /// These bytes went to the lab.
    pub fn sent(&mut self, bytes: &[u8]) {
        let at = self.began.elapsed();
        let Self { pass, frames, talk, .. } = self;
        let mut message = |start: Option<&[u8]>, length| {
            if let Some(kind) = talk.message(start, length, at) {
                pass.used(kind);
            }
        };
        match frames {
            None => message(None, bytes.len() as u64),
            Some(reading) => {
                if reading.feed(bytes, message).is_err() {
                    *frames = None;
                    *talk = TalkUse::new(Talk::Bytes);
                }
            }
        }
    }
}
