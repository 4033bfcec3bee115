//! The nodes as operators and programs read them.

use domain::{
    Error,
    cluster::Hold,
    labs::LabState,
    nodes::{Finding, Who},
};
use storage::testing::for_each_engine;

use super::*;
use crate::{
    jobs::{reconcile, watch},
    orders,
    ports::Change,
    testing::TestWorld,
};

async fn ordered(world: &TestWorld, teacher: &Caller, course: &str) -> LabId {
    let form =
        domain::orders::OrderForm { offering: "jupyterlab-slice".into(), course: course.into(), duration_minutes: "90".into(), ..Default::default() };
    let key = orders::IdempotencyKey::parse(&world.services.entropy.uuid().to_string()).expect("a key");
    orders::submit(&world.services, teacher, &form, &key).await.expect("an order").labs[0]
}

#[tokio::test]
async fn a_node_tells_who_holds_its_cards() {
    for_each_engine("a_node_tells_who_holds_its_cards", |database| async {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        let course = world.course("CV2402").add().await;
        let teacher = world.teacher("li", &[&course]).await;
        let operator = world.operator("zhao").await;
        let lab = ordered(&world, &teacher, "CV2402").await;

        let all = list(services, &operator).await.expect("operators read it");
        assert_eq!((all.nodes.len(), all.findings.as_slice(), all.version.as_str()), (3, [].as_slice(), "v1.33.0"));
        let (node, reported) = get(services, &operator, "gpu-3").await.expect("a node");
        assert!(reported.is_some());
        assert_eq!((node.kinds[0].total, node.kinds[0].used, node.kinds[0].free), (14, 1, 13));
        let [holder] = node.holders.as_slice() else { panic!("{node:?}") };
        let Who::Lab(of) = &holder.who else { panic!("{holder:?}") };
        assert_eq!((of.id, of.state, of.owner.login.as_str(), of.course.code.as_str(), of.bound), (lab, LabState::Pending, "li", "CV2402", false));

        // Its pod is placed, and somebody else's pod has two cards of another node.
        reconcile::due(services).await.expect("works");
        let card = "a100-80g-1g.10gb".parse().expect("a card");
        let hold = Hold { namespace: course.namespace.clone(), pod: "lab-1001-0".into(), lab: Some(lab), card, cards: 1 };
        world.cluster.hold("gpu-3", hold);
        let stray = Hold { namespace: "default".into(), pod: "stray".into(), lab: None, card: "a100-80g".parse().expect("a card"), cards: 2 };
        world.cluster.hold("gpu-1", stray);
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        let all = list(services, &operator).await.expect("read");
        assert!(matches!(&all.nodes[2].holders[0].who, Who::Lab(of) if of.bound));
        let expected = Finding::Foreign { node: "gpu-1".into(), cards: 2, pods: vec!["default/stray".into()] };
        assert_eq!(all.findings, [expected]);
        let (inventory, _) = inventory(services, &operator).await.expect("read");
        let shown: Vec<_> = inventory.iter().map(|node| (node.node.as_str(), node.gpu_free, node.gpu_allocated)).collect();
        assert_eq!(shown, [("gpu-1", 6, 2), ("gpu-2", 8, 0), ("gpu-3", 0, 0)]);
        assert_eq!(inventory[2].slices[0].free, 13);
        let pool = all.pools.iter().find(|pool| pool.card.id() == "a100-80g").expect("a pool");
        assert_eq!(pool.largest_node, 8);
    })
    .await;
}

#[tokio::test]
async fn another_tenants_lab_is_counted_and_not_named() {
    let world = TestWorld::college().await;
    let services = &world.services;
    watch::take(services, &[Change::Nodes]).await.expect("counts");
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li", &[&course]).await;
    ordered(&world, &teacher, "CV2402").await;
    let abroad = world.other_tenant("law").await;
    let operator = world.person("sun").in_tenant(abroad).role(domain::access::Role::Operator).add().await;
    let (node, _) = get(services, &operator, "gpu-3").await.expect("a node");
    assert_eq!((node.kinds[0].used, &node.holders[0].who), (1, &Who::OtherTenant));
    assert_eq!(get(services, &operator, "gpu-9").await.expect_err("no such node"), Error::NotFound);
    assert_eq!(list(services, &teacher).await.expect_err("not theirs"), Error::Forbidden);
}

