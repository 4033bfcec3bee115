//! Sealing: place, previous hash and hash for every record that has none, in the order in which they became visible.
//! One transaction a batch moves the records and the heads of their chains together.

use std::collections::BTreeMap;

use domain::Result;
use storage::{audit::chain, dialect};

use super::{begun, floods, refusals};
use crate::{Services, error::OrDomain};

/// Short, so that others do not wait for the writer.
const BATCH: u32 = 200;

/// Writes the records of counted refusals whose time is over, then seals all that is not sealed; returns how many were sealed.
/// Meant for the lease holder; two at once do no harm.
pub async fn seal(services: &Services) -> Result<u32> {
    floods::flush(services).await?;
    refusals::flush(services).await?;
    let mut sealed = 0;
    let mut after = String::new();
    loop {
        if nothing_waits(services, &after).await? {
            return Ok(sealed);
        }
        let mut write = services.db.begin_write().await.or_domain()?;
        dialect::lock(&mut write, "audit seal").await.or_domain()?;
        let batch = chain::unsealed(&mut write, &after, BATCH).await.or_domain()?;
        let mut heads = BTreeMap::new();
        for (id, event) in batch {
            after = id;
            let event = match event {
                Ok(event) => event,
                Err(error) => {
                    // It stays unsealed, which verifying reports; the others go on.
                    tracing::error!(audit.id = %after, %error, "an audit record cannot be sealed");
                    continue;
                }
            };
            let name = event.chain.to_string();
            let (seq, prev) = match heads.get(&name) {
                Some(head) => *head,
                None => chain::head(&mut write, &name).await.or_domain()?,
            };
            let (seq, hash) = (seq + 1, event.hash(seq + 1, &prev));
            chain::set_seal(&mut write, event.id, seq, &prev, &hash).await.or_domain()?;
            heads.insert(name, (seq, hash));
            sealed += 1;
        }
        for (name, (seq, hash)) in &heads {
            chain::set_head(&mut write, name, *seq, hash).await.or_domain()?;
        }
        begun::note(&mut write, &heads).await?;
        write.commit().await.or_domain()?;
    }
}

/// Looked at outside of a transaction: most of the time there is nothing to do.
async fn nothing_waits(services: &Services, after: &str) -> Result<bool> {
    let mut connection = services.db.read().await.or_domain()?;
    Ok(chain::unsealed(&mut connection, after, 1).await.or_domain()?.is_empty())
}
