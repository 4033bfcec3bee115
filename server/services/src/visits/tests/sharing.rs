//! Links to a lab: who makes them, who comes in by them, and what ends that.

use domain::{
    Error, Problem,
    access::{Role, Scope},
    ids::ShareId,
    labs::host,
    shares::{SHARES_MAX, ShareForm, ViewOnly},
    visits::{VisitEnd, VisitRole},
};
use storage::testing::{execute, for_each_engine, number};

use super::*;
use crate::{labs, people, shares, testing::with_scopes};

const HOUR: i64 = 3_600;

fn form(view_only: bool) -> ShareForm {
    ShareForm { lasts: "hour".into(), until: String::new(), view_only }
}

impl Scene {
    /// A link of the teacher's for an hour: its id and its secret.
    async fn share(&self, view_only: bool) -> (ShareId, String) {
        let link = shares::create(self.services(), &self.teacher, self.id, &form(view_only)).await.expect("it is their lab");
        assert!(!format!("{link:?}").contains("shr_"), "a secret is not printed");
        let secret = link.path().strip_prefix("/labs/shared/").expect("a path").to_owned();
        (link.share.id, secret)
    }

    /// Comes in by a link: the cookie.
    async fn come_by(&self, caller: &Caller, secret: &str) -> String {
        let session = self.session(caller).await;
        let opening = open_shared(self.services(), caller, secret, &session, PORTAL).await.expect("a good link");
        self.take(&opening).await.expect("they come in").cookie.expose().clone()
    }

    /// Why somebody is not let in by a link.
    async fn refused_by(&self, caller: &Caller, secret: &str) -> Error {
        open_shared(self.services(), caller, secret, "session", PORTAL).await.expect_err("the link opens nothing")
    }
}

#[tokio::test]
async fn anybody_of_the_college_comes_in_by_a_link_and_is_listed_with_it() {
    for_each_engine("anybody_of_the_college_comes_in_by_a_link_and_is_listed_with_it", async |database| {
        let scene = Scene::on(database).await;
        let services = scene.services();
        let guest = scene.world.person("guest").named("Guest").add().await;
        let (id, secret) = scene.share(true).await;
        assert_eq!(number(&services.db, &format!("SELECT COUNT(*) FROM lab_shares WHERE secret_hash = '{secret}'")).await, 0, "only its hash");
        let shared = shares::find(services, &guest, &secret).await.expect("a good link");
        assert_eq!((shared.id, shared.lab.id, shared.owner.login.as_str(), shared.view_only), (id, scene.id, "li.hua", true));
        assert_eq!(number(&services.db, "SELECT COUNT(*) FROM lab_passes").await, 0, "looking at a link does nothing");

        let entry = scene.admit(&scene.come_by(&guest, &secret).await).await.expect("a pass");
        assert_eq!((entry.role, entry.person, entry.view_only), (VisitRole::Share, guest.actor.user, Some(ViewOnly::Notebook)));
        entry.count(1, 2);
        let at_once = shares::list(services, &scene.teacher, scene.id).await.expect("their links");
        assert_eq!(at_once[0].visitors.len(), 1, "no round has written it");
        scene.round().await;
        let log = scene.log().await;
        assert_eq!((log[0].role, log[0].person.login.as_str(), log[0].address.as_deref()), (VisitRole::Share, "guest", Some(ADDRESS)));
        let listed = shares::list(services, &scene.teacher, scene.id).await.expect("their lab");
        assert_eq!(listed.iter().map(|share| (share.id, share.view_only, share.visitors.len())).collect::<Vec<_>>(), [(id, true, 1)]);
        assert_eq!(listed[0].visitors[0].person.name, "Guest");

        // The owner sees what others see.
        let own = scene.admit(&scene.come_by(&scene.teacher, &secret).await).await.expect("a pass");
        assert_eq!((own.role, own.view_only), (VisitRole::Share, Some(ViewOnly::Notebook)));
        let (_, whole) = scene.share(false).await;
        assert_eq!(scene.admit(&scene.come_by(&guest, &whole).await).await.expect("a pass").view_only, None);
        let recorded = texts(&services.db, "SELECT COALESCE(after_json, '') FROM audit_events WHERE action IN ('lab.share', 'lab.open')").await;
        assert_eq!(recorded.len(), 5, "{recorded:?}");
        assert!(recorded.iter().all(|record| !record.contains(&secret) && !record.contains(&whole)), "{recorded:?}");
    })
    .await;
}

