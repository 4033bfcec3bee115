//! Background work, each safe to run twice and to be killed anywhere. The server calls [`run`]; tests call the single steps.
//! A new job is a function that does one round, and a line in [`work`].

pub mod lease;
pub mod metering;
pub mod outbox;
pub mod reconcile;
pub(crate) mod rounds;
mod step;
#[cfg(test)]
mod tests;
pub mod watch;

use std::time::Duration;

use domain::{Result, ids::LabId};
use tokio::task::JoinSet;

pub(crate) use step::keys::{renew as renew_keys, want as want_keys};

use crate::{
    Services, answers, audit, clock, cluster_status, courses, delegations, error::OrDomain, imports, labs, notifications, orders, ports::LabOrder,
    secrets, sessions,
};

/// Runs every job until `stop` is cancelled by dropping the future: reconcile, watch, queue, meter, seal, expire, sweep.
/// Only the replica that holds the lease works; the others wait for it, and write only the refusals that they counted themselves.
pub async fn run(services: Services) {
    let holder = services.entropy.uuid().to_string();
    let flush = |services: Services| async move { audit::refusals::flush(&services).await };
    let refusals = rounds::every("refusals", Duration::from_secs(5), services.clone(), flush);
    tokio::join!(refusals, lease::whenever_held(&services, &holder, || work(services.clone())));
}

/// All jobs at once. They end when the future is dropped, which aborts their tasks.
async fn work(services: Services) {
    let mut tasks = JoinSet::new();
    macro_rules! every {
        ($name:literal, $period:expr, $round:path) => {{
            let services = services.clone();
            lease::spawn(&mut tasks, rounds::every($name, $period, services, |services| async move { $round(&services).await.map(drop) }));
        }};
    }
    lease::spawn(&mut tasks, outbox::run(services.clone()));
    lease::spawn(&mut tasks, watch::run(services.clone()));
    every!("resync", Duration::from_secs(30), watch::resync);
    every!("cluster_status", Duration::from_secs(10), cluster_status::refresh);
    every!("promote", Duration::from_secs(5), orders::promote);
    every!("clock", Duration::from_secs(1), clock::note_jump);
    every!("metering", Duration::from_secs(10), metering::run);
    every!("seal", Duration::from_secs(1), audit::seal);
    every!("stop_ended", Duration::from_secs(1), labs::stop_ended);
    every!("stop_daily", Duration::from_secs(5), labs::stop_daily);
    every!("stop_idle", Duration::from_mins(1), labs::stop_idle);
    every!("warn_ending", Duration::from_secs(5), labs::warn_ending);
    every!("warn_late", Duration::from_secs(15), labs::warn_late);
    every!("warn_kept", Duration::from_mins(1), labs::warn_kept);
    every!("destroy_kept", Duration::from_mins(1), labs::destroy_kept);
    every!("expire", Duration::from_secs(30), orders::expire);
    every!("leavers", Duration::from_secs(10), orders::cancel_of_leavers);
    every!("delegations", Duration::from_mins(1), delegations::end_due);
    let import = |services: Services| async move { imports::run(&services).await.map(drop) };
    let (second, minute) = (Duration::from_secs(1), Duration::from_mins(1));
    lease::spawn(&mut tasks, rounds::every_growing("imports", second, minute, services.clone(), import));
    every!("budgets", Duration::from_mins(1), courses::tell_thresholds);
    every!("quotas", Duration::from_mins(5), courses::refresh_quotas);
    every!("audit_verify", Duration::from_secs(1), audit::runs::work);
    every!("sweep_notifications", Duration::from_hours(1), notifications::sweep);
    every!("sweep_logs", Duration::from_hours(1), labs::sweep_logs);
    every!("sweep_answers", Duration::from_hours(1), answers::sweep);
    every!("ssh_keys", Duration::from_mins(1), renew_keys);
    every!("remind", Duration::from_mins(1), orders::remind);
    every!("sweep_sessions", Duration::from_mins(10), sessions::sweep);
    // None of them ends by itself.
    while tasks.join_next().await.is_some() {}
}

/// All that the cluster needs to know of a lab. `None` when there is no such lab.
pub(crate) async fn lab_order(services: &Services, id: LabId) -> Result<Option<LabOrder>> {
    let mut read = services.db.read().await.or_domain()?;
    let Some(lab) = storage::labs::get(&mut read, id).await.or_domain()? else { return Ok(None) };
    let Some(course) = storage::courses::by_id(&mut read, lab.course).await.or_domain()? else { return Ok(None) };
    let Some(owner_login) = storage::labs::owner_login(&mut read, id).await.or_domain()? else { return Ok(None) };
    let preferred_nodes = storage::placement::preferred_nodes(&mut read, id).await.or_domain()?;
    let (at, pod_annotations) = (services.clock.now(), services.settings.pod_annotations.clone());
    let (secrets, own_secret) = (std::collections::BTreeMap::new(), None);
    Ok(Some(LabOrder { lab, course, owner_login, preferred_nodes, at, secrets, own_secret, pod_annotations }))
}

/// The same order with the values of its secrets, for starting the lab.
pub(crate) async fn with_secrets(services: &Services, order: &LabOrder) -> Result<LabOrder> {
    let own = with_own_secret(services, order).await?;
    if order.lab.spec.secrets.is_empty() {
        return Ok(own);
    }
    let mut read = services.db.read().await.or_domain()?;
    let secrets = secrets::of_lab(services, &mut read, &order.lab.spec).await?;
    Ok(LabOrder { secrets, ..own })
}

/// The same order with the lab's own secret only. Costs no statement after the first time.
pub(crate) async fn with_own_secret(services: &Services, order: &LabOrder) -> Result<LabOrder> {
    Ok(LabOrder { own_secret: secrets::own::of_pods_to_come(services, &order.lab).await?, ..order.clone() })
}
