//! Setup that the tests of changes of a lab share.

use domain::{
    access::Role,
    approvals::{Condition, OrderTest, Outcome, Policy, Rule},
    catalogue::{Localized, ParameterInput},
    ids::LabId,
    orders::OrderForm,
    quotas::QuotaStatus,
};
use storage::testing::TestDatabase;

use super::Scene;
use crate::{
    Caller,
    jobs::watch,
    orders, policies,
    ports::{Change, Clock as _},
};

impl Scene {
    /// Gives the cluster one node, with this many A100 cards.
    pub(super) async fn one_node(&self, cards: u32) {
        self.world.cluster.set_nodes(&[("gpu-1", "a100-80g", cards)]);
        watch::take(&self.world.services, &[Change::Nodes]).await.expect("counts");
    }

    /// Does all work of a restart: the old pods go, and the new ones come up five seconds later.
    pub(super) async fn settle_restart(&self) {
        self.settle().await;
        self.world.clock.advance(5);
        self.settle().await;
    }
}

/// A running lab of the teacher. A manager must approve every change of it.
pub(super) struct Supervised {
    pub scene: Scene,
    pub manager: Caller,
    pub id: LabId,
}

impl Supervised {
    pub(super) async fn on(database: TestDatabase) -> Self {
        // On the heap: the setup holds a whole world.
        Box::pin(async {
            let scene = Scene::on(database).await;
            let manager = scene.world.manager("zhang").await;
            let id = scene.running().await;
            require_approval(&scene).await;
            Self { scene, manager, id }
        })
        .await
    }
}

/// Puts a policy in force by which a manager approves everything.
pub(super) async fn require_approval(scene: &Scene) {
    require(scene, Vec::new()).await;
}

/// As [`require_approval`], and what runs for longer than this is approved by a manager and an operator.
pub(super) async fn require_operator_over(scene: &Scene, minutes: u32) {
    let both = Outcome::Stages(vec![Role::Manager, Role::Operator]);
    let long = Rule::new(Localized { zh: "时间长".into(), en: "Long".into() }, OrderTest::MinutesOver(minutes).into(), both);
    require(scene, vec![long]).await;
}

async fn require(scene: &Scene, mut rules: Vec<Rule>) {
    let services = &scene.world.services;
    let admin = scene.world.administrator("admin").await;
    rules.push(Rule::new(Localized { zh: "都要批".into(), en: "All".into() }, Condition::Always, Outcome::Stages(vec![Role::Manager])));
    let policy = Policy { rules, same_person_twice: false };
    let version = policies::get(services, &admin).await.expect("read").stored.version;
    policies::replace(services, &admin, &policy, version).await.expect("in force");
}

/// The quota of the course of the scene.
pub(super) async fn quota(scene: &Scene) -> QuotaStatus {
    let mut read = scene.world.services.db.read().await.expect("a connection");
    storage::quotas::of_course(&mut read, scene.course.id, scene.world.clock.now()).await.expect("read").expect("the course is there").status
}

pub(super) fn input(pairs: &[(&str, &str)]) -> ParameterInput {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// A notebook with whole cards.
pub(super) fn cards_form(scene: &Scene, cards: u32) -> OrderForm {
    OrderForm {
        offering: "jupyterlab-2xa100-1tb".into(),
        course: scene.course.code.clone(),
        duration_minutes: "90".into(),
        parameters: input(&[("cards", &cards.to_string())]),
        ..OrderForm::default()
    }
}

pub(super) fn key(scene: &Scene) -> orders::IdempotencyKey {
    orders::IdempotencyKey::parse(&scene.world.services.entropy.uuid().to_string()).expect("a key")
}

/// A running notebook with whole cards.
pub(super) async fn with_cards(scene: &Scene, caller: &Caller, cards: u32) -> LabId {
    let view = orders::submit(&scene.world.services, caller, &cards_form(scene, cards), &key(scene)).await.expect("an order");
    scene.settle().await;
    view.labs[0]
}
