use domain::{
    access::{Role, Scope},
    ids::{LabId, PassId, TokenId, VisitId},
    labs::{LabPod, LabState, Observation},
    money::Currency,
    orders::OrderState,
    time::Timestamp,
    tokens::TokenView,
    visits::{PassEnd, VisitEnd, VisitRole, VisitWay},
};

use super::*;
use crate::{
    Write,
    accounts::{members, roles},
    labs, observations as stored,
    orders::{
        self,
        tests::ground::{course, ground, lab, now, order, teacher, tenant, uuid},
    },
    sessions,
    testing::{TestDatabase, for_each_engine},
    tokens::{self, Token},
};

const ORIGIN: &str = "https://lectern.example.edu";

fn pass_id(number: u128) -> PassId {
    PassId::from_uuid(uuid(0x500 + number))
}

fn visit_id(number: u128) -> VisitId {
    VisitId::from_uuid(uuid(0x600 + number))
}

/// A running lab of the teacher, who has a session.
async fn running(database: &TestDatabase) -> (Write, LabId) {
    let mut write = ground(database).await;
    let order = order(1, OrderState::Approved);
    orders::insert(&mut write, &order).await.expect("an order");
    let lab = lab(&order, LabState::Running);
    labs::insert(&mut write, &lab, Currency::Cny).await.expect("a lab");
    sessions::save(&mut write, "session", Some(teacher()), "{\"a\":1}", now().plus_seconds(3_600)).await.expect("a session");
    (write, lab.id)
}

fn pass(number: u128, lab: LabId) -> NewPass {
    NewPass {
        id: pass_id(number),
        tenant: tenant(),
        lab,
        user: teacher(),
        session: "session".into(),
        role: VisitRole::Owner,
        reason: None,
        share: None,
        port: 0,
        origin: ORIGIN.into(),
        next: "/lab".into(),
        created_at: now(),
        ticket_expires_at: now().plus_seconds(30),
    }
}

fn taken(ticket_hash: &str, lab: LabId, at: Timestamp) -> Taken<'_> {
    Taken { ticket_hash, lab, port: 0, origin: ORIGIN, cookie_hash: "cookie", address: Some("10.1.1.1"), at }
}

fn visit(number: u128, lab: LabId) -> LiveVisit {
    LiveVisit {
        id: visit_id(number),
        pass: pass_id(1),
        tenant: tenant(),
        lab,
        user: teacher(),
        role: VisitRole::Owner,
        reason: None,
        address: Some("10.1.1.1".into()),
        started_at: now(),
        bytes_in: 10,
        bytes_out: 20,
        last_used_at: now(),
    }
}

#[tokio::test]
async fn a_ticket_is_taken_once_in_time_for_its_lab_and_from_its_origin() {
    for_each_engine("a_ticket_is_taken_once_in_time_for_its_lab_and_from_its_origin", async |test| {
        let (mut write, id) = running(&test).await;
        let other = LabId::from_uuid(uuid(99));
        new(&pass(1, id), "ticket").run(&mut write).await.expect("a pass");
        assert_eq!(take_ticket(&mut write, &taken("other", id, now())).await.expect("asked"), None, "unknown");
        assert_eq!(take_ticket(&mut write, &taken("ticket", other, now())).await.expect("asked"), None, "another lab");
        assert_eq!(take_ticket(&mut write, &taken("ticket", id, now().plus_seconds(30))).await.expect("asked"), None, "late");
        let elsewhere = Taken { origin: "null", ..taken("ticket", id, now()) };
        assert_eq!(take_ticket(&mut write, &elsewhere).await.expect("asked"), None, "another origin");
        let port = Taken { port: 8_501, ..taken("ticket", id, now()) };
        assert_eq!(take_ticket(&mut write, &port).await.expect("asked"), None, "another port");
        assert_eq!(ticket_origin(&mut write, "ticket", (id, 8_501), now()).await.expect("asked"), None);
        assert_eq!(ticket_origin(&mut write, "ticket", (id, 0), now()).await.expect("asked"), Some(ORIGIN.into()));
        let got = take_ticket(&mut write, &taken("ticket", id, now().plus_seconds(29))).await.expect("asked");
        assert_eq!(got, Some((pass_id(1), "/lab".into())));
        assert_eq!(take_ticket(&mut write, &taken("ticket", id, now())).await.expect("asked"), None, "twice");
        assert_eq!(ticket_origin(&mut write, "ticket", (id, 0), now()).await.expect("asked"), None);
        let name = labs::get(&mut write, id).await.expect("read").expect("a lab").name;
        assert_eq!(lab_named(&mut write, &name).await.expect("asked"), Some(id));
        assert_eq!(lab_named(&mut write, "lab-0").await.expect("asked"), None);
    })
    .await;
}

