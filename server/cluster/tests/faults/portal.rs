//! A portal as it runs: the real use cases and background jobs, a real database, a clock that goes, and a cluster behind it.

use std::{collections::BTreeMap, fmt::Debug, future::Future, sync::Arc, time::Duration};

use cluster::Kubernetes;
use domain::{
    courses::Course,
    ids::{LabId, OrderId},
    labs::LabState,
    orders::{OrderForm, OrderState, OrderView},
    quotas::Amounts,
    time::Timestamp,
};
use k8s_openapi::api::core::v1::PersistentVolume;
use kube::{
    Api, Client, ResourceExt,
    api::{DynamicObject, ListParams, PostParams},
    discovery::{Discovery, Scope, verbs},
};
use services::{Caller, Services, cluster_status, jobs, labs, orders, ports::Clock as _, testing::TestWorld};
use storage::testing::TestDatabase;
use tokio::{task::JoinSet, time::Instant};

use crate::volume;

/// Everything is as it should be so long after a fault has ended (requirement B5).
const CONVERGED_WITHIN: Duration = Duration::from_mins(1);
/// A key that the offering takes; nobody signs in.
const PUBLIC_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZhdWx0cyBvZiBhIGNsdXN0ZXIgZm9yIHRlc3Rz nobody@example.edu";

pub struct Portal {
    services: Services,
    /// Keeps the database.
    _world: TestWorld,
    teacher: Caller,
    course: Course,
    /// To look behind the portal's back.
    pub client: Client,
    /// The clock and the background jobs; they end with the portal.
    _tasks: JoinSet<()>,
}

