//! The first page. Each role's part is one or two statements; with every role at once they are ten.

use domain::{
    Result,
    access::{Action, Actor, Reach, Resource, Role},
    cluster::{ClusterStatus, sum},
    dashboard::{Administering, Auditing, Dashboard, Deciding, FIGURE_DAYS, LABS_SHOWN, Labs, Operating, Teaching},
    delegations::Absent,
    labs::LabFilter,
    page::PageRequest,
};
use storage::AnyConnection;

use crate::{Caller, Services, audit, cluster_status, delegations, error::OrDomain, labs, quotas};

const DAY_SECONDS: i64 = 86_400;
/// Records and searches shown.
const PRIVILEGED: u32 = 5;
const SEARCHES: usize = 6;

/// What the caller acts on, by their roles. Nothing that they may not read is asked for. Errors: `Unavailable`.
pub async fn get(services: &Services, caller: &Caller) -> Result<Dashboard> {
    let actor = &caller.actor;
    let labs = own_labs(services, caller).await?;
    let quotas = if actor.can(Action::QuotaRead, &caller.own()).is_ok() { quotas::list(services, caller).await? } else { Vec::new() };
    let auditing = if may(actor, Action::AuditRead) { Some(auditing(services, caller).await?) } else { None };
    let cluster = if may(actor, Action::ClusterRead) && actor.has(Role::Operator) { Some(cluster_status::current(services).await?) } else { None };
    let away = delegations::away(services, actor).await?;
    let mut connection = services.db.read().await.or_domain()?;
    Ok(Dashboard {
        now: services.clock.now(),
        labs,
        quotas,
        teaching: teaching(services, &mut connection, actor).await?,
        deciding: deciding(services, &mut connection, actor, &away).await?,
        auditing,
        operating: match cluster {
            Some(cluster) => Some(operating(services, &mut connection, &cluster).await?),
            None => None,
        },
        administering: administering(&mut connection, actor).await?,
    })
}

/// Over everything of the tenant.
fn may(actor: &Actor, action: Action) -> bool {
    actor.can(action, &Resource::tenant(actor.tenant)).is_ok()
}

async fn own_labs(services: &Services, caller: &Caller) -> Result<Option<Labs>> {
    if caller.actor.reach(Action::LabRead) == Reach::Nothing || caller.actor.can(Action::LabRead, &caller.own()).is_err() {
        return Ok(None);
    }
    // Teachers see labs of their courses in the list, and here their own.
    let mine = caller.actor.reach(Action::LabStop) == Reach::Own;
    let filter = LabFilter { live: true, mine, ..LabFilter::default() };
    let page = labs::list(services, caller, &filter, &PageRequest { limit: LABS_SHOWN, after: None }).await?;
    Ok(Some(Labs { shown: page.items, more: page.next.is_some() }))
}

async fn teaching(services: &Services, connection: &mut AnyConnection, actor: &Actor) -> Result<Option<Teaching>> {
    if !actor.has(Role::Teacher) || actor.scopes.is_some() {
        return Ok(None);
    }
    storage::dashboard::teaching(connection, actor.user, services.clock.now()).await.or_domain().map(Some)
}

/// Counting goes no further.
const WAITING_MOST: u32 = 100;

async fn deciding(services: &Services, connection: &mut AnyConnection, actor: &Actor, away: &[Absent]) -> Result<Option<Deciding>> {
    if !may(actor, Action::OrderDecide) && away.is_empty() {
        return Ok(None);
    }
    let decider = crate::orders::decider(actor, away);
    let waiting = storage::orders::pending_count(connection, &decider, WAITING_MOST).await.or_domain()?;
    // Operators and administrators are asked for a stage now and then; managers look every day.
    if waiting == 0 && !actor.has(Role::Manager) {
        return Ok(None);
    }
    let oldest = storage::orders::inbox(connection, &decider, None, 1).await.or_domain()?.first().map(|listed| listed.order.submitted_at);
    let waiting_for_cards = storage::dashboard::waiting_for_cards(connection, actor.tenant, services.clock.now()).await.or_domain()?;
    Ok(Some(Deciding { waiting, oldest, waiting_for_cards }))
}

/// Seeing the dashboard is no search: what it shows of the record are five headings.
async fn auditing(services: &Services, caller: &Caller) -> Result<Auditing> {
    let tenant = caller.actor.tenant;
    let chain = audit::runs::chain_card(services, caller).await?;
    let mut searches = audit::searches::list(services, caller).await?;
    searches.truncate(SEARCHES);
    let mut connection = services.db.read().await.or_domain()?;
    let today = services.clock.now().start_of_campus_day();
    Ok(Auditing {
        chain,
        refused_today: storage::dashboard::refused_since(&mut connection, tenant, today).await.or_domain()?,
        privileged: audit::latest_privileged(&mut connection, tenant, today.plus_seconds(-FIGURE_DAYS * DAY_SECONDS), PRIVILEGED).await?,
        searches,
    })
}

async fn operating(services: &Services, connection: &mut AnyConnection, cluster: &ClusterStatus) -> Result<Operating> {
    let now = services.clock.now();
    let load = storage::dashboard::load(connection, now, now.plus_seconds(-FIGURE_DAYS * DAY_SECONDS)).await.or_domain()?;
    let out = || cluster.nodes.iter().filter(|node| !node.ready || node.cordoned);
    let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Operating {
        away_since: cluster.away_since,
        last_seen_at: cluster.last_seen_at,
        nodes: number(cluster.nodes.len()),
        nodes_out: number(out().count()),
        cards: sum(cluster.pools.iter().map(|pool| pool.total)),
        cards_used: sum(cluster.pools.iter().map(|pool| pool.reserved)),
        cards_out: sum(out().flat_map(|node| &node.cards).map(|(_, count)| *count)),
        labs_running: load.labs_running,
        labs_failed: load.labs_failed,
        labs_unused: load.labs_unused,
        queue: load.queue,
        work: load.work,
        starts: load.starts,
        overruns: load.overruns,
        clock_jump: services.clock.jump(),
    })
}

async fn administering(connection: &mut AnyConnection, actor: &Actor) -> Result<Option<Administering>> {
    if !may(actor, Action::PeopleWrite) {
        return Ok(None);
    }
    storage::dashboard::administering(connection, actor.tenant).await.or_domain().map(Some)
}

#[cfg(test)]
mod tests;
