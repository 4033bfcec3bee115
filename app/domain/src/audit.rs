//! The audit record: its fields, its canonical bytes (version 1) and the hash chain over them (F1, F3).
//!
//! Canonical bytes, version 1: the line `lectern-audit-1`, then for each field in the order of [`Event::canonical`]
//! `name:length:value` and a newline, the length in bytes; absent is length 0; JSON with sorted keys and no spaces.
//! The hash of record `seq` is SHA-256 over `prev` (32 bytes; zeros for the first), `seq` (8 bytes, big-endian) and the canonical bytes.
//! The format is fixed: a change is a new version beside this one.

pub mod export;
pub mod run;
pub mod search;

pub use search::{Filter, Range, SavedSearch};

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::{
    ids::{AuditEventId, CourseId, TenantId, UserId},
    time::Timestamp,
};

/// Which hash chain a record belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Chain {
    /// Events without a tenant: set-up, failed sign-ins, jobs.
    System,
    Tenant(TenantId),
}

impl fmt::Display for Chain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Tenant(id) => id.fmt(f),
        }
    }
}
impl FromStr for Chain {
    type Err = crate::ids::NotAnId;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "system" { Ok(Self::System) } else { text.parse().map(Self::Tenant) }
    }
}
impl From<Chain> for String {
    fn from(chain: Chain) -> Self {
        chain.to_string()
    }
}
impl TryFrom<String> for Chain {
    type Error = crate::ids::NotAnId;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Who {
    Person {
        id: UserId,
        login: String,
        name: String,
    },
    /// A background job, by its name.
    System {
        job: String,
    },
    /// Nobody signed in; `login` is what was typed, if anything.
    Anonymous {
        login: Option<String>,
    },
}

impl Who {
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Person { .. } => "person",
            Self::System { .. } => "system",
            Self::Anonymous { .. } => "anonymous",
        }
    }
    /// The label for readers: a login, a job's name, or the text that was typed.
    pub fn label(&self) -> &str {
        match self {
            Self::Person { login, .. } => login,
            Self::System { job } => job,
            Self::Anonymous { login } => login.as_deref().unwrap_or(""),
        }
    }
}

/// Through which door.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    Web,
    Api,
    Cli,
    Job,
}

impl Via {
    pub const ALL: [Self; 4] = [Self::Web, Self::Api, Self::Cli, Self::Job];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Api => "api",
            Self::Cli => "cli",
            Self::Job => "job",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.as_str() == text)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Success,
    /// The rules said no.
    Refused,
    /// It was allowed and did not work.
    Failed,
}

impl Outcome {
    pub const ALL: [Self; 3] = [Self::Success, Self::Refused, Self::Failed];
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == text)
    }
}

/// The object of an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Object {
    /// `order`, `lab`, `session`, `user`, …
    pub kind: String,
    pub id: String,
    /// As people name it: `#2047`, `lab-2047`.
    pub label: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub id: AuditEventId,
    pub chain: Chain,
    pub at: Timestamp,
    pub who: Who,
    pub via: Via,
    /// IP address of the client.
    pub address: Option<String>,
    pub request_id: Option<String>,
    /// `order.submit`
    pub action: String,
    pub object: Object,
    pub course: Option<CourseId>,
    pub outcome: Outcome,
    /// Code of the error when it was refused or failed.
    pub code: Option<String>,
    /// Tracked fields that changed; secrets appear as `"***"`.
    pub before: Option<Value>,
    pub after: Option<Value>,
    /// How many attempts the record stands for; more than 1 only for counted floods.
    pub count: u32,
}

/// 32 bytes, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Hash([u8; 32]);

impl Hash {
    /// `prev` of the first record of a chain.
    pub const ZERO: Self = Self([0; 32]);
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a hash of 64 hexadecimal digits")]
pub struct NotAHash;

impl FromStr for Hash {
    type Err = NotAHash;
    fn from_str(text: &str) -> Result<Self, NotAHash> {
        if text.len() != 64 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(NotAHash);
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).map_err(|_| NotAHash)?;
        }
        Ok(Self(bytes))
    }
}
impl From<Hash> for String {
    fn from(hash: Hash) -> Self {
        hash.to_string()
    }
}
impl TryFrom<String> for Hash {
    type Error = NotAHash;
    fn try_from(text: String) -> Result<Self, NotAHash> {
        text.parse()
    }
}