#[tokio::test]
async fn the_facts_of_a_pass_are_those_of_now() {
    for_each_engine("the_facts_of_a_pass_are_those_of_now", async |test| {
        let (mut write, id) = running(&test).await;
        new(&pass(1, id), "ticket").run(&mut write).await.expect("a pass");
        take_ticket(&mut write, &taken("ticket", id, now())).await.expect("asked").expect("taken");
        let facts = by_cookie(&mut write, "cookie").await.expect("read").expect("a pass");
        assert_eq!((facts.pass, facts.user, facts.role, facts.ended, facts.disabled), (pass_id(1), teacher(), VisitRole::Owner, None, false));
        assert_eq!(facts.session_now, Some(("{\"a\":1}".into(), now().plus_seconds(3_600))));
        assert_eq!((facts.lab.id, facts.lab.state, facts.lab.port, facts.lab.observed_at), (id, LabState::Running, 8_888, None));
        assert_eq!((facts.share, facts.port, facts.lab.owner_disabled), (None, 0, false));
        assert_eq!(of_passes(&mut write, &[pass_id(1), pass_id(2)]).await.expect("read"), std::slice::from_ref(&facts));
        assert_eq!(of_passes(&mut write, &[]).await.expect("nothing to read"), []);

        let pod = LabPod {
            name: "lab-1-0".into(),
            uid: "u-1".into(),
            generation: 0,
            ready: true,
            containers: vec!["lab".into()],
            init_containers: Vec::new(),
            made_at: None,
            end: None,
        };
        let seen = Observation { members: vec![pod], ..Observation::default() };
        stored::put(&mut write, id, &seen, now()).await.expect("written");
        assert_eq!(observations(&mut write, &[id]).await.expect("read"), [(id, seen, now())]);

        sessions::delete(&mut write, "session").await.expect("deleted");
        assert!(end(&mut write, pass_id(1), now(), PassEnd::SignedOut).await.expect("ended"));
        assert!(!end(&mut write, pass_id(1), now(), PassEnd::Expired).await.expect("asked"), "once");
        let facts = by_cookie(&mut write, "cookie").await.expect("read").expect("a pass");
        assert_eq!((facts.session_now, facts.ended), (None, Some(PassEnd::SignedOut)));
    })
    .await;
}

#[tokio::test]
async fn people_come_with_their_roles_and_courses() {
    for_each_engine("people_come_with_their_roles_and_courses", async |test| {
        let (mut write, _) = running(&test).await;
        roles::set(&mut write, teacher(), &[Role::Teacher].into()).await.expect("roles");
        members::set(&mut write, teacher(), &[course()].into()).await.expect("courses");
        let found = actors(&mut write, &[teacher()]).await.expect("read");
        let actor = &found[&teacher()];
        assert_eq!((actor.tenant, actor.login.as_str(), &actor.roles), (tenant(), "li", &[Role::Teacher].into()));
        assert_eq!(actor.courses, [course()].into());
        assert!(actors(&mut write, &[]).await.expect("nothing to read").is_empty());
    })
    .await;
}

#[tokio::test]
async fn tickets_that_were_not_used_go_and_passes_of_gone_sessions_end() {
    for_each_engine("tickets_that_were_not_used_go_and_passes_of_gone_sessions_end", async |test| {
        let (mut write, id) = running(&test).await;
        for number in [1, 2] {
            new(&pass(number, id), &format!("ticket {number}")).run(&mut write).await.expect("a pass");
        }
        take_ticket(&mut write, &taken("ticket 1", id, now())).await.expect("asked").expect("taken");
        assert_eq!(sweep(&mut write, now(), now()).await.expect("swept"), 0, "neither is old");
        assert_eq!(sweep(&mut write, now().plus_seconds(1), now()).await.expect("swept"), 1, "the one that was not taken");
        assert!(touch_session(&mut write, "session", teacher(), now(), now().plus_seconds(7_200)).await.expect("touched"));
        assert!(!touch_session(&mut write, "session", teacher(), now(), now().plus_seconds(60)).await.expect("asked"), "never earlier");
        assert_eq!(sweep(&mut write, now(), now().plus_seconds(7_199)).await.expect("swept"), 0);
        assert_eq!(sweep(&mut write, now(), now().plus_seconds(7_200)).await.expect("swept"), 1, "its session is over");
        assert!(!touch_session(&mut write, "session", teacher(), now().plus_seconds(7_200), now().plus_seconds(9_000)).await.expect("asked"));
        let facts = by_cookie(&mut write, "cookie").await.expect("read").expect("a pass");
        assert_eq!(facts.ended, Some(PassEnd::Expired));
    })
    .await;
}

