//! The state of the chains, and verifying them in the background: an auditor asks, a job works, its result is kept (F3).

use std::collections::BTreeSet;

use domain::{
    Result,
    access::{Action, Resource, Role},
    audit::{
        Chain,
        run::{ChainCard, ChainResult, Run, RunState},
    },
    ids::{AuditRunId, TenantId, UserId},
    notifications::Notice,
    people::PersonRef,
};
use serde_json::json;
use storage::{accounts::roles, audit::chain, audit::runs, dialect};

use super::{
    Entry,
    around::verify_around,
    by_job, recording, success,
    verify::{Step, Walk},
};
use crate::{Caller, Services, error::OrDomain, hub::News, jobs::lease, notifications::notify};

/// Batches between two notes of progress.
const BATCHES: u32 = 5;

fn chains(tenant: TenantId) -> [Chain; 2] {
    [Chain::Tenant(tenant), Chain::System]
}

/// How far the tenant's chain and the system's are sealed, and what the last verification found. Two statements.
/// Errors: `Forbidden`, `ScopeMissing`.
pub async fn chain_card(services: &Services, caller: &Caller) -> Result<ChainCard> {
    let tenant = caller.actor.tenant;
    caller.actor.can(Action::AuditRead, &Resource::tenant(tenant))?;
    let mut connection = services.db.read().await.or_domain()?;
    let chains = chain::states(&mut connection, chains(tenant)).await.or_domain()?;
    let (last, current) = runs::newest(&mut connection, tenant).await.or_domain()?;
    Ok(ChainCard { chains, last, current })
}

/// Asks for a verification; the one that is on its way, where there is one. Errors: `Forbidden`, `ScopeMissing`.
pub async fn ask(services: &Services, caller: &Caller) -> Result<Run> {
    recording(services, caller, || Entry::new("audit.verify", "audit", "", ""), async {
        let actor = &caller.actor;
        actor.can(Action::AuditRead, &Resource::tenant(actor.tenant))?;
        let mut write = services.db.begin_write().await.or_domain()?;
        // Two at once would ask for two runs.
        dialect::lock(&mut write, "audit runs").await.or_domain()?;
        if let (_, Some(current)) = runs::newest(&mut write, actor.tenant).await.or_domain()? {
            return Ok(current);
        }
        let run = Run {
            id: AuditRunId::from_uuid(services.entropy.uuid()),
            asked_by: PersonRef { id: actor.user, login: actor.login.clone(), name: actor.name.clone() },
            asked_at: services.clock.now(),
            state: RunState::Waiting,
            checked: 0,
            total: chain::states(&mut write, chains(actor.tenant)).await.or_domain()?.iter().map(|chain| chain.sealed).sum(),
            finished_at: None,
            chains: Vec::new(),
        };
        runs::insert(&mut write, actor.tenant, &run).await.or_domain()?;
        success(services, &mut write, caller, Entry::new("audit.verify", "audit_run", run.id, "")).await?;
        write.commit().await.or_domain()?;
        services.hub.tell(News::Audit(actor.tenant));
        Ok(run)
    })
    .await
}

/// Does what was asked for, one run after the other; a run that was cut off begins anew. Meant for the lease holder.
pub async fn work(services: &Services) -> Result<u32> {
    let mut done = 0;
    loop {
        let open = {
            let mut connection = services.db.read().await.or_domain()?;
            runs::next_open(&mut connection).await.or_domain()?
        };
        let Some((tenant, run)) = open else { return Ok(done) };
        verify(services, tenant, &run).await?;
        done += 1;
    }
}

async fn verify(services: &Services, tenant: TenantId, run: &Run) -> Result<()> {
    let mut results = Vec::new();
    let mut before = 0;
    for chain in chains(tenant) {
        let mut walk = Walk::new(chain.to_string());
        let mut batches = 0;
        let result = loop {
            match walk.step(&services.db).await? {
                Step::Done(result) => break result,
                Step::More => batches += 1,
            }
            if batches % BATCHES == 1 {
                progress(services, tenant, run, before + walk.last).await?;
            }
        };
        before += walk.last;
        results.push(ChainResult { chain, checked: result.as_ref().map_or(walk.last, |count| *count), broken: result.err() });
    }
    for (chain, broken) in verify_around(&services.db).await? {
        // If the chain itself is broken, that is the more serious finding and stays. Findings about another tenant's chain are not shown
        // here.
        if let Some(result) = results.iter_mut().find(|result| result.chain == chain && result.broken.is_none()) {
            result.broken = Some(broken);
        }
    }
    finish(services, tenant, run, &results).await
}

async fn progress(services: &Services, tenant: TenantId, run: &Run, checked: i64) -> Result<()> {
    let mut write = lease::begin_write(services).await?;
    runs::set_progress(&mut write, run.id, checked, run.total.max(checked)).await.or_domain()?;
    write.commit().await.or_domain()?;
    services.hub.tell(News::Audit(tenant));
    Ok(())
}

/// The result, its record and, of a broken chain, word to everybody who must know.
async fn finish(services: &Services, tenant: TenantId, run: &Run, results: &[ChainResult]) -> Result<()> {
    let now = services.clock.now();
    let broken = results.iter().find_map(|result| result.broken.as_ref());
    let state = if broken.is_some() { RunState::Broken } else { RunState::Good };
    let mut write = lease::begin_write(services).await?;
    if !runs::finish(&mut write, run.id, state, results, now).await.or_domain()? {
        return Ok(());
    }
    let found: Vec<_> = results
        .iter()
        .map(|result| json!({"chain": result.chain, "checked": result.checked, "broken": result.broken.as_ref().map(ToString::to_string)}))
        .collect();
    let outcome = if broken.is_some() { domain::audit::Outcome::Failed } else { domain::audit::Outcome::Success };
    let entry = Entry::new("audit.verified", "audit_run", run.id, "").after(json!({"state": state, "chains": found}));
    by_job(services, &mut write, "audit_verify", tenant, entry, outcome).await?;
    let told = match broken {
        Some(_) => {
            tracing::error!(tenant.id = %tenant, "an audit chain is broken");
            let mut readers: BTreeSet<UserId> = roles::holders(&mut write, tenant, Role::Auditor).await.or_domain()?;
            readers.insert(run.asked_by.id);
            Some(notify(services, &mut write, &readers, &Notice::AuditBroken { run: run.id, at: now }).await?)
        }
        None => None,
    };
    write.commit().await.or_domain()?;
    if let Some(told) = told {
        told.tell(services);
    }
    services.hub.tell(News::Audit(tenant));
    Ok(())
}
