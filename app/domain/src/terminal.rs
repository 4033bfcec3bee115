//! Messages between the terminal in the browser and the portal. Each message is binary: a byte for its kind, then its content. Both
//! sides count the bytes that the shell wrote since it began; by that count the browser says what it has drawn, so that nothing is lost
//! when a connection breaks, and nothing is sent far ahead of a browser that is slow.

use serde::{Deserialize, Serialize};

/// Both ways: what is typed, and what the shell writes.
const DATA: u8 = 0;
/// From the browser: columns and rows, each two bytes, little-endian.
const SIZE: u8 = 1;
/// The first message of each side.
const HELLO: u8 = 2;
/// To the browser: the name of a [`Notice`].
const NOTICE: u8 = 3;
/// From the browser: how much of the shell's output its screen has taken in, eight bytes, little-endian.
const SEEN: u8 = 4;

/// Bytes of output that are sent before the browser says that it has taken in earlier ones. After Ctrl-C so much comes before the prompt.
pub const WINDOW: u64 = 32 * 1_024;
/// Most bytes of a message from the browser.
pub const LARGEST: usize = 64 * 1_024;
/// Seconds that a shell is kept without a browser.
pub const KEPT_SECONDS: u64 = 60;
/// Columns and rows that a terminal may have.
pub const SIDES: std::ops::RangeInclusive<u16> = 2..=1_000;

/// The first message of the browser. No `Debug`: the token is a secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    pub columns: u16,
    pub rows: u16,
    /// Of the shell that it was connected to before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// How much of that shell's output is on its screen. `None` for an empty screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<u64>,
    /// Why an operator enters the lab.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The first message of the portal. No `Debug`: the token is a secret.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attached {
    pub token: String,
    /// The count of output before the first byte that follows.
    pub from: u64,
    /// Up to here the output is a repetition, to whose questions nothing may be answered.
    pub live: u64,
}

/// Notices of the portal about the connection. All but `InputDropped` are its last word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Notice {
    /// The shell ended by itself.
    Ended,
    /// The session of the portal is over, or the person may not enter the lab any more.
    AccessOver,
    /// The lab stopped, or its pod is another one now.
    LabStopped,
    /// The cluster lost the connection to the shell.
    Lost,
    /// The shell was without a browser for too long, or a restart of the portal ended it: its token is unknown. A new shell has begun.
    NewShell,
    /// Another tab took the shell over.
    Taken,
    /// No more input is kept for a program that reads none.
    InputDropped,
    /// The person has as many shells as a person may have.
    TooManyOfPerson,
    TooManyInLab,
    /// The lab has no pod that is ready.
    NotRunning,
    /// The lab is stopped or gone, and no pod comes by itself.
    Stopped,
    /// The container has no shell, or it does not start.
    NoShell,
    /// The cluster does not let the portal run programs in pods.
    NoRight,
    /// The cluster or the database does not answer.
    Unavailable,
    /// An operator must give a reason.
    ReasonWanted,
    /// The person may read about the lab and not enter it.
    Forbidden,
}

impl Notice {
    pub const ALL: [Self; 16] = [
        Self::Ended,
        Self::AccessOver,
        Self::LabStopped,
        Self::Lost,
        Self::NewShell,
        Self::Taken,
        Self::InputDropped,
        Self::TooManyOfPerson,
        Self::TooManyInLab,
        Self::NotRunning,
        Self::Stopped,
        Self::NoShell,
        Self::NoRight,
        Self::Unavailable,
        Self::ReasonWanted,
        Self::Forbidden,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::AccessOver => "access_over",
            Self::LabStopped => "lab_stopped",
            Self::Lost => "lost",
            Self::NewShell => "new_shell",
            Self::Taken => "taken",
            Self::InputDropped => "input_dropped",
            Self::TooManyOfPerson => "too_many_of_person",
            Self::TooManyInLab => "too_many_in_lab",
            Self::NotRunning => "not_running",
            Self::Stopped => "stopped",
            Self::NoShell => "no_shell",
            Self::NoRight => "no_right",
            Self::Unavailable => "unavailable",
            Self::ReasonWanted => "reason_wanted",
            Self::Forbidden => "forbidden",
        }
    }

    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|notice| notice.as_str() == text)
    }

    /// Whether the connection goes on after it.
    pub const fn goes_on(self) -> bool {
        matches!(self, Self::InputDropped | Self::NewShell)
    }

    /// Whether the browser tries again by itself.
    pub const fn is_passing(self) -> bool {
        matches!(self, Self::Unavailable | Self::NotRunning)
    }
}

