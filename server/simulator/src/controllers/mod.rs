//! The control plane: one task that hears every change and works off what it means. Each controller is a file with `observe`
//! (which work a change makes) and `reconcile` (the work: from what is stored to what should be). All work is idempotent, so a
//! restart only queues everything once more.

mod claims;
mod deployment;
mod endpoints;
pub mod events;
mod fit;
mod garbage;
mod heat;
mod job;
mod job_status;
pub mod kubelet;
mod lost;
mod namespace;
mod node;
pub mod pod_template;
mod queue;
mod quota;
mod revisions;
pub mod scheduler;
mod statefulset;

use std::{collections::HashMap, sync::Arc};

use tokio_util::sync::CancellationToken;

pub use self::{
    claims::PROVISIONER,
    queue::{Queue, Work},
};
use crate::{
    faults::Switchboard,
    local::Local,
    pace::Pace,
    registry::kinds,
    store::{Change, Key, Object, Store},
};

/// What a reconciler works with.
pub struct Context {
    pub store: Arc<Store>,
    pub pace: Pace,
    pub faults: Arc<Switchboard>,
    /// Where containers are processes of this machine.
    pub local: Option<Arc<Local>>,
    pub queue: Queue,
    /// Pods that ended badly and were deleted, by the uid of their Job. They count as failures; a real controller holds such pods by a
    /// finalizer until it has counted them.
    pub deleted_pods: HashMap<String, Vec<Object>>,
}

/// Runs the control plane until it is told to stop.
pub async fn run(store: Arc<Store>, pace: Pace, faults: Arc<Switchboard>, local: Option<Arc<Local>>, stopping: CancellationToken) {
    let mut latest = store.subscribe();
    let mut turned = faults.turned();
    let mut context =
        Context { store: Arc::clone(&store), pace, faults: Arc::clone(&faults), local, queue: Queue::default(), deleted_pods: HashMap::new() };
    let mut cursor = resync(&mut context);
    loop {
        if faults.is_away() {
            store.forget_history();
            tokio::select! {
                () = stopping.cancelled() => return,
                changed = turned.changed() => if changed.is_err() { return },
            }
            cursor = resync(&mut context);
            continue;
        }
        match store.changes_after(cursor) {
            Ok((changes, version)) => {
                for change in &changes {
                    guarded(|| observe(&mut context, change));
                }
                cursor = version;
            }
            // More happened at once than is kept: look at everything again.
            Err(_) => cursor = resync(&mut context),
        }
        // A few at a time, so that what they cause is heard in between and other tasks get their turn.
        for _ in 0..32 {
            let Some(work) = context.queue.pop() else { break };
            if !guarded(|| reconcile(&mut context, work.clone())) {
                context.queue.push_later(work, context.pace.retry);
            }
        }
        if context.queue.is_idle() {
            let next = context.queue.next_due();
            tokio::select! {
                () = stopping.cancelled() => return,
                changed = latest.changed() => if changed.is_err() { return },
                Ok(()) = turned.changed() => lost::turned(&mut context),
                () = wait(next) => {}
            }
        } else {
            if stopping.is_cancelled() {
                return;
            }
            if turned.has_changed().unwrap_or_default() {
                turned.mark_unchanged();
                lost::turned(&mut context);
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Whether the work was done without a panic: one object that nobody expected must not end the whole control plane. The store's state is
/// valid between two statements, and all work is idempotent.
fn guarded(work: impl FnOnce()) -> bool {
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    if done.is_err() {
        tracing::error!("a controller panicked over one object and will retry");
    }
    done.is_ok()
}

async fn wait(until: Option<tokio::time::Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}

/// Treats every stored object as new.
fn resync(context: &mut Context) -> u64 {
    let (version, all) = {
        let txn = context.store.write();
        let all: Vec<_> =
            kinds().iter().flat_map(|kind| txn.list(kind.resource, "").into_iter().map(move |object| (kind.resource, object))).collect();
        (txn.version(), all)
    };
    for (resource, object) in all {
        let change = Change { version, key: Key::of(resource, &object), old: None, new: Some(object) };
        observe(context, &change);
    }
    context.queue.push(Work::ExpireEvents);
    context.queue.push(Work::Heat);
    version
}

fn observe(context: &mut Context, change: &Change) {
    namespace::observe(context, change);
    garbage::observe(context, change);
    statefulset::observe(context, change);
    deployment::observe(context, change);
    job::observe(context, change);
    scheduler::observe(context, change);
    kubelet::observe(context, change);
    claims::observe(context, change);
    quota::observe(context, change);
    endpoints::observe(context, change);
    node::observe(context, change);
}

fn reconcile(context: &mut Context, work: Work) {
    match work {
        Work::Namespace(name) => namespace::reconcile(context, &name),
        Work::Collect(key) => garbage::reconcile(context, &key),
        Work::StatefulSet(key) => statefulset::reconcile(context, &key),
        Work::Deployment(key) => deployment::reconcile(context, &key),
        Work::ReplicaSet(key) => deployment::reconcile_replicas(context, &key),
        Work::Job(key) => job::reconcile(context, &key),
        Work::Schedule(key) => scheduler::reconcile(context, &key),
        Work::ScheduleAll => scheduler::retry_all(context),
        Work::Pod(key) => kubelet::reconcile(context, &key),
        Work::Claim(key) => claims::reconcile(context, &key),
        Work::Volume(key) => claims::reconcile_volume(context, &key),
        Work::Quota(namespace) => quota::reconcile(context, &namespace),
        Work::Endpoints(key) => endpoints::reconcile(context, &key),
        Work::Node(key) => node::reconcile(context, &key),
        Work::ExpireEvents => events::expire(context),
        Work::Heat => heat::reconcile(context),
    }
}