/// Lets somebody in by a link, lets `cause` happen, and expects their pass to be over for this reason.
async fn ends_by(name: &str, expected: &'static str, cause: impl AsyncFn(&Scene, ShareId)) {
    let cause = &cause;
    for_each_engine(name, |database| async move {
        let scene = Scene::on(database).await;
        let guest = scene.world.person("guest").add().await;
        let (id, secret) = scene.share(false).await;
        let cookie = scene.come_by(&guest, &secret).await;
        let entry = scene.admit(&cookie).await.expect("a pass");
        entry.count(1, 2);
        scene.round().await;
        assert!(!entry.ended().is_cancelled());
        cause(&scene, id).await;
        scene.round().await;
        assert!(entry.ended().is_cancelled(), "open sockets are told");
        assert!(scene.admit(&cookie).await.is_none());
        assert_eq!(scene.ends().await, [expected]);
        let ended: Vec<_> = texts(&scene.services().db, "SELECT COALESCE(ended_by, '-') FROM lab_visits").await;
        assert_eq!(ended, [VisitEnd::PassEnded.as_str()]);
        assert_eq!(scene.refused_by(&guest, &secret).await, Error::NotFound, "it lets nobody in any more");
        // Those who came by it or hold the link are told whom to ask; nobody else is.
        let (services, owner) = (scene.services(), Some(scene.teacher.actor.name.clone()));
        assert_eq!(ended_link(services, &scene.label, &cookie).await, Ok(owner.clone()));
        assert_eq!(ended_link(services, &host::port_label(&scene.label, 8_501), &cookie).await, Ok(None));
        assert_eq!(ended_link(services, &scene.label, &"a".repeat(43)).await, Ok(None));
        let asked = shares::ended(services, &guest, &secret).await.expect("read");
        assert_eq!(asked.map(|person| person.name), owner);
        assert_eq!(shares::ended(services, &guest, &format!("shr_{}", "a".repeat(43))).await, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn a_visit_by_a_link_ends_when_the_link_is_withdrawn() {
    ends_by("a_visit_by_a_link_ends_when_the_link_is_withdrawn", "share_ended", async |scene, id| {
        for _ in 0..2 {
            shares::withdraw(scene.services(), &scene.teacher, scene.id, id).await.expect("their link");
        }
        let records = number(&scene.services().db, "SELECT COUNT(*) FROM audit_events WHERE action = 'lab.unshare'").await;
        assert_eq!(records, 1, "a second time changes nothing");
    })
    .await;
}

#[tokio::test]
async fn a_visit_by_a_link_ends_with_the_time_of_the_link() {
    ends_by("a_visit_by_a_link_ends_with_the_time_of_the_link", "share_ended", async |scene, _| {
        scene.world.clock.advance(HOUR);
    })
    .await;
}

#[tokio::test]
async fn a_visit_by_a_link_ends_when_the_owner_leaves_the_course() {
    ends_by("a_visit_by_a_link_ends_when_the_owner_leaves_the_course", "share_ended", async |scene, _| {
        execute(&scene.services().db, "DELETE FROM course_members").await.expect("left the course");
    })
    .await;
}

#[tokio::test]
async fn a_visit_by_a_link_ends_when_the_owner_is_disabled() {
    ends_by("a_visit_by_a_link_ends_when_the_owner_is_disabled", "share_ended", async |scene, _| {
        let administrator = scene.world.administrator("admin").await;
        people::disable(scene.services(), &administrator, scene.teacher.actor.user).await.expect("disabled");
    })
    .await;
}

#[tokio::test]
async fn a_visit_by_a_link_ends_with_the_lab() {
    ends_by("a_visit_by_a_link_ends_with_the_lab", "lab_destroyed", async |scene, _| {
        labs::destroy(scene.services(), &scene.teacher, scene.id).await.expect("destroyed");
    })
    .await;
}

#[tokio::test]
async fn a_withdrawn_link_ends_its_visits_while_somebody_waits_for_it() {
    let scene = Scene::on(TestDatabase::sqlite().await).await;
    let guest = scene.world.person("guest").add().await;
    let (id, secret) = scene.share(false).await;
    let entry = scene.admit(&scene.come_by(&guest, &secret).await).await.expect("a pass");
    let kept = tokio::spawn(keep(scene.services().clone()));
    shares::withdraw(scene.services(), &scene.teacher, scene.id, id).await.expect("their link");
    entry.ended().cancelled().await;
    kept.abort();
}

#[tokio::test]
async fn a_link_opens_nothing_for_another_college_a_token_or_a_guess() {
    for_each_engine("a_link_opens_nothing_for_another_college_a_token_or_a_guess", async |database| {
        let scene = Scene::on(database).await;
        let (_, secret) = scene.share(false).await;
        let law = scene.world.other_tenant("law").await;
        let foreigner = scene.world.person("sun").in_tenant(law).role(Role::Manager).add().await;
        assert_eq!(scene.refused_by(&foreigner, &secret).await, Error::NotFound);
        assert_eq!(shares::ended(scene.services(), &foreigner, &secret).await, Ok(None), "another college learns nothing");
        let guest = scene.world.person("guest").add().await;
        let invented = format!("shr_{}", "a".repeat(43));
        for wrong in ["", "shr_", &secret[4..], &secret[..secret.len() - 1], &invented, "lnk_0123456789012345678901234567890123456789012"] {
            assert_eq!(scene.refused_by(&guest, wrong).await, Error::NotFound, "{wrong}");
        }
        assert_eq!(scene.refused_by(&with_scopes(&guest, &Scope::ALL), &secret).await, Error::Forbidden, "a token has no browser");
        // A ticket for the lab's own site is none for another port of it.
        let session = scene.session(&guest).await;
        let opening = open_shared(scene.services(), &guest, &secret, &session, PORTAL).await.expect("a good link");
        let port = host::port_label(&scene.label, 8_501);
        assert_eq!(enter(scene.services(), &port, opening.ticket.expose(), Some(PORTAL), None).await, Err(EnterError::NoTicket));
    })
    .await;
}

#[tokio::test]
async fn only_the_owner_shares_a_lab_lists_its_links_and_withdraws_them() {
    for_each_engine("only_the_owner_shares_a_lab_lists_its_links_and_withdraws_them", async |database| {
        let scene = Scene::on(database).await;
        let (world, services) = (&scene.world, scene.services());
        let (id, _) = scene.share(false).await;
        let colleague = world.teacher("zhao", &[&scene.course]).await;
        let (manager, operator) = (world.manager("zhang").await, world.operator("ops").await);
        let elsewhere = world.course("EE1000").add().await;
        let stranger = world.teacher("wang", &[&elsewhere]).await;
        for (caller, error) in
            [(&colleague, Error::Forbidden), (&manager, Error::Forbidden), (&operator, Error::Forbidden), (&stranger, Error::NotFound)]
        {
            let login = &caller.actor.login;
            assert_eq!(shares::create(services, caller, scene.id, &form(false)).await.map(drop), Err(error.clone()), "{login}");
            assert_eq!(shares::list(services, caller, scene.id).await.map(drop), Err(error.clone()), "{login}");
            assert_eq!(shares::withdraw(services, caller, scene.id, id).await, Err(error), "{login}");
        }
        assert_eq!(shares::withdraw(services, &scene.teacher, scene.id, ShareId::from_uuid(scene.id.uuid())).await, Err(Error::NotFound));
        for _ in 1..SHARES_MAX {
            scene.share(false).await;
        }
        let many = shares::create(services, &scene.teacher, scene.id, &form(false)).await.map(drop);
        assert_eq!(many, Err(Error::field("lasts", Problem::TooMany { max: SHARES_MAX })));
        world.clock.advance(HOUR);
        scene.share(false).await;
        labs::destroy(services, &scene.teacher, scene.id).await.expect("destroyed");
        let gone = shares::create(services, &scene.teacher, scene.id, &form(false)).await.map(drop);
        assert_eq!(gone, Err(Error::InvalidTransition { state: "destroying".into(), event: "share".into() }));
    })
    .await;
}

#[tokio::test]
async fn a_link_is_shown_once_to_its_maker() {
    let scene = Scene::on(TestDatabase::sqlite().await).await;
    let services = scene.services();
    let link = shares::create(services, &scene.teacher, scene.id, &form(false)).await.expect("their lab");
    shares::keep(services, &scene.teacher, &link);
    let other = scene.world.person("guest").add().await;
    assert!(shares::take(services, &other, link.share.id).is_none());
    assert_eq!(shares::take(services, &scene.teacher, link.share.id).expect("the first look").path(), link.path());
    assert!(shares::take(services, &scene.teacher, link.share.id).is_none());
}
