//! From the button to the first page of the lab, and everybody who does not get there.

use domain::{
    Error, Problem,
    access::{Role, Scope},
    visits::VisitRole,
};
use storage::testing::{execute, for_each_engine, number};

use super::*;
use crate::testing::with_scopes;

#[tokio::test]
async fn a_ticket_opens_the_lab_once_and_reading_begins_no_visit() {
    for_each_engine("a_ticket_opens_the_lab_once_and_reading_begins_no_visit", async |database| {
        let scene = Scene::on(database).await;
        let session = scene.session(&scene.teacher).await;
        let opening = scene.open_in(&scene.teacher, &session).await;
        assert_eq!(opening.site, format!("http://{}.localhost:3001", scene.label));
        assert_eq!((opening.action.as_str(), opening.next.as_str()), (format!("{}/.lectern/enter", opening.site).as_str(), "/lab"));
        assert!(!format!("{opening:?}").contains(opening.ticket.expose()), "a ticket is not printed");

        let entered = scene.take(&opening).await.expect("it is the first");
        assert_eq!(entered.next, "/lab");
        assert_eq!(scene.take(&opening).await, Err(EnterError::NoTicket), "a second time");
        let entry = scene.admit(entered.cookie.expose()).await.expect("a pass");
        assert_eq!((entry.person, entry.role, entry.lab), (scene.teacher.actor.user, VisitRole::Owner, scene.id));
        assert_eq!(entry.lab_state(), LabState::Running);
        let (pod, port) = entry.target().expect("its pod");
        assert_eq!((pod.name, port), (format!("{}-0", entry.lab_name), 8_888));
        assert!(!entry.ended().is_cancelled() && !entry.pod_gone().is_cancelled());

        entry.count(0, 0);
        scene.round().await;
        assert_eq!(scene.log().await, [], "nothing went to the lab");
        assert_eq!(scene.recorded().await, ["lab.open success"]);
        // Neither the ticket nor the cookie is stored.
        let secrets = [opening.ticket.expose(), entered.cookie.expose()];
        for secret in secrets {
            let sql = format!("SELECT COUNT(*) FROM lab_passes WHERE ticket_hash = '{secret}' OR cookie_hash = '{secret}'");
            assert_eq!(number(&scene.services().db, &sql).await, 0);
        }
    })
    .await;
}

#[tokio::test]
async fn a_ticket_that_another_page_posts_is_refused() {
    for_each_engine("a_ticket_that_another_page_posts_is_refused", async |database| {
        let scene = Scene::on(database).await;
        let session = scene.session(&scene.teacher).await;
        let opening = scene.open_in(&scene.teacher, &session).await;
        for origin in [None, Some("null"), Some("https://evil.example"), Some("http://lectern.example.edu"), Some("https://lectern.example.edu:444")]
        {
            let refused = enter(scene.services(), &scene.label, opening.ticket.expose(), origin, None).await;
            assert_eq!(refused, Err(EnterError::WrongOrigin), "{origin:?}");
        }
        scene.take(&opening).await.expect("the portal's own page");
        crate::audit::refusals::flush_all(scene.services()).await.expect("written");
        let sql = "SELECT CAST(SUM(attempts) AS BIGINT) FROM audit_events WHERE action = 'session.cross_site' AND outcome = 'refused'";
        assert_eq!(number(&scene.services().db, sql).await, 5, "on record, counted together");
    })
    .await;
}

#[tokio::test]
async fn a_ticket_that_is_late_or_of_another_lab_opens_nothing() {
    for_each_engine("a_ticket_that_is_late_or_of_another_lab_opens_nothing", async |database| {
        let scene = Scene::on(database).await;
        let services = scene.services();
        let other = running(&scene.world, &scene.course, &scene.teacher).await;
        let other = label(&scene.world, other).await;
        let session = scene.session(&scene.teacher).await;
        let opening = scene.open_in(&scene.teacher, &session).await;
        let wrong_suffix = format!("{}0000000000", &scene.label[..scene.label.len() - 10]);
        // A host of the first generation, where a service worker of the lab may stand in the way.
        let first = format!("{}{}", &scene.label[..scene.label.len() - 10], &crate::digest::hex_sha256(scene.id.to_string())[..10]);
        assert_eq!(lab_of(services, &first).await, Ok(None));
        for label in [other.as_str(), &wrong_suffix, &first, "lab-999999-0123456789", "www", ""] {
            let refused = enter(services, label, opening.ticket.expose(), Some(PORTAL), None).await;
            assert_eq!(refused, Err(EnterError::NoTicket), "{label}");
        }
        for ticket in ["", "x", &"a".repeat(43), &"a".repeat(4_300)] {
            assert_eq!(enter(services, &scene.label, ticket, Some(PORTAL), None).await, Err(EnterError::NoTicket));
        }
        scene.world.clock.advance(30);
        assert_eq!(scene.take(&opening).await, Err(EnterError::NoTicket), "late");
        assert_eq!(lab_of(services, &scene.label.to_uppercase()).await, Ok(Some(scene.id)));
        assert_eq!(lab_of(services, &wrong_suffix).await, Ok(None));
        assert_eq!(lab_of(services, &wrong_suffix).await, Ok(None), "from memory");

        // The cookie of one lab is none of the other's.
        let (_, cookie) = scene.visit(&scene.teacher).await;
        assert!(admit(services, &other, &cookie).await.expect("asked").is_none());
        for cookie in ["", "x", &"a".repeat(43)] {
            assert!(scene.admit(cookie).await.is_none());
        }
        assert!(scene.admit(&cookie).await.is_some());
    })
    .await;
}

