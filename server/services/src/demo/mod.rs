//! Demo content, so that a newcomer can try the product: a small college (two courses, six accounts with random passwords), or the same
//! college with forty people after a whole term. The server refuses it on an address that others can reach.

pub(crate) mod chance;
mod clock;
mod cluster;
mod college;
mod people;
mod run;
mod term;
#[cfg(test)]
mod tests;

use std::{io, path::Path, sync::Arc, time::Duration};

use domain::{Result, cluster::Node, gpu::Card, time::Timestamp};
use storage::{Database, accounts::users};
use tracing::{instrument::WithSubscriber as _, subscriber::NoSubscriber};

use self::{chance::Chance, clock::TermClock, cluster::TermCluster, college::COURSES, people::Member};
use crate::{
    Services, Settings, audit, cluster_status,
    error::{OrDomain, internal},
    jobs::metering,
    password,
    ports::ClusterInfo,
    secrets,
};

/// Login and password of an account.
pub type Account = (String, String);
/// Keeps the accounts for whoever will sign in. Called before anything is there to sign in to: a password that nobody was told is lost.
pub type Keep<'k> = &'k (dyn Fn(&[Account]) -> io::Result<()> + Send + Sync);

/// How the term is made.
#[derive(Clone, Copy)]
pub struct Term<'t> {
    /// Folder in which it is made; when it is done it is put in place as a whole.
    pub workshop: &'t Path,
    pub weeks: i64,
    /// Told how many of a hundred parts are done.
    pub progress: &'t (dyn Fn(u32) + Send + Sync),
}

/// A term of a usual length.
pub const WEEKS: i64 = 16;
/// Minutes between the end of the term's events and now, which belong to what is happening right now.
const NOW: i64 = 12;
const WORKSHOP: &str = "demo-term";
/// How long the real cluster may take to tell its nodes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Lays down the small college. Login and password of each account; empty when the installation is not empty.
pub async fn seed(services: &Services, keep: Keep<'_>) -> Result<Vec<Account>> {
    if !is_empty(services).await? {
        return Ok(Vec::new());
    }
    let (members, made) = accounts(services, people::accounts([&[0, 1], &[0, 1]])).await?;
    let mut write = services.db.begin_write().await.or_domain()?;
    if !empty(&mut write).await? {
        return Ok(Vec::new());
    }
    college::found(services, &mut write, &COURSES[..2], &members).await?;
    kept(keep, &made)?;
    write.commit().await.or_domain()?;
    Ok(made)
}

/// Lays down the college after a term: it is lived through in a database of its own, and its rows come over in one transaction. Cut off
/// anywhere, the installation is as empty as before and the next start begins anew.
pub async fn seed_term(services: &Services, term: &Term<'_>, keep: Keep<'_>) -> Result<Vec<Account>> {
    if !is_empty(services).await? {
        return Ok(Vec::new());
    }
    clear(term.workshop);
    // A name of its own: SQLite removes the files beside a database by their names, and an attempt that was cut off may close only now.
    let file = term.workshop.join(format!("{WORKSHOP}-{}.db", services.entropy.uuid()));
    let made = make_and_move(services, term, &file, keep).await;
    clear(term.workshop);
    made
}

async fn make_and_move(services: &Services, term: &Term<'_>, file: &Path, keep: Keep<'_>) -> Result<Vec<Account>> {
    let workshop = Database::open(&format!("sqlite:{}", file.display())).await.or_domain()?;
    workshop.migrate().await.or_domain()?;
    register_key(services, &workshop).await?;
    let made = live(services, &workshop, term).await?;
    let mut write = services.db.begin_write().await.or_domain()?;
    if !empty(&mut write).await? {
        return Ok(Vec::new());
    }
    {
        let mut from = workshop.read().await.or_domain()?;
        storage::transplant::all_rows(&mut from, &mut write).await.or_domain()?;
    }
    workshop.close().await;
    kept(keep, &made)?;
    write.commit().await.or_domain()?;
    services.cache.cluster.forget();
    (term.progress)(100);
    Ok(made)
}

/// All rows are copied unchanged, and the key's fingerprint is one of them.
async fn register_key(services: &Services, workshop: &Database) -> Result<()> {
    let Some(current) = services.settings.keyring.current() else { return Ok(()) };
    let mut write = workshop.begin_write().await.or_domain()?;
    secrets::register(&mut write, current, services.clock.now()).await.map_err(|error| internal(&error))?;
    write.commit().await.or_domain()
}