/// A message of the browser. No `Debug`, as of [`Hello`].
#[derive(Clone, PartialEq, Eq)]
pub enum FromBrowser<'a> {
    Data(&'a [u8]),
    Size { columns: u16, rows: u16 },
    Hello(Hello),
    Seen(u64),
}

/// A message of the portal. No `Debug`, as of [`Attached`].
#[derive(Clone, PartialEq, Eq)]
pub enum ToBrowser<'a> {
    Data(&'a [u8]),
    Attached(Attached),
    Notice(Notice),
}

fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    let mut message = Vec::with_capacity(1 + content.len());
    message.push(kind);
    message.extend_from_slice(content);
    message
}

impl<'a> FromBrowser<'a> {
    pub fn write(&self) -> Vec<u8> {
        match self {
            Self::Data(data) => message(DATA, data),
            Self::Size { columns, rows } => message(SIZE, &[columns.to_le_bytes(), rows.to_le_bytes()].concat()),
            // A hello is texts and numbers, which are always written.
            Self::Hello(hello) => message(HELLO, &serde_json::to_vec(hello).unwrap_or_default()),
            Self::Seen(count) => message(SEEN, &count.to_le_bytes()),
        }
    }

    /// `None` for a message that no browser of ours sends.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (kind, content) = bytes.split_first()?;
        match *kind {
            DATA => Some(Self::Data(content)),
            SIZE => {
                let [column_low, column_high, row_low, row_high] = *content else { return None };
                Some(Self::Size { columns: u16::from_le_bytes([column_low, column_high]), rows: u16::from_le_bytes([row_low, row_high]) })
            }
            HELLO => serde_json::from_slice(content).ok().map(Self::Hello),
            SEEN => content.try_into().ok().map(|count| Self::Seen(u64::from_le_bytes(count))),
            _ => None,
        }
    }
}

impl<'a> ToBrowser<'a> {
    pub fn write(&self) -> Vec<u8> {
        match self {
            Self::Data(data) => message(DATA, data),
            Self::Attached(attached) => message(HELLO, &serde_json::to_vec(attached).unwrap_or_default()),
            Self::Notice(notice) => message(NOTICE, notice.as_str().as_bytes()),
        }
    }

    /// `None` for a message that no portal of this version sends.
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        let (kind, content) = bytes.split_first()?;
        match *kind {
            DATA => Some(Self::Data(content)),
            HELLO => serde_json::from_slice(content).ok().map(Self::Attached),
            NOTICE => std::str::from_utf8(content).ok().and_then(Notice::parse).map(Self::Notice),
            _ => None,
        }
    }
}

/// A size that a terminal can have.
pub fn fitting(columns: u16, rows: u16) -> (u16, u16) {
    (columns.clamp(*SIDES.start(), *SIDES.end()), rows.clamp(*SIDES.start(), *SIDES.end()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_read_as_they_were_written() {
        let hello = Hello { columns: 80, rows: 24, token: Some("t".into()), seen: Some(9), reason: Some("深".into()) };
        for message in [
            FromBrowser::Data("深".as_bytes()),
            FromBrowser::Data(b""),
            FromBrowser::Size { columns: 300, rows: 7 },
            FromBrowser::Hello(hello),
            FromBrowser::Hello(Hello::default()),
            FromBrowser::Seen(u64::MAX),
        ] {
            assert!(FromBrowser::read(&message.write()) == Some(message));
        }
        for message in
            [ToBrowser::Data(b"\x00\xff"), ToBrowser::Attached(Attached { token: "t".into(), from: 1, live: 2 }), ToBrowser::Notice(Notice::Taken)]
        {
            assert!(ToBrowser::read(&message.write()) == Some(message));
        }
    }

    #[test]
    fn other_messages_are_none() {
        let bad: [&[u8]; 8] =
            [b"", b"\x01\x50", b"\x01\x50\x00\x18\x00\x00", b"\x02{", b"\x02{\"columns\":70000,\"rows\":1}", b"\x03ended", b"\x04\x01", b"\x09"];
        for bytes in bad {
            assert!(FromBrowser::read(bytes).is_none(), "{bytes:?}");
        }
        assert!(ToBrowser::read(b"\x03what").is_none() && ToBrowser::read(b"\x03\xff").is_none());
    }

    #[test]
    fn every_notice_has_a_name_of_its_own() {
        for notice in Notice::ALL {
            assert_eq!(Notice::parse(notice.as_str()), Some(notice));
        }
        assert_eq!(fitting(0, 60_000), (2, 1_000));
    }
}
