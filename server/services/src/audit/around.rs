//! Verifying what stands around the chains. A chain tells that one of its records was changed; it cannot tell that all of it was
//! written anew. So it is compared with what else knows of the records: the word index, the rows whose making is recorded, earlier
//! verifications. Whoever changes all of them together is not found: `docs/architecture.md` says what is.

use domain::{
    Result,
    audit::{Broken, Chain},
};
use storage::{
    Database,
    audit::{around, chain},
};

use crate::error::OrDomain;

const BATCH: u32 = 500;
/// Of each kind; the first say enough.
const SHOWN: usize = 5;

/// What does not agree with the records, each with the chain that it is about.
pub async fn verify_around(db: &Database) -> Result<Vec<(Chain, Broken)>> {
    let mut found = Vec::new();
    let mut connection = db.read().await.or_domain()?;
    if around::is_empty(&mut connection).await.or_domain()? {
        found.push((Chain::System, Broken::Empty));
    }
    for trigger in around::unguarded(&mut connection, db.engine()).await.or_domain()? {
        found.push((Chain::System, Broken::Unguarded { trigger }));
    }
    for (kind, id) in around::unrecorded(&mut connection).await.or_domain()? {
        found.push((Chain::System, Broken::Unrecorded { kind, id }));
    }
    for (tenant, run) in around::last_runs(&mut connection).await.or_domain()? {
        for result in run.chains {
            // A run is its tenant's, whatever it says.
            if ![Chain::Tenant(tenant), Chain::System].contains(&result.chain) {
                continue;
            }
            let sealed = match chain::head(&mut connection, &result.chain.to_string()).await {
                Ok((seq, _)) => seq,
                // The chain itself is reported as unreadable.
                Err(storage::Error::Unreadable { .. }) => continue,
                Err(other) => return Err(crate::error::from_storage(other)),
            };
            if sealed < result.checked {
                found.push((result.chain, Broken::Shorter { checked: result.checked, found: sealed }));
            }
        }
    }
    drop(connection);
    found.extend(index(db).await?.into_iter().map(|id| (Chain::System, Broken::Unindexed { id })));
    Ok(found)
}

async fn index(db: &Database) -> Result<Vec<String>> {
    let mut connection = db.read().await.or_domain()?;
    let mut odd: Vec<String> = around::unindexed(&mut connection).await.or_domain()?.into_iter().collect();
    let mut place = String::new();
    loop {
        let page = around::index_page(&mut connection, db.engine(), &place, BATCH).await.or_domain()?;
        odd.extend(page.odd);
        match page.next {
            Some(next) if odd.len() < SHOWN => place = next,
            _ => break,
        }
    }
    odd.truncate(SHOWN);
    Ok(odd)
}