/// Lives through the term in this database.
async fn live(services: &Services, workshop: &Database, term: &Term<'_>) -> Result<Vec<Account>> {
    let now = services.clock.now();
    let (start, end) = (term::beginning(now, term.weeks), now.plus_minutes(-NOW));
    // Everything was set up in the week before.
    let clock = Arc::new(TermClock::new(start.plus_minutes(-4 * 24 * 60 + 9 * 60)));
    let entropy = Arc::new(clock::TermEntropy::new(Arc::clone(&clock), Arc::clone(&services.entropy)));
    let cluster = Arc::new(TermCluster::new(Arc::clone(&clock), nodes(services).await));
    let settings = Settings { pod_annotations: [].into(), ..services.settings.clone() };
    let then = Services::new(workshop.clone(), Arc::clone(&clock) as _, entropy, Arc::clone(&cluster) as _, settings);

    let (mut members, made) = accounts(services, people::accounts([&[0, 1], &[1, 2]])).await?;
    // One password that nobody is told; hashing one for each of them would take longer than the term.
    let (_, nobodys) = password::random(services).await?;
    members.extend(people::faculty().into_iter().map(|member| (member, nobodys.clone())));
    let mut write = then.db.begin_write().await.or_domain()?;
    let college = college::found(&then, &mut write, &COURSES, &members).await?;
    write.commit().await.or_domain()?;
    cluster_status::refresh(&then).await?;

    let plans = term::plans(start, end, &mut Chance::new(2_026));
    let told = |at: Timestamp| {
        let (done, all) = (at.seconds_since(start).max(0), end.seconds_since(start).max(1));
        // The last parts are for what comes after.
        (term.progress)(u32::try_from(done * 95 / all).unwrap_or(95).min(95));
    };
    let mut run = run::Run::new(&then, Arc::clone(&clock), cluster, &college, plans);
    // What happened in the term is in its records; the log is about now.
    run.until(start, end, &told).with_subscriber(NoSubscriber::default()).await?;
    run.today().with_subscriber(NoSubscriber::default()).await?;
    clock.until(now);
    cluster_status::refresh(&then).await?;
    metering::run(&then).await?;
    audit::seal(&then).await?;
    (term.progress)(98);
    Ok(made)
}

/// The cluster's own nodes; where it does not answer, or has no such cards, those that the simulated one would have.
async fn nodes(services: &Services) -> ClusterInfo {
    let asked = tokio::time::timeout(PATIENCE, services.cluster.info()).await;
    if let Ok(Ok(info)) = asked
        && ["a100-80g", "a100-80g-1g.10gb"].iter().all(|card| info.nodes.iter().any(|node| node.cards.iter().any(|(kind, _)| kind.id() == *card)))
    {
        return info;
    }
    let node = |name: &str, cards: &[(&str, u32)]| Node {
        name: name.into(),
        ready: true,
        cordoned: false,
        product: "NVIDIA-A100-SXM4-80GB".into(),
        cards: cards.iter().filter_map(|(card, count)| Some((card.parse::<Card>().ok()?, *count))).collect(),
        cpu_cores: 128,
        memory_gib: 1_024,
        pods: Some(110),
        vendor: Some(domain::gpu::Vendor::Nvidia),
        driver: Some("550.54.15".into()),
        mig_strategy: None,
        temperature: None,
        troubles: Vec::new(),
        capacity: cards.iter().filter_map(|(card, count)| Some((card.parse::<Card>().ok()?, *count))).collect(),
        sharing: None,
        taints: Vec::new(),
        loads: Vec::new(),
        holds: Vec::new(),
        events: Vec::new(),
    };
    let whole = ("a100-80g", 8);
    let nodes = vec![node("gpu-1", &[whole]), node("gpu-2", &[whole]), node("gpu-3", &[("a100-80g", 6), ("a100-80g-1g.10gb", 14)])];
    ClusterInfo { version: String::new(), nodes, obstacles: Vec::new() }
}

/// The members with a random password each, hashed. Hashing takes long on purpose: not inside a transaction.
async fn accounts(services: &Services, members: Vec<Member>) -> Result<(Vec<(Member, String)>, Vec<Account>)> {
    let (mut with_hash, mut made) = (Vec::new(), Vec::new());
    for member in members {
        let (password, hash) = password::random(services).await?;
        made.push((member.login.clone(), password));
        with_hash.push((member, hash));
    }
    Ok((with_hash, made))
}

fn kept(keep: Keep<'_>, made: &[Account]) -> Result<()> {
    keep(made).map_err(|error| internal(&error))
}

async fn is_empty(services: &Services) -> Result<bool> {
    let mut connection = services.db.read().await.or_domain()?;
    empty(&mut connection).await
}

async fn empty(connection: &mut storage::AnyConnection) -> Result<bool> {
    Ok(!users::any(connection).await.or_domain()? && storage::courses::tenants(connection).await.or_domain()?.is_empty())
}

/// Takes away what a term that was cut off left behind.
fn clear(workshop: &Path) {
    let Ok(entries) = std::fs::read_dir(workshop) else { return };
    for entry in entries.flatten().filter(|entry| entry.file_name().to_string_lossy().starts_with(WORKSHOP)) {
        // It may be gone by now.
        let _ = std::fs::remove_file(entry.path());
    }
}
