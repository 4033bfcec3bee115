//! Verifying: every chain is computed again from the stored rows, a batch at a time, and compared with its head.

use domain::{
    Result,
    audit::{Broken, Chain, Verifier},
};
use storage::{Database, audit::chain};

use crate::error::OrDomain;

const BATCH: u32 = 1_000;

/// The result of verifying one chain.
#[derive(Debug, Clone)]
pub struct ChainReport {
    pub chain: Chain,
    /// Records that were checked, or what is wrong with the first bad one.
    pub result: std::result::Result<i64, Broken>,
    /// Records not sealed yet.
    pub unsealed: i64,
}

/// Recomputes every chain from the stored rows. Memory does not grow with the record; sealing may go on meanwhile.
/// Records under a name that is no chain are reported on the system chain as unreadable.
pub async fn verify(db: &Database) -> Result<Vec<ChainReport>> {
    let names = {
        let mut connection = db.read().await.or_domain()?;
        chain::names(&mut connection).await.or_domain()?
    };
    let mut reports = Vec::with_capacity(names.len());
    for name in names {
        let unsealed = {
            let mut connection = db.read().await.or_domain()?;
            chain::count_unsealed(&mut connection, &name).await.or_domain()?
        };
        let (chain, result) = match name.parse::<Chain>() {
            Ok(chain) => (chain, verify_chain(db, &name).await?),
            Err(error) => (Chain::System, Err(Broken::Unreadable { seq: 0, reason: format!("audit_events.chain: {error}") })),
        };
        reports.push(ChainReport { chain, result, unsealed });
    }
    Ok(reports)
}

async fn verify_chain(db: &Database, name: &str) -> Result<std::result::Result<i64, Broken>> {
    let mut walk = Walk::new(name.to_owned());
    loop {
        if let Step::Done(result) = walk.step(db).await? {
            return Ok(result);
        }
    }
}

/// A verifier on its way along one chain, a batch a step.
#[derive(Debug)]
pub(super) struct Walk {
    name: String,
    verifier: Verifier,
    /// Place of the last good record.
    pub(super) last: i64,
}

#[derive(Debug)]
pub(super) enum Step {
    More,
    Done(std::result::Result<i64, Broken>),
}

impl Walk {
    pub(super) fn new(name: String) -> Self {
        Self { name, verifier: Verifier::default(), last: 0 }
    }

    pub(super) async fn step(&mut self, db: &Database) -> Result<Step> {
        let mut connection = db.read().await.or_domain()?;
        // Rows first: a head that is read after them cannot be behind them unless somebody else wrote it.
        let rows = chain::sealed(&mut connection, &self.name, self.last, BATCH).await.or_domain()?;
        let head = match chain::head(&mut connection, &self.name).await {
            Ok(head) => head,
            Err(storage::Error::Unreadable { reason, .. }) => {
                return Ok(Step::Done(Err(Broken::Unreadable { seq: self.last, reason: format!("audit_heads: {reason}") })));
            }
            Err(other) => return Err(crate::error::from_storage(other)),
        };
        let end = rows.is_empty();
        for (seq, row) in rows {
            let taken = match row {
                Ok(sealed) => self.verifier.take(&sealed),
                Err(error) => Err(Broken::Unreadable { seq, reason: error.to_string() }),
            };
            if let Err(broken) = taken {
                return Ok(Step::Done(Err(broken)));
            }
            if seq > head.0 {
                return Ok(Step::Done(Err(Broken::Gap { expected: head.0, found: seq })));
            }
            self.last = seq;
        }
        // What was sealed since the rows were read is left for the next step, if it is there.
        if !end || (head.0 > self.last && !chain::sealed(&mut connection, &self.name, self.last, 1).await.or_domain()?.is_empty()) {
            return Ok(Step::More);
        }
        Ok(Step::Done(std::mem::take(&mut self.verifier).finish(head.0, &head.1)))
    }
}