impl Portal {
    /// Over this database and cluster, with a course of that code, which no other test uses.
    pub async fn open(database: TestDatabase, cluster: Kubernetes, client: Client, code: &str) -> Self {
        let world = TestWorld::college_on(database).await;
        let course = world.course(code).cards(100).budget(1_000_000).starts_per_day(500).add().await;
        let teacher = world.teacher("li.hua", &[&course]).await;
        let settings = world.services.settings.clone();
        let (clock, entropy) = (Arc::clone(&world.clock), Arc::clone(&world.services.entropy));
        let services = Services::new(world.services.db.clone(), Arc::clone(&clock) as _, entropy, Arc::new(cluster), settings);
        let mut tasks = JoinSet::new();
        let (begun, at) = (Instant::now(), clock.now());
        tasks.spawn(async move {
            loop {
                let gone = i64::try_from(begun.elapsed().as_micros()).expect("a short test");
                clock.set(Timestamp::from_micros(at.micros() + gone));
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        let portal = {
            let services = services.clone();
            tasks.spawn(jobs::run(services.clone()));
            Self { services, _world: world, teacher, course, client, _tasks: tasks }
        };
        portal.until("the portal knows the nodes", || portal.knows_nodes(), |knows| *knows).await;
        portal
    }

    async fn knows_nodes(&self) -> bool {
        !cluster_status::current(&self.services).await.expect("a status").nodes.is_empty()
    }

    pub fn namespace(&self) -> &str {
        &self.course.namespace
    }

    /// Submits an order for a lab with a card and a volume; no approval is needed.
    pub async fn submit(&self) -> OrderView {
        let parameters: BTreeMap<String, String> =
            [("public_key", PUBLIC_KEY), ("card", "a100-80g"), ("cards", "1"), ("cpu_cores", "1"), ("memory_gib", "4"), ("storage_gib", "10")]
                .map(|(key, text)| (key.to_owned(), text.to_owned()))
                .into();
        let form = OrderForm {
            offering: "linux-ssh".into(),
            course: self.course.code.clone(),
            parameters,
            duration_minutes: "120".into(),
            ..OrderForm::default()
        };
        let key = orders::IdempotencyKey::parse(&self.services.entropy.uuid().to_string()).expect("a key");
        orders::submit(&self.services, &self.teacher, &form, &key).await.expect("an order")
    }

    /// The order as its owner reads it now.
    pub async fn read(&self, order: OrderId) -> OrderView {
        orders::get(&self.services, &self.teacher, order).await.expect("the owner reads it")
    }

    /// Cards that a lab can use now, by the portal's own figure.
    pub async fn free(&self) -> u32 {
        let mut read = self.services.db.read().await.expect("a connection");
        storage::pools::find(&mut read, "a100-80g".parse().expect("a card")).await.expect("read").map_or(0, |pool| pool.free())
    }

    /// Orders labs with a card and a volume each; no approval is needed.
    pub async fn order(&self, count: usize) -> Vec<LabId> {
        let mut made = Vec::new();
        for _ in 0..count {
            let view = self.submit().await;
            assert_eq!(view.order.state, OrderState::Approved);
            made.push(view.labs[0]);
        }
        made
    }

    pub async fn stop(&self, ids: &[LabId]) {
        for id in ids {
            labs::stop(&self.services, &self.teacher, *id).await.expect("stops");
        }
    }

    pub async fn destroy(&self, ids: &[LabId]) {
        for id in ids {
            labs::destroy(&self.services, &self.teacher, *id).await.expect("goes");
        }
    }

    pub async fn retry(&self, ids: &[LabId]) {
        for id in ids {
            labs::retry(&self.services, &self.teacher, *id).await.expect("is tried again");
        }
    }

    /// Why the lab failed.
    pub async fn failure(&self, id: LabId) -> Option<String> {
        let mut read = self.services.db.read().await.expect("a connection");
        storage::labs::get(&mut read, id).await.expect("read").expect("the lab is there").failure.map(|failure| failure.reason)
    }

    /// Why the cluster has not accepted the lab yet.
    pub async fn reason(&self, id: LabId) -> Option<String> {
        let mut read = self.services.db.read().await.expect("a connection");
        let (seen, _) = storage::observations::get(&mut read, id).await.expect("read")?;
        seen.conditions.into_iter().find(|condition| condition.kind == "Accepted").map(|condition| condition.reason)
    }

    pub async fn state(&self, id: LabId) -> LabState {
        let mut read = self.services.db.read().await.expect("a connection");
        storage::labs::get(&mut read, id).await.expect("read").expect("the lab is there").state
    }

    /// Whether the lab ever came up anew by itself. Its state may show that for less than a moment.
    pub async fn came_up_anew(&self, id: LabId) -> bool {
        let sql = format!("SELECT COUNT(*) FROM lab_changes WHERE lab_id = '{id}' AND from_state = 'running' AND to_state = 'starting'");
        storage::testing::number(&self.services.db, &sql).await > 0
    }

    async fn states(&self, ids: &[LabId]) -> Vec<LabState> {
        let mut states = Vec::new();
        for id in ids {
            states.push(self.state(*id).await);
        }
        states
    }

    /// Waits until all these labs are in this state, at most a minute.
    pub async fn all(&self, ids: &[LabId], state: LabState) {
        self.until(&format!("all are {state:?}"), || self.states(ids), |states| states.iter().all(|one| *one == state)).await;
    }

    /// Waits until everything is as wanted after a fault has ended: these run, these are stopped, these are gone, each with what it holds.
    pub async fn converged(&self, running: &[LabId], stopped: &[LabId], destroyed: &[LabId]) {
        let (begun, end) = (Instant::now(), Instant::now() + CONVERGED_WITHIN);
        for (ids, state) in [(running, LabState::Running), (stopped, LabState::Stopped), (destroyed, LabState::Destroyed)] {
            self.until_by(end, &format!("all are {state:?}"), || self.states(ids), |states| states.iter().all(|one| *one == state)).await;
        }
        let held = u32::try_from(running.len()).expect("few labs");
        self.until_by(end, "only running labs hold cards", || self.reserved(), |reserved| *reserved == held).await;
        let pods = || async { self.pods().await.len() };
        self.until_by(end, "only running labs have pods", pods, |pods| *pods == running.len()).await;
        self.until_by(end, "the cluster is known to answer", || self.is_away(), |away| !away).await;
        // For the table in the documents; nobody holds it against a figure.
        let thread = std::thread::current();
        eprintln!("{} on {:?}: converged after {:.1} s", thread.name().unwrap_or_default(), self.services.db.engine(), begun.elapsed().as_secs_f64());
    }

    /// Destroys these, and waits until neither cluster nor portal has anything left of them or holds anything for them.
    pub async fn ends_empty(&self, ids: &[LabId]) {
        self.destroy(ids).await;
        let end = Instant::now() + CONVERGED_WITHIN;
        self.until_by(end, "all are gone", || self.states(ids), |states| states.iter().all(|one| *one == LabState::Destroyed)).await;
        self.until_by(end, "nothing of it is in the cluster", || self.leftovers(), Vec::is_empty).await;
        self.until_by(end, "no cards are reserved", || self.reserved(), |reserved| *reserved == 0).await;
        self.until_by(end, "no work waits", || self.backlog(), |waiting| *waiting == 0).await;
        let mut read = self.services.db.read().await.expect("a connection");
        let quota = storage::quotas::of_course(&mut read, self.course.id, self.services.clock.now()).await.expect("read").expect("the course");
        assert_eq!((quota.status.used, quota.status.held), (Amounts::default(), Amounts::default()));
    }

    async fn reserved(&self) -> u32 {
        let mut read = self.services.db.read().await.expect("a connection");
        storage::pools::find(&mut read, "a100-80g".parse().expect("a card")).await.expect("read").map_or(0, |pool| pool.reserved)
    }

    async fn backlog(&self) -> u32 {
        let mut read = self.services.db.read().await.expect("a connection");
        storage::outbox::backlog(&mut read, self.services.clock.now()).await.expect("read").0
    }

    pub async fn is_away(&self) -> bool {
        cluster_status::current(&self.services).await.expect("a status").away_since.is_some()
    }

    pub async fn pods(&self) -> Vec<String> {
        let pods = Api::<k8s_openapi::api::core::v1::Pod>::namespaced(self.client.clone(), self.namespace());
        pods.list(&ListParams::default()).await.expect("an answer").iter().map(ResourceExt::name_any).collect()
    }

    /// Every object of any kind in the course's namespace that the portal made, and the namespace itself.
    async fn leftovers(&self) -> Vec<String> {
        let mut found = Vec::new();
        let discovery = Discovery::new(self.client.clone()).run().await.expect("discovery");
        for (resource, capabilities) in discovery.groups().flat_map(kube::discovery::ApiGroup::recommended_resources) {
            if !capabilities.supports_operation(verbs::LIST) || resource.kind == "Event" {
                continue;
            }
            let (api, ours) = if capabilities.scope == Scope::Namespaced {
                (Api::<DynamicObject>::namespaced_with(self.client.clone(), self.namespace(), &resource), ListParams::default())
            } else {
                (Api::all_with(self.client.clone(), &resource), ListParams::default().labels("app.kubernetes.io/managed-by=lectern"))
            };
            let listed = api.list(&ours).await.unwrap_or_else(|error| panic!("{}: {error}", resource.plural));
            let ours = listed
                .items
                .iter()
                .filter(|object| capabilities.scope == Scope::Namespaced || resource.kind != "Namespace" || object.name_any() == self.namespace());
            found.extend(ours.map(|object| format!("{}/{}", resource.kind, object.name_any())));
        }
        found
    }

    /// Makes the volumes of these labs' claims, for a cluster without a provisioner.
    pub async fn provide_volumes(&self, ids: &[LabId]) {
        let volumes = Api::<PersistentVolume>::all(self.client.clone());
        for id in ids {
            let lab = {
                let mut read = self.services.db.read().await.expect("a connection");
                storage::labs::get(&mut read, *id).await.expect("read").expect("the lab is there")
            };
            volumes.create(&PostParams::default(), &volume::of(&lab)).await.expect("a volume");
        }
    }

    pub async fn forget_volumes(&self) {
        let volumes = Api::<PersistentVolume>::all(self.client.clone());
        for volume in volumes.list(&ListParams::default()).await.expect("an answer") {
            if volume.name_any().starts_with(self.namespace()) {
                let _ = volumes.delete(&volume.name_any(), &kube::api::DeleteParams::default()).await;
            }
        }
    }

    /// Asks until the answer is good, at most a minute.
    pub async fn until<T: Debug, F: Future<Output = T>>(&self, what: &str, ask: impl FnMut() -> F, good: impl Fn(&T) -> bool) -> T {
        self.until_by(Instant::now() + CONVERGED_WITHIN, what, ask, good).await
    }

    async fn until_by<T: Debug, F: Future<Output = T>>(&self, end: Instant, what: &str, mut ask: impl FnMut() -> F, good: impl Fn(&T) -> bool) -> T {
        loop {
            let answer = ask().await;
            if good(&answer) {
                return answer;
            }
            assert!(Instant::now() < end, "{}: {what}: not within {} s, last {answer:#?}", self.course.code, CONVERGED_WITHIN.as_secs());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
