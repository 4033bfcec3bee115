//! The kinds that are watched, each as a stream of what became of its objects.

use futures::{StreamExt, stream::BoxStream};
use k8s_openapi::api::{
    apps::v1::{Deployment, StatefulSet},
    batch::v1::Job,
    core::v1::{self as core, PersistentVolumeClaim, Pod, Service, ServiceAccount},
    networking::v1::NetworkPolicy,
};
use kube::{
    Api, Client, Resource,
    core::ObjectMeta,
    runtime::watcher::{self, Event, watcher},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use services::ports::ClusterError;

use crate::{errors, kinds::Kind, labels};

/// Seconds after which the server ends a watch and it is resumed: what a silently dead one costs at most, besides the heartbeat.
const RENEWED_EVERY: u32 = 60;

#[derive(Debug)]
pub enum Item {
    /// The source reads its list anew.
    Begins,
    /// The source has read its list and follows changes from here.
    Synced,
    /// The object is there, new or changed.
    Is(Object),
    Gone(Object),
    /// The watch cannot go on.
    Broken(ClusterError),
}

#[derive(Debug)]
pub enum Object {
    StatefulSet(Box<StatefulSet>),
    Job(Box<Job>),
    Deployment(Box<Deployment>),
    Pod(Box<Pod>),
    Volume(Box<PersistentVolumeClaim>),
    /// An object that isolates labs or makes them reachable, without its status: of a lab or of a course. `Null` for one that is not
    /// Lectern's.
    Other(Kind, Box<ObjectMeta>, Value),
    Node(Box<core::Node>),
    Event(Box<core::Event>),
}

/// The source of each kind by its number, which every item comes with.
pub const KINDS: [&str; COUNT] =
    ["StatefulSet", "Job", "Pod", "PersistentVolumeClaim", "Service", "NetworkPolicy", "ServiceAccount", "Deployment", "Namespace", "Node", "Event"];
pub const COUNT: usize = 11;

pub fn all(client: &Client) -> Vec<BoxStream<'static, (usize, Item)>> {
    let labs = watcher::Config::default().labels(&labels::selector_of_all()).timeout(RENEWED_EVERY);
    let plain = watcher::Config::default().timeout(RENEWED_EVERY);
    let every = || client.clone();
    let sources: [BoxStream<'static, Item>; COUNT] = [
        source(Api::<StatefulSet>::all(every()), labs.clone(), |set| Object::StatefulSet(Box::new(set))),
        source(Api::<Job>::all(every()), labs.clone(), |job| Object::Job(Box::new(job))),
        // Those that are no lab's too: they may hold cards.
        source(Api::<Pod>::all(every()), plain.clone(), pod),
        source(Api::<PersistentVolumeClaim>::all(every()), labs.clone(), |claim| Object::Volume(Box::new(claim))),
        source(Api::<Service>::all(every()), labs.clone(), |it| other(Kind::Service, it)),
        // Those of others too: they may open labs.
        source(Api::<NetworkPolicy>::all(every()), plain.clone(), |it| other(Kind::NetworkPolicy, it)),
        source(Api::<ServiceAccount>::all(every()), labs.clone(), |it| other(Kind::ServiceAccount, it)),
        source(Api::<Deployment>::all(every()), labs, |deployment| Object::Deployment(Box::new(deployment))),
        // By no label: somebody may have removed it.
        source(Api::<core::Namespace>::all(every()), plain.clone(), namespace),
        source(Api::<core::Node>::all(every()), plain.clone(), |node| Object::Node(Box::new(node))),
        // Events have no labels to select them by.
        source(Api::<core::Event>::all(every()), plain, |event| Object::Event(Box::new(event))),
    ];
    sources.into_iter().enumerate().map(|(number, stream)| stream.map(move |item| (number, item)).boxed()).collect()
}

fn other<K>(kind: Kind, mut it: K) -> Object
where
    K: Resource + Serialize,
{
    it.meta_mut().managed_fields = None;
    let mut body = serde_json::to_value(&it).unwrap_or_default();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("status");
    }
    Object::Other(kind, Box::new(it.meta().clone()), body)
}

/// Without a body if somebody else made it: it stays as it is.
fn namespace(it: core::Namespace) -> Object {
    let is_own = labels::is_own_namespace(&it.metadata);
    let metadata = Box::new(it.metadata.clone());
    match other(Kind::Namespace, it) {
        own @ Object::Other(..) if is_own => own,
        _ => Object::Other(Kind::Namespace, metadata, Value::Null),
    }
}

/// Without the bookkeeping that makes up half of a pod.
fn pod(mut pod: Pod) -> Object {
    pod.metadata.managed_fields = None;
    Object::Pod(Box::new(pod))
}

fn source<K>(api: Api<K>, config: watcher::Config, wrap: fn(K) -> Object) -> BoxStream<'static, Item>
where
    K: Resource + Clone + DeserializeOwned + std::fmt::Debug + Send + 'static,
{
    let items = watcher(api, config).map(move |event| match event {
        Ok(Event::Init) => Some(Item::Begins),
        Ok(Event::InitDone) => Some(Item::Synced),
        Ok(Event::InitApply(object) | Event::Apply(object)) => Some(Item::Is(wrap(object))),
        Ok(Event::Delete(object)) => Some(Item::Gone(wrap(object))),
        // Both mend themselves: the watcher lists again, or resumes where it was.
        Err(watcher::Error::WatchError(status)) if status.code == 410 => None,
        Err(watcher::Error::WatchFailed(error)) => {
            tracing::debug!(error = %errors::chain(&error), "a watch was cut off and is resumed");
            None
        }
        Err(watcher::Error::InitialListFailed(error) | watcher::Error::WatchStartFailed(error)) => Some(Item::Broken(errors::of_kube(&error))),
        Err(watcher::Error::WatchError(status)) => Some(Item::Broken(errors::of_status(&status))),
        Err(error) => Some(Item::Broken(ClusterError::Away(errors::chain(&error)))),
    });
    items.filter_map(std::future::ready).boxed()
}