#[tokio::test]
async fn a_pass_of_a_token_lasts_as_long_as_the_token() {
    for_each_engine("a_pass_of_a_token_lasts_as_long_as_the_token", async |test| {
        let (mut write, id) = running(&test).await;
        let token = TokenId::from_uuid(uuid(0x700));
        let view = TokenView {
            id: token,
            name: "ssh".into(),
            scopes: [Scope::LabsWrite].into(),
            created_at: now(),
            expires_at: Some(now().plus_seconds(7_200)),
            last_used_at: None,
            revoked_at: None,
        };
        tokens::insert(&mut write, &Token { user: teacher(), view }, "secret").await.expect("a token");
        for (number, address) in [(1, Some("10.1.1.1".to_owned())), (2, None)] {
            let pass =
                TokenPass { id: pass_id(number), tenant: tenant(), lab: id, user: teacher(), token, role: VisitRole::Owner, address, at: now() };
            insert_of_token(&mut write, &pass, &format!("nobody's {number}")).await.expect("a pass");
        }
        let facts = by_token(&mut write, token, id, Some("10.1.1.1")).await.expect("read").expect("a pass");
        assert_eq!((facts.pass, facts.session.as_str(), facts.session_now.clone(), facts.ended), (pass_id(1), "", None, None));
        let expected = TokenNow { id: token, scopes: [Scope::LabsWrite].into(), expires_at: Some(now().plus_seconds(7_200)), revoked: false };
        assert_eq!(facts.token, Some(expected));
        assert_eq!(by_token(&mut write, token, id, None).await.expect("read").map(|facts| facts.pass), Some(pass_id(2)));
        assert_eq!(by_token(&mut write, token, id, Some("10.9.9.9")).await.expect("read"), None);
        assert_eq!(sweep(&mut write, now().plus_seconds(60), now().plus_seconds(7_199)).await.expect("swept"), 0, "no session ends it");
        assert!(end(&mut write, pass_id(2), now(), PassEnd::AccessLost).await.expect("ended"));
        assert_eq!(by_token(&mut write, token, id, None).await.expect("read"), None, "it is over");
        assert!(tokens::revoke(&mut write, token, now()).await.expect("revoked"));
        let facts = of_passes(&mut write, &[pass_id(1)]).await.expect("read").pop().expect("a pass");
        assert!(facts.token.is_some_and(|token| token.revoked));
        assert_eq!(sweep(&mut write, now().plus_seconds(60), now()).await.expect("swept"), 1, "its token is revoked");
    })
    .await;
}

#[tokio::test]
async fn a_visit_is_written_again_and_again_until_it_ends() {
    for_each_engine("a_visit_is_written_again_and_again_until_it_ends", async |test| {
        let (mut write, id) = running(&test).await;
        new(&pass(1, id), "ticket").run(&mut write).await.expect("a pass");
        assert!(put(&mut write, &visit(1, id)).await.expect("written"));
        let later = LiveVisit { bytes_in: 11, bytes_out: 22, last_used_at: now().plus_seconds(9), ..visit(1, id) };
        for _ in 0..2 {
            assert!(put(&mut write, &later).await.expect("written"));
        }
        assert!(put(&mut write, &visit(2, id)).await.expect("written"));
        let all = of_lab(&mut write, id, None, 10).await.expect("read");
        assert_eq!(all.iter().map(|visit| visit.id).collect::<Vec<_>>(), [visit_id(2), visit_id(1)]);
        assert_eq!((all[1].bytes_in, all[1].bytes_out, all[1].last_used_at, all[1].until), (11, 22, now().plus_seconds(9), None));
        assert_eq!((all[1].person.login.as_str(), all[1].way, all[1].port), ("li", VisitWay::Browser, None));
        new(&NewPass { origin: PORTAL_ORIGIN.into(), ..pass(2, id) }, "inside").run(&mut write).await.expect("a pass");
        new(&NewPass { port: 8_501, ..pass(3, id) }, "port").run(&mut write).await.expect("a pass");
        for (number, way, port) in [(2, VisitWay::Terminal, None), (3, VisitWay::Browser, Some(8_501))] {
            let visit = LiveVisit { pass: pass_id(number), ..visit(10 + number, id) };
            assert!(put(&mut write, &visit).await.expect("written"));
            let newest = of_lab(&mut write, id, None, 1).await.expect("read").remove(0);
            assert_eq!((newest.way, newest.port), (way, port));
            assert!(close(&mut write, visit.id, now(), VisitEnd::Left).await.expect("closed"));
        }
        assert_eq!(of_lab(&mut write, id, Some(visit_id(2)), 10).await.expect("read").len(), 1);
        assert_eq!(present(&mut write, id, 10).await.expect("read").len(), 2);

        let left = abandoned(&mut write, now().plus_seconds(5), 10).await.expect("read");
        assert_eq!(left.iter().map(|left| left.visit.id).collect::<Vec<_>>(), [visit_id(2)]);
        assert_eq!((left[0].tenant, left[0].lab, left[0].course, left[0].by_token), (tenant(), id, course(), false));
        assert!(close(&mut write, visit_id(2), now(), VisitEnd::Left).await.expect("closed"));
        assert!(!close(&mut write, visit_id(2), now(), VisitEnd::LabStopped).await.expect("asked"), "once");
        assert!(!put(&mut write, &visit(2, id)).await.expect("asked"), "it is over");
        assert_eq!(totals(&mut write, visit_id(2)).await.expect("read"), (10, 20));
        assert_eq!(present(&mut write, id, 10).await.expect("read").len(), 1);
        assert_eq!(of_lab(&mut write, id, Some(visit_id(10)), 1).await.expect("read")[0].ended_by, Some(VisitEnd::Left));
    })
    .await;
}