#[tokio::test]
async fn owners_colleagues_and_managers_enter_and_operators_only_by_break_glass() {
    for_each_engine("owners_colleagues_and_managers_enter_and_operators_only_by_break_glass", async |database| {
        let scene = Scene::on(database).await;
        let (world, services) = (&scene.world, scene.services());
        let (manager, operator, auditor) = (world.manager("zhang").await, world.operator("ops").await, world.auditor("audit").await);
        let elsewhere = world.course("EE1000").add().await;
        let stranger = world.teacher("wang", &[&elsewhere]).await;
        let foreign = world.other_tenant("law").await;
        let foreigner = world.person("sun").in_tenant(foreign).role(Role::Manager).role(Role::Operator).add().await;
        let asks = async |caller: &Caller, reason: Option<&str>| {
            let session = scene.session(caller).await;
            open(services, caller, scene.id, own_port(&session), reason).await
        };

        let colleague = world.teacher("zhao", &[&scene.course]).await;
        for (caller, role) in [(&manager, VisitRole::Manager), (&colleague, VisitRole::Teacher)] {
            let (_, cookie) = scene.visit(caller).await;
            assert_eq!(scene.admit(&cookie).await.expect("a pass").role, role);
        }
        assert_eq!(asks(&operator, None).await.map(drop), Err(Error::Forbidden));
        assert_eq!(asks(&operator, Some(" ")).await.map(drop), Err(Error::field("reason", Problem::Missing)));
        assert_eq!(asks(&operator, Some("disk full")).await.map(drop), Err(Error::field("reason", Problem::TooShort { min: 10 })));
        assert_eq!(asks(&operator, Some(&"x".repeat(501))).await.map(drop), Err(Error::field("reason", Problem::TooLong { max: 500 })));
        for (blank, code) in [("\u{200b}", "U+200B"), ("\u{200d}\u{2060}", "U+2060"), ("\u{3164}", "U+3164"), ("full\u{202e}", "U+202E")] {
            let refused = Err(Error::field("reason", Problem::Invisible { character: code.into() }));
            assert_eq!(asks(&operator, Some(blank)).await.map(drop), refused, "the owner would read nothing or something else");
        }
        let opening = asks(&operator, Some(" The disk is full. ")).await.expect("with a reason");
        let entered = scene.take(&opening).await.expect("in time");
        let entry = scene.admit(entered.cookie.expose()).await.expect("a pass");
        assert_eq!(entry.role, VisitRole::BreakGlass);
        entry.count(1, 1);
        scene.round().await;
        assert_eq!(scene.log().await[0].reason.as_deref(), Some("The disk is full."), "the owner reads why");

        for caller in [&auditor, &manager, &scene.teacher] {
            assert_eq!(asks(caller, Some("curious")).await.map(drop), Err(Error::Forbidden), "{}", caller.actor.login);
        }
        assert_eq!(asks(&auditor, None).await.map(drop), Err(Error::Forbidden));
        for caller in [&stranger, &foreigner] {
            assert_eq!(asks(caller, None).await.map(drop), Err(Error::NotFound), "{}", caller.actor.login);
        }
        assert_eq!(asks(&foreigner, Some("mine now")).await.map(drop), Err(Error::NotFound));
        for caller in [&scene.teacher, &operator] {
            let by_token = with_scopes(caller, &Scope::ALL);
            assert_eq!(asks(&by_token, None).await.map(drop), Err(Error::Forbidden), "a token has no browser");
        }
        let recorded = scene.recorded().await;
        for record in ["lab.open success", "lab.open refused", "lab.break_glass success", "lab.break_glass refused"] {
            assert!(recorded.iter().any(|found| found == record), "{record}: {recorded:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_lost_the_right_after_the_ticket_was_made_does_not_come_in() {
    for_each_engine("who_lost_the_right_after_the_ticket_was_made_does_not_come_in", async |database| {
        let scene = Scene::on(database).await;
        let session = scene.session(&scene.teacher).await;
        let opening = scene.open_in(&scene.teacher, &session).await;
        sessions::delete(scene.services(), &session).await.expect("signed out");
        assert_eq!(scene.take(&opening).await, Err(EnterError::NoTicket));
        assert_eq!(scene.ends().await, ["signed_out"]);

        let session = scene.session(&scene.teacher).await;
        let opening = scene.open_in(&scene.teacher, &session).await;
        execute(&scene.services().db, "DELETE FROM course_members").await.expect("left the course");
        assert_eq!(scene.take(&opening).await, Err(EnterError::NoTicket));
        assert_eq!(scene.ends().await, ["signed_out", "access_lost"]);
        let again = open(scene.services(), &scene.teacher, scene.id, own_port(&session), None).await;
        assert!(again.is_ok(), "this caller was loaded before");
    })
    .await;
}

#[tokio::test]
async fn labs_without_sites_are_not_entered() {
    let world = TestWorld::college().await;
    let course = world.course("CV2402").add().await;
    let teacher = world.teacher("li.hua", &[&course]).await;
    cluster_status::refresh(&world.services).await.expect("the cluster tells its nodes");
    let id = running(&world, &course, &teacher).await;
    let refused = open(&world.services, &teacher, id, own_port("session"), None).await;
    assert_eq!(refused, Err(Error::Unavailable { retry_after_seconds: 60 }));
}
