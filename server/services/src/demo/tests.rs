//! Both colleges: everybody can sign in, what was cut off leaves nothing, and the term's books agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use domain::{
    audit::Filter,
    labs::{LabFilter, LabState},
    orders::{OrderFilter, OrderState},
    page::PageRequest,
};
use storage::testing::for_each_engine;

use super::*;
use crate::{Caller, testing::TestWorld};

async fn sign_in(world: &TestWorld, made: &[Account], login: &str) -> Caller {
    let (_, password) = made.iter().find(|(known, _)| known == login).expect("an account");
    let signed_in = crate::accounts::sign_in(&world.services, &TestWorld::origin(), login, password).await.expect("signed in");
    Caller { actor: signed_in.actor, origin: TestWorld::origin() }
}

/// A test needs no file of them.
const KEEP_NOTHING: Keep<'static> = &|_| Ok(());

#[tokio::test]
async fn an_empty_installation_is_filled_once_and_everybody_can_sign_in() {
    let world = TestWorld::empty().await;
    let told = Mutex::new(Vec::new());
    let keep = |made: &[Account]| {
        told.lock().expect("kept").extend_from_slice(made);
        Ok(())
    };
    let made = seed(&world.services, &keep).await.expect("seeded");
    let logins: Vec<_> = made.iter().map(|(login, _)| login.as_str()).collect();
    assert_eq!(logins, ["teacher", "teacher2", "manager", "auditor", "operator", "administrator"]);
    assert_eq!(*told.lock().expect("kept"), made);
    assert_eq!(seed(&world.services, &keep).await.expect("seen"), [], "what is there is left alone");

    let passwords: BTreeSet<_> = made.iter().map(|(_, password)| password).collect();
    assert_eq!(passwords.len(), made.len(), "everybody has a password of their own");
    for (login, _) in &made {
        let caller = sign_in(&world, &made, login).await;
        assert_eq!(crate::catalogue::list(&world.services, &caller).await.expect("a catalogue").len(), 8);
        match login.as_str() {
            "teacher" | "teacher2" => {
                let quotas = crate::quotas::list(&world.services, &caller).await.expect("quotas");
                let codes: Vec<_> = quotas.iter().map(|(course, _)| course.code.as_str()).collect();
                assert_eq!(codes, ["AI2301", "CV2402"]);
            }
            "auditor" => {
                let filter = Filter { action: Some("demo.seed".into()), ..Filter::default() };
                let found = crate::audit::search(&world.services, &caller, &filter, &PageRequest::default()).await.expect("found");
                assert_eq!(found.items.len(), 1);
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn accounts_that_cannot_be_kept_are_not_made() {
    let world = TestWorld::empty().await;
    let full = |_: &[Account]| Err(io::Error::other("the disk is full"));
    assert_eq!(seed(&world.services, &full).await.expect_err("refused").code(), "internal");
    assert_eq!(seed(&world.services, KEEP_NOTHING).await.expect("seeded").len(), 6, "nothing was left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_is_lived_through_and_its_books_agree() {
    for_each_engine("a_term_is_lived_through_and_its_books_agree", |database| async {
        let world = TestWorld::on(database);
        let services = &world.services;
        let folder = tempfile::tempdir().expect("a folder");
        let seen = AtomicU32::new(0);
        let progress = |percent| {
            seen.fetch_max(percent, Ordering::SeqCst);
        };
        let term = Term { workshop: folder.path(), weeks: 3, progress: &progress };
        let made = seed_term(services, &term, KEEP_NOTHING).await.expect("a term");
        assert_eq!((made.len(), seen.load(Ordering::SeqCst)), (6, 100));
        assert_eq!(std::fs::read_dir(folder.path()).expect("the folder").count(), 0, "the workshop is tidied up");
        assert_eq!(seed_term(services, &term, KEEP_NOTHING).await.expect("seen"), [], "what is there is left alone");

        let manager = sign_in(&world, &made, "manager").await;
        let mut states = BTreeMap::new();
        for state in OrderState::ALL {
            let filter = OrderFilter { state: Some(state), ..OrderFilter::default() };
            let page = PageRequest { limit: 200, after: None };
            states.insert(state.as_str(), crate::orders::list(services, &manager, &filter, &page).await.expect("orders").items.len());
        }
        for (state, least) in [("pending_approval", 3), ("approved", 4), ("queued", 1), ("fulfilled", 30)] {
            assert!(states[state] >= least, "{states:?}");
        }
        let waiting = LabFilter { state: Some(LabState::Pending), ..LabFilter::default() };
        let coming = crate::labs::list(services, &manager, &waiting, &PageRequest::default()).await.expect("labs");
        assert!(coming.items.len() >= 5, "a handful comes up as soon as the real cluster is told");
        for state in [LabState::Starting, LabState::Running, LabState::Stopping] {
            let filter = LabFilter { state: Some(state), ..LabFilter::default() };
            assert!(crate::labs::list(services, &manager, &filter, &PageRequest::default()).await.expect("labs").items.is_empty());
        }
        for report in crate::audit::verify(&services.db).await.expect("verified") {
            assert!(report.result.is_ok(), "{report:?}");
            assert!(report.unsealed < 20, "all but what this test did is sealed");
        }
        recount(services, &manager).await;

        // The real jobs take over: the cluster of this test brings the labs up.
        world.services.hub.wake();
        crate::cluster_status::refresh(services).await.expect("told");
        for _ in 0..40 {
            if crate::jobs::reconcile::due(services).await.expect("works") == 0 {
                break;
            }
        }
        let running = LabFilter { state: Some(LabState::Running), ..LabFilter::default() };
        assert!(crate::labs::list(services, &manager, &running, &PageRequest::default()).await.expect("labs").items.len() >= 5);
    })
    .await;
}

/// Counts everything once more by code that knows nothing of metering's.
async fn recount(services: &Services, manager: &Caller) {
    assert_eq!(crate::testing::recount::recount(services).await, []);
    let month = services.clock.now().campus_month();
    let bills = crate::billing::bills(services, manager, month).await.expect("bills");
    assert!(bills.iter().filter(|bill| bill.total.micros > 0).count() >= 5, "the term goes on in this month: {bills:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_term_that_is_cut_off_leaves_nothing_and_the_next_start_makes_it_whole() {
    for_each_engine("a_term_that_is_cut_off_leaves_nothing_and_the_next_start_makes_it_whole", |database| async {
        let world = TestWorld::on(database);
        let folder = tempfile::tempdir().expect("a folder");
        for cut in [30, 98] {
            let services = world.services.clone();
            let workshop = folder.path().to_owned();
            let (reached, mut wait) = tokio::sync::mpsc::unbounded_channel();
            let (ended, end) = std::sync::mpsc::channel::<()>();
            let task = tokio::spawn(async move {
                let end = Mutex::new(end);
                let progress = move |percent| {
                    if percent >= cut {
                        let _ = reached.send(());
                        // Stands here until the other side has ended this task; an error is that side gone.
                        let _ = end.lock().map(|end| end.recv());
                    }
                };
                let term = Term { workshop: &workshop, weeks: 1, progress: &progress };
                seed_term(&services, &term, KEEP_NOTHING).await
            });
            let Some(()) = wait.recv().await else { panic!("it does not get as far as {cut} %: {:?}", task.await) };
            task.abort();
            drop(ended);
            assert!(task.await.is_err_and(|error| error.is_cancelled()));
            assert!(is_empty(&world.services).await.expect("read"), "cut off at {cut}");
        }
        let term = Term { workshop: folder.path(), weeks: 1, progress: &|_| {} };
        assert_eq!(seed_term(&world.services, &term, KEEP_NOTHING).await.expect("a term").len(), 6);
    })
    .await;
}
