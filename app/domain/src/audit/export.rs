//! An export with proof: a file of JSON lines that `lectern audit verify FILE` checks without the database.
//!
//! First a [`Head`], then sealed records in the order of their chains and places, at last an [`End`]. Records that the filter
//! left out make gaps; the verifier counts them and says that their links could not be followed. A record that is damaged in the database has
//! a line that says so, at which verifying ends.

use serde::{Deserialize, Serialize};

use super::{Broken, Chain, Filter, Hash, Sealed};
use crate::time::Timestamp;

/// The only format of files so far.
pub const FORMAT: &str = "lectern-audit-export-1";
/// The canonical form whose bytes are hashed.
pub const CANONICAL: &str = "lectern-audit-1";

/// First line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub format: String,
    pub canonical: String,
    pub exported_at: Timestamp,
    /// Login of whoever exported it.
    pub exported_by: String,
    pub filter: Filter,
    /// The chains as they were sealed then.
    pub heads: Vec<ChainHead>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    pub chain: Chain,
    pub seq: i64,
    pub hash: Hash,
}

/// Last line of a file: without it the file was cut off. Damaged records are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    pub records: i64,
}

/// A record that could not be read as the file was made: it was damaged in the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unreadable {
    pub chain: Chain,
    pub seq: i64,
    /// As it is stored.
    pub id: String,
    /// The first column that cannot be read.
    pub column: String,
}

/// A line between them, and at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::large_enum_variant, reason = "nearly every line is a record")]
pub enum Line {
    Record(Sealed),
    Unreadable(Unreadable),
    End(End),
}

/// What a file proves of one chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    pub chain: Chain,
    pub records: i64,
    /// Places of the first and the last record in the file; zeros when there is none.
    pub first: i64,
    pub last: i64,
    /// Places up to the chain's head that the file does not hold.
    pub missing: i64,
    pub head: ChainHead,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    #[error("the file is not an export of this format ({0})")]
    Format(String),
    #[error("line {line} cannot be read: {reason}")]
    Unreadable { line: u64, reason: String },
    #[error("line {line}: {broken}")]
    Record { line: u64, broken: Broken },
    #[error("line {line}: a record of a chain that the file does not name, or out of order")]
    Order { line: u64 },
    #[error("the file says {said} records and holds {found}")]
    Count { said: i64, found: i64 },
    #[error("the file ends without its last line: it was cut off")]
    CutOff,
}

/// Reads a file line by line; memory does not grow with it.
#[derive(Debug)]
pub struct FileVerifier {
    pub head: Head,
    proved: Vec<Proved>,
    /// Index into `proved` of the chain that is being read.
    current: usize,
    previous: Hash,
    line: u64,
    records: i64,
    ended: bool,
}

impl FileVerifier {
    /// Takes the first line. Errors: [`Bad::Format`], [`Bad::Unreadable`].
    pub fn begin(first: &str) -> Result<Self, Bad> {
        let head: Head = serde_json::from_str(first).map_err(|error| Bad::Unreadable { line: 1, reason: error.to_string() })?;
        if head.format != FORMAT || head.canonical != CANONICAL {
            return Err(Bad::Format(format!("{}, {}", head.format, head.canonical)));
        }
        let proved = head
            .heads
            .iter()
            .map(|head| Proved { chain: head.chain, records: 0, first: 0, last: 0, missing: head.seq, head: head.clone() })
            .collect();
        Ok(Self { head, proved, current: 0, previous: Hash::ZERO, line: 1, records: 0, ended: false })
    }

    /// Takes the next line. Errors: what is wrong with it; the verifier must not be used after that.
    pub fn take(&mut self, text: &str) -> Result<(), Bad> {
        self.line += 1;
        let line = self.line;
        if self.ended {
            return Err(Bad::Unreadable { line, reason: "something follows the end".into() });
        }
        match serde_json::from_str(text).map_err(|error| Bad::Unreadable { line, reason: error.to_string() })? {
            Line::Record(sealed) => self.record(&sealed),
            Line::Unreadable(Unreadable { seq, column, .. }) => Err(Bad::Record { line, broken: Broken::Unreadable { seq, reason: column } }),
            Line::End(End { records }) if records == self.records => {
                self.ended = true;
                Ok(())
            }
            Line::End(End { records }) => Err(Bad::Count { said: records, found: self.records }),
        }
    }

    fn record(&mut self, sealed: &Sealed) -> Result<(), Bad> {
        let line = self.line;
        let chain = sealed.event.chain;
        let Some(index) = self.proved.iter().skip(self.current).position(|proved| proved.chain == chain) else {
            return Err(Bad::Order { line });
        };
        if index > 0 {
            self.current += index;
            self.previous = Hash::ZERO;
        }
        let Some(proved) = self.proved.get_mut(self.current) else { return Err(Bad::Order { line }) };
        let (seq, id) = (sealed.seq, sealed.event.id);
        if seq <= proved.last || seq > proved.head.seq {
            return Err(Bad::Order { line });
        }
        if sealed.event.hash(seq, &sealed.prev) != sealed.hash {
            return Err(Bad::Record { line, broken: Broken::Changed { seq, id } });
        }
        // Where the record before it is in the file as well, the link between them is checked; the first of a chain follows nothing.
        if seq == proved.last + 1 && sealed.prev != self.previous {
            return Err(Bad::Record { line, broken: Broken::WrongPrev { seq, id } });
        }
        if seq == proved.head.seq && sealed.hash != proved.head.hash {
            return Err(Bad::Record { line, broken: Broken::Changed { seq, id } });
        }
        if proved.records == 0 {
            proved.first = seq;
        }
        proved.records += 1;
        proved.missing -= 1;
        proved.last = seq;
        self.previous = sealed.hash;
        self.records += 1;
        Ok(())
    }