#[tokio::test]
async fn a_reading_of_the_temperature_is_no_news_and_is_kept() {
    let world = TestWorld::college().await;
    let services = &world.services;
    watch::take(services, &[Change::Nodes]).await.expect("counts");
    let operator = world.operator("zhao").await;
    world.cluster.report_temperature("gpu-1", 91);
    assert_eq!(cluster_status::refresh(services).await, Ok(false), "open pages are not told");
    let all = list(services, &operator).await.expect("read");
    assert_eq!(all.findings, [Finding::Hot { node: "gpu-1".into(), celsius: 91 }]);
}

#[tokio::test]
async fn where_the_cluster_put_a_pod_counts_and_not_where_it_was_planned() {
    for_each_engine("where_the_cluster_put_a_pod_counts_and_not_where_it_was_planned", |database| async {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        world.cluster.set_nodes(&[("gpu-1", "a100-80g-1g.10gb", 2), ("gpu-2", "a100-80g-1g.10gb", 3)]);
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        let course = world.course("CV2402").add().await;
        let teacher = world.teacher("li", &[&course]).await;
        let lab = ordered(&world, &teacher, "CV2402").await;
        let card = "a100-80g-1g.10gb".parse().expect("a card");
        let free = async || {
            let mut read = services.db.read().await.expect("a connection");
            let rooms = storage::placement::rooms(&mut read, card).await.expect("read");
            rooms.nodes.into_iter().map(|room| room.free).collect::<Vec<_>>()
        };
        assert_eq!(free().await, [1, 3], "the fuller node was chosen");
        let asked = crate::jobs::lab_order(services, lab).await.expect("read").expect("a lab").preferred_nodes;
        assert_eq!(asked, ["gpu-1"]);

        world.cluster.hold("gpu-2", Hold { namespace: course.namespace.clone(), pod: "lab-1001-0".into(), lab: Some(lab), card, cards: 1 });
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        assert_eq!(free().await, [2, 2]);
        let asked = crate::jobs::lab_order(services, lab).await.expect("read").expect("a lab").preferred_nodes;
        assert_eq!(asked, ["gpu-1"], "the lab's objects stay as they are");
    })
    .await;
}

#[tokio::test]
async fn a_node_never_shows_more_cards_in_use_than_it_has() {
    for_each_engine("a_node_never_shows_more_cards_in_use_than_it_has", |database| async {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        world.cluster.set_nodes(&[("gpu-1", "a100-80g-1g.10gb", 2), ("gpu-2", "a100-80g-1g.10gb", 1)]);
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        let course = world.course("CV2402").add().await;
        let teacher = world.teacher("li", &[&course]).await;
        let operator = world.operator("zhao").await;
        let mut labs = Vec::new();
        for _ in 0..3 {
            labs.push(ordered(&world, &teacher, "CV2402").await);
        }
        let shown = async || {
            let all = list(services, &operator).await.expect("operators read it");
            let in_use = |view: &NodeView| (view.kinds[0].used, view.kinds[0].total);
            let of_lab = |holder: &Holder| match &holder.who {
                Who::Lab(lab) => Some(lab.id),
                _ => None,
            };
            let holders: Vec<Vec<_>> = all.nodes.iter().map(|view| view.holders.iter().filter_map(of_lab).collect()).collect();
            (all.nodes.iter().map(in_use).collect::<Vec<_>>(), holders)
        };
        assert_eq!(shown().await, (vec![(2, 2), (1, 1)], vec![vec![labs[1], labs[2]], vec![labs[0]]]), "as planned");

        // The scheduler does not follow the plan: the first lab's pod takes a card that was planned for another one.
        let card = "a100-80g-1g.10gb".parse().expect("a card");
        world.cluster.hold("gpu-1", Hold { namespace: course.namespace.clone(), pod: "lab-1001-0".into(), lab: Some(labs[0]), card, cards: 1 });
        watch::take(services, &[Change::Nodes]).await.expect("counts");
        assert_eq!(shown().await, (vec![(2, 2), (1, 1)], vec![vec![labs[0], labs[1]], vec![labs[2]]]));
    })
    .await;
}