/// A record with its place in its chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    pub event: Event,
    /// Counts from 1 within the chain.
    pub seq: i64,
    pub prev: Hash,
    pub hash: Hash,
}

impl Event {
    /// The bytes that are hashed, version 1.
    pub fn canonical(&self) -> Vec<u8> {
        // Without `..`: a new field must be given its place here (in a new version of the format) before this compiles.
        let Self { id, chain, at, who, via, address, request_id, action, object, course, outcome, code, before, after, count } = self;
        let Object { kind, id: object_id, label } = object;
        let (who_id, who_name) = match who {
            Who::Person { id, name, .. } => (id.to_string(), name.as_str()),
            Who::System { .. } | Who::Anonymous { .. } => (String::new(), ""),
        };
        let mut out = b"lectern-audit-1\n".to_vec();
        let mut field = |name: &str, value: &str| {
            out.extend_from_slice(format!("{name}:{}:", value.len()).as_bytes());
            out.extend_from_slice(value.as_bytes());
            out.push(b'\n');
        };
        field("id", &id.to_string());
        field("chain", &chain.to_string());
        field("at", &at.micros().to_string());
        field("who.kind", who.kind());
        field("who.id", &who_id);
        field("who.label", who.label());
        field("who.name", who_name);
        field("via", via.as_str());
        field("address", address.as_deref().unwrap_or_default());
        field("request_id", request_id.as_deref().unwrap_or_default());
        field("action", action);
        field("object.kind", kind);
        field("object.id", object_id);
        field("object.label", label);
        field("course", &course.map(|id| id.to_string()).unwrap_or_default());
        field("outcome", outcome.as_str());
        field("code", code.as_deref().unwrap_or_default());
        field("before", &before.as_ref().map(canonical_json).unwrap_or_default());
        field("after", &after.as_ref().map(canonical_json).unwrap_or_default());
        field("count", &count.to_string());
        out
    }

    /// The hash of this record at its place.
    pub fn hash(&self, seq: i64, prev: &Hash) -> Hash {
        let mut digest = Sha256::new();
        digest.update(prev.0);
        digest.update(seq.to_be_bytes());
        digest.update(self.canonical());
        Hash(digest.finalize().into())
    }

    pub fn seal(self, seq: i64, prev: Hash) -> Sealed {
        let hash = self.hash(seq, &prev);
        Sealed { event: self, seq, prev, hash }
    }
}

/// JSON with sorted keys and no spaces, whatever map order `serde_json` was built with.
pub fn canonical_json(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort_unstable();
            let parts: Vec<_> = keys.into_iter().map(|key| format!("{}:{}", Value::from(key.as_str()), canonical_json(&map[key]))).collect();
            format!("{{{}}}", parts.join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical_json).collect::<Vec<_>>().join(",")),
        scalar => scalar.to_string(),
    }
}

/// The fault of a chain at its first bad record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Broken {
    #[error("record {found} stands where {expected} should: records are missing or were added")]
    Gap { expected: i64, found: i64 },
    #[error("record {seq} ({id}) does not follow the record before it")]
    WrongPrev { seq: i64, id: AuditEventId },
    #[error("record {seq} ({id}) was changed")]
    Changed { seq: i64, id: AuditEventId },
    #[error("the chain ends at {found}, its head says {expected}: the newest records are missing")]
    Truncated { expected: i64, found: i64 },
    #[error("record {seq} cannot be read: {reason}")]
    Unreadable { seq: i64, reason: String },
    /// There is no record at all. Even an unused installation has the record of its own set-up, so this is an error.
    #[error("there is no record: nothing was verified")]
    Empty,
    #[error("the trigger {trigger} that protects the records is missing, changed, or not Lectern's")]
    Unguarded { trigger: String },
    #[error("the word index does not agree with record {id}: one of them was changed, added or deleted")]
    Unindexed { id: String },
    #[error("the {kind} {id} is there and its record is not")]
    Unrecorded { kind: String, id: String },
    #[error("an earlier verification checked {checked} records of this chain, now there are {found}")]
    Shorter { checked: i64, found: i64 },
    #[error("the chain does not begin with the record that was its first: its records are missing")]
    Missing,
    #[error("the verification {id} does not agree with its record: it was changed or removed")]
    Misrecorded { id: String },
}

/// Recomputes one chain, record by record in order of `seq`.
#[derive(Debug)]
pub struct Verifier {
    seq: i64,
    head: Hash,
}