    /// What the whole file proves. Errors: [`Bad::CutOff`].
    pub fn finish(self) -> Result<Vec<Proved>, Bad> {
        if self.ended { Ok(self.proved) } else { Err(Bad::CutOff) }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        audit::{Event, Object, Outcome, Via, Who},
        ids::{AuditEventId, TenantId},
    };

    fn records(chain: Chain, length: i64) -> Vec<Sealed> {
        let mut prev = Hash::ZERO;
        (1..=length)
            .map(|seq| {
                let event = Event {
                    id: AuditEventId::from_uuid(Uuid::from_u128(seq.unsigned_abs().into())),
                    chain,
                    at: Timestamp::from_seconds(seq),
                    who: Who::System { job: "seal".into() },
                    via: Via::Job,
                    address: None,
                    request_id: None,
                    action: "lab.ready".into(),
                    object: Object { kind: "lab".into(), id: "x".into(), label: format!("lab-{seq}") },
                    course: None,
                    outcome: Outcome::Success,
                    code: None,
                    before: None,
                    after: Some(serde_json::json!({"b": 1, "a": "引"})),
                    count: 1,
                };
                let sealed = event.seal(seq, prev);
                prev = sealed.hash;
                sealed
            })
            .collect()
    }

    /// The file of these places of a tenant's chain of five and of a system chain of two.
    fn file(places: &[i64]) -> Vec<String> {
        let tenant = Chain::Tenant(TenantId::from_uuid(Uuid::from_u128(1)));
        let (ours, system) = (records(tenant, 5), records(Chain::System, 2));
        let head =
            |records: &[Sealed]| records.last().map(|last| ChainHead { chain: last.event.chain, seq: last.seq, hash: last.hash }).expect("one");
        let first = Head {
            format: FORMAT.into(),
            canonical: CANONICAL.into(),
            exported_at: Timestamp::from_seconds(9),
            exported_by: "shen".into(),
            filter: Filter::default(),
            heads: vec![head(&ours), head(&system)],
        };
        let mut lines = vec![serde_json::to_string(&first).expect("JSON")];
        let chosen: Vec<_> = ours.into_iter().filter(|sealed| places.contains(&sealed.seq)).chain(system).collect();
        let count = i64::try_from(chosen.len()).expect("few");
        lines.extend(chosen.into_iter().map(|sealed| serde_json::to_string(&Line::Record(sealed)).expect("JSON")));
        lines.push(serde_json::to_string(&Line::End(End { records: count })).expect("JSON"));
        lines
    }

    fn verify(lines: &[String]) -> Result<Vec<Proved>, Bad> {
        let mut verifier = FileVerifier::begin(&lines[0])?;
        for line in &lines[1..] {
            verifier.take(line)?;
        }
        verifier.finish()
    }

    #[test]
    fn a_whole_file_verifies_and_a_filtered_one_says_what_it_lacks() {
        let all = verify(&file(&[1, 2, 3, 4, 5])).expect("good");
        assert_eq!(all.iter().map(|proved| (proved.records, proved.missing)).collect::<Vec<_>>(), [(5, 0), (2, 0)]);
        let some = verify(&file(&[2, 3, 5])).expect("good");
        assert_eq!((some[0].records, some[0].first, some[0].last, some[0].missing), (3, 2, 5, 2));
        let none = verify(&file(&[])).expect("good");
        assert_eq!((none[0].records, none[0].missing, none[1].records), (0, 5, 2));
    }

    #[test]
    fn a_change_a_swap_and_a_cut_are_found_at_their_line() {
        let good = file(&[1, 2, 3, 4, 5]);
        let mut changed = good.clone();
        changed[3] = changed[3].replace("lab-3", "lab-9");
        assert!(matches!(verify(&changed), Err(Bad::Record { line: 4, broken: Broken::Changed { seq: 3, .. } })));
        let mut swapped = good.clone();
        swapped.swap(2, 3);
        assert!(matches!(verify(&swapped), Err(Bad::Order { line: 4 })));
        let mut removed = good.clone();
        removed.remove(2);
        assert_eq!(verify(&removed), Err(Bad::Count { said: 7, found: 6 }));
        assert_eq!(verify(&good[..4]), Err(Bad::CutOff));
        let mut more = good.clone();
        more.push("{}".into());
        assert!(matches!(verify(&more), Err(Bad::Unreadable { line: 10, .. })));
        assert!(matches!(FileVerifier::begin("{}"), Err(Bad::Unreadable { line: 1, .. })));
    }

    #[test]
    fn a_record_that_was_rehashed_breaks_the_link_to_its_neighbour() {
        let mut lines = file(&[1, 2, 3, 4, 5]);
        let Ok(Line::Record(mut sealed)) = serde_json::from_str(&lines[2]) else { panic!("a record") };
        sealed.event.object.label = "lab-9".into();
        sealed.hash = sealed.event.hash(2, &sealed.prev);
        lines[2] = serde_json::to_string(&Line::Record(sealed)).expect("JSON");
        assert!(matches!(verify(&lines), Err(Bad::Record { line: 4, broken: Broken::WrongPrev { seq: 3, .. } })));
    }
}
