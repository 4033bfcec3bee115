//! Verifies the tables around the chains. A chain shows that one of its records was changed; it cannot show that all of it was rewritten, or
//! is gone. So the records are compared with other tables: the word index, the rows whose creation is recorded, the noted first records, and
//! earlier verifications. A change that rewrites all of them consistently is not found: `docs/architecture.md` lists what is.

use std::collections::BTreeSet;

use domain::{
    Result,
    audit::{Broken, Chain, run::Run},
    ids::TenantId,
};
use storage::{
    AnyConnection, Database,
    audit::{around, chain},
};

use super::begun;
use crate::error::OrDomain;

const BATCH: u32 = 500;
/// Most findings of each kind; the first ones are enough.
const SHOWN: usize = 5;

/// All differences from the records, each with its chain.
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
    found.extend(begun::missing(&mut connection).await?);
    if let Some(id) = around::lost_run(&mut connection).await.or_domain()? {
        found.push((Chain::System, Broken::Misrecorded { id }));
    }
    for (tenant, run) in around::last_runs(&mut connection).await.or_domain()? {
        if !agrees(&mut connection, tenant, &run).await? {
            found.push((Chain::Tenant(tenant), Broken::Misrecorded { id: run.id.to_string() }));
        }
        for result in run.chains {
            // A run may only speak about its own tenant's chain and the system's, so other chains in it are ignored.
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

/// Whether the verification counted as many records as its own record says. One without a record is reported as unrecorded.
async fn agrees(connection: &mut AnyConnection, tenant: TenantId, run: &Run) -> Result<bool> {
    let record = match around::run_record(connection, tenant, run.id).await {
        Ok(Some(record)) => record,
        // Its chain reports what cannot be read.
        Ok(None) | Err(storage::Error::Unreadable { .. }) => return Ok(true),
        Err(other) => return Err(crate::error::from_storage(other)),
    };
    let chains = record.after.as_ref().and_then(|after| after["chains"].as_array()).map(Vec::as_slice).unwrap_or_default();
    let recorded: BTreeSet<_> = chains.iter().filter_map(|chain| Some((chain["chain"].as_str()?.to_owned(), chain["checked"].as_i64()?))).collect();
    let stored: BTreeSet<_> = run.chains.iter().map(|result| (result.chain.to_string(), result.checked)).collect();
    Ok(recorded == stored)
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