impl Default for Verifier {
    fn default() -> Self {
        Self { seq: 0, head: Hash::ZERO }
    }
}

impl Verifier {
    /// Takes the next record. Errors: what is wrong with it; the verifier must not be used after that.
    pub fn take(&mut self, sealed: &Sealed) -> Result<(), Broken> {
        let (seq, id) = (sealed.seq, sealed.event.id);
        if seq != self.seq + 1 {
            return Err(Broken::Gap { expected: self.seq + 1, found: seq });
        }
        if sealed.prev != self.head {
            return Err(Broken::WrongPrev { seq, id });
        }
        if sealed.event.hash(seq, &sealed.prev) != sealed.hash {
            return Err(Broken::Changed { seq, id });
        }
        self.seq = seq;
        self.head = sealed.hash;
        Ok(())
    }

    /// Records taken, once the stored head agrees. Errors: [`Broken::Truncated`], or `WrongPrev` when the head's hash differs.
    pub fn finish(self, head_seq: i64, head_hash: &Hash) -> Result<i64, Broken> {
        if self.seq != head_seq || &self.head != head_hash {
            return Err(Broken::Truncated { expected: head_seq, found: self.seq });
        }
        Ok(self.seq)
    }
}

/// A record as the browser lists it; `seq` and hashes are missing until it is sealed (within a second).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listed {
    pub event: Event,
    pub seal: Option<(i64, Hash, Hash)>,
}

/// A record with all that its own page shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inspected {
    pub listed: Listed,
    /// Its neighbours in the chain.
    pub before: Option<AuditEventId>,
    pub after: Option<AuditEventId>,
    /// The bytes that are hashed, as text.
    pub canonical: String,
    /// Whether the stored hash is that of the stored record; `None` until it is sealed.
    pub intact: Option<bool>,
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use uuid::Uuid;

    use super::*;

    fn event(number: u128) -> Event {
        Event {
            id: AuditEventId::from_uuid(Uuid::from_u128(number)),
            chain: Chain::System,
            at: Timestamp::from_micros(1_795_212_189_250_000),
            who: Who::Person { id: UserId::from_uuid(Uuid::from_u128(7)), login: "li.hua".into(), name: "李华".into() },
            via: Via::Web,
            address: Some("10.1.1.1".into()),
            request_id: None,
            action: "order.submit".into(),
            object: Object { kind: "order".into(), id: "x".into(), label: "#2047".into() },
            course: None,
            outcome: Outcome::Success,
            code: None,
            before: None,
            after: Some(json!({"b": [1, {"z": null, "a": "引"}], "a": true})),
            count: 1,
        }
    }

    #[test]
    fn the_canonical_bytes_are_those_of_version_1() {
        insta::assert_snapshot!(String::from_utf8(event(1).canonical()).expect("text"));
        insta::assert_snapshot!(event(1).hash(1, &Hash::ZERO).to_string());
    }

    fn chain(length: i64) -> Vec<Sealed> {
        let mut prev = Hash::ZERO;
        (1..=length)
            .map(|seq| {
                let sealed = event(seq.unsigned_abs().into()).seal(seq, prev);
                prev = sealed.hash;
                sealed
            })
            .collect()
    }

    fn verify(records: &[Sealed], head: (i64, Hash)) -> Result<i64, Broken> {
        let mut verifier = Verifier::default();
        for record in records {
            verifier.take(record)?;
        }
        verifier.finish(head.0, &head.1)
    }

    #[test]
    fn a_change_anywhere_is_found_at_its_record() {
        let good = chain(5);
        let head = (5, good[4].hash);
        assert_eq!(verify(&good, head), Ok(5));

        let mut changed = good.clone();
        changed[2].event.object.label = "#2048".into();
        assert!(matches!(verify(&changed, head), Err(Broken::Changed { seq: 3, .. })));

        let mut rehashed = changed;
        rehashed[2].hash = rehashed[2].event.hash(3, &rehashed[2].prev);
        assert!(matches!(verify(&rehashed, head), Err(Broken::WrongPrev { seq: 4, .. })));

        let mut removed = good.clone();
        removed.remove(1);
        assert_eq!(verify(&removed, head), Err(Broken::Gap { expected: 2, found: 3 }));
        assert_eq!(verify(&good[..4], head), Err(Broken::Truncated { expected: 5, found: 4 }));
    }
}
