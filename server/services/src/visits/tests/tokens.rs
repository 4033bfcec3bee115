//! Entering by an access token.

use domain::{Error, access::Scope, ids::TokenId, visits::VisitEnd};
use storage::testing::{execute, for_each_engine};

use super::*;
use crate::{Origin, labs, people, tokens};

impl Scene {
    /// A token of the teacher with this scope: its secret.
    async fn token(&self, scope: Scope) -> String {
        let login = &self.teacher.actor.login;
        tokens::create_for(self.services(), &Origin::cli(), login, "laptop", [scope].into(), 90).await.expect("a token")
    }

    async fn come(&self, token: &str) -> domain::Result<Arc<Entry>> {
        enter_by_token(self.services(), &self.label, token, Some(ADDRESS)).await
    }
}

#[tokio::test]
async fn a_token_enters_and_its_connections_are_one_visit() {
    for_each_engine("a_token_enters_and_its_connections_are_one_visit", async |database| {
        let scene = Scene::on(database).await;
        let token = scene.token(Scope::LabsWrite).await;
        let entry = scene.come(&token).await.expect("they may");
        let again = scene.come(&token).await.expect("they may");
        assert!(Arc::ptr_eq(&entry, &again), "one pass");
        assert!(entry.target().is_some());
        let elsewhere = enter_by_token(scene.services(), &scene.label, &token, Some("10.2.2.2")).await.expect("they may");
        assert_ne!(elsewhere.pass, entry.pass, "the connection log names the address");
        let next = scene.world.replica();
        let restarted = enter_by_token(&next, &scene.label, &token, Some(ADDRESS)).await.expect("they may");
        assert_eq!(restarted.pass, entry.pass, "also after a restart");
        entry.count(10, 20);
        scene.round().await;
        let log = scene.log().await;
        assert_eq!(log.len(), 1);
        assert_eq!((log[0].role, log[0].address.as_deref(), log[0].bytes_out), (domain::visits::VisitRole::Owner, Some(ADDRESS), 20));
        let sql = "SELECT via FROM audit_events WHERE action = 'lab.open' AND outcome = 'success'";
        assert_eq!(texts(&scene.services().db, sql).await, ["api", "api"]);
        // The pass is no cookie.
        assert!(scene.admit(&format!("token {}", entry.pass)).await.is_none());
    })
    .await;
}

#[tokio::test]
async fn a_visit_by_a_token_says_so_also_if_its_process_was_killed() {
    for_each_engine("a_visit_by_a_token_says_so_also_if_its_process_was_killed", async |database| {
        let scene = Scene::on(database).await;
        let token = scene.token(Scope::LabsWrite).await;
        scene.come(&token).await.expect("they may").count(1, 2);
        let (_, cookie) = scene.visit(&scene.teacher).await;
        scene.admit(&cookie).await.expect("a pass").count(3, 4);
        scene.round().await;
        let next = scene.world.replica();
        scene.world.clock.advance(361);
        for _ in 0..2 {
            round(&next).await.expect("a round");
            scene.world.clock.advance(15);
        }
        let sql = "SELECT via FROM audit_events WHERE action = 'lab.visit' ORDER BY via";
        assert_eq!(texts(&scene.services().db, sql).await, ["api", "web"]);
    })
    .await;
}

#[tokio::test]
async fn only_a_good_token_with_the_scope_and_the_right_enters() {
    for_each_engine("only_a_good_token_with_the_scope_and_the_right_enters", async |database| {
        let scene = Scene::on(database).await;
        let missing = Error::ScopeMissing { scope: "labs:write".into() };
        assert_eq!(scene.come(&scene.token(Scope::LabsRead).await).await.map(drop), Err(missing));
        for bad in ["", "lct_", "session"] {
            assert_eq!(scene.come(bad).await.map(drop), Err(Error::Unauthenticated), "{bad}");
        }
        scene.world.teacher("wang", &[]).await;
        let foreign = tokens::create_for(scene.services(), &Origin::cli(), "wang", "laptop", [Scope::LabsWrite].into(), 90).await.expect("a token");
        assert_eq!(scene.come(&foreign).await.map(drop), Err(Error::NotFound));
        let token = scene.token(Scope::LabsWrite).await;
        let nowhere = enter_by_token(scene.services(), "lab-1-0123456789", &token, None).await;
        assert_eq!(nowhere.map(drop), Err(Error::NotFound));
        assert_eq!(scene.ends().await, [""; 0], "no pass was made");
    })
    .await;
}

/// Comes in by a token, lets `cause` happen, and expects the pass to be over for this reason.
async fn ends_by(name: &str, expected: &'static str, cause: impl AsyncFn(&Scene)) {
    let cause = &cause;
    for_each_engine(name, |database| async move {
        let scene = Scene::on(database).await;
        let token = scene.token(Scope::LabsWrite).await;
        let entry = scene.come(&token).await.expect("they may");
        entry.count(1, 2);
        scene.round().await;
        cause(&scene).await;
        scene.round().await;
        assert!(entry.ended().is_cancelled(), "open connections are told");
        assert_eq!(scene.ends().await, [expected]);
        assert_eq!(scene.log().await.iter().map(|visit| visit.ended_by).collect::<Vec<_>>(), [Some(VisitEnd::PassEnded)]);
        assert!(scene.come(&token).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn a_pass_ends_when_its_token_is_revoked() {
    ends_by("a_pass_ends_when_its_token_is_revoked", "signed_out", async |scene| {
        let id = texts(&scene.services().db, "SELECT id FROM tokens").await[0].parse::<TokenId>().expect("an id");
        tokens::revoke(scene.services(), &scene.teacher, id).await.expect("revoked");
    })
    .await;
}

#[tokio::test]
async fn a_pass_ends_with_the_time_of_its_token() {
    ends_by("a_pass_ends_with_the_time_of_its_token", "expired", async |scene| {
        execute(&scene.services().db, "UPDATE tokens SET expires_at = created_at").await.expect("over");
    })
    .await;
}

#[tokio::test]
async fn a_pass_of_a_token_ends_when_its_person_is_disabled() {
    ends_by("a_pass_of_a_token_ends_when_its_person_is_disabled", "access_lost", async |scene| {
        let administrator = scene.world.administrator("admin").await;
        people::disable(scene.services(), &administrator, scene.teacher.actor.user).await.expect("disabled");
    })
    .await;
}

#[tokio::test]
async fn a_pass_of_a_token_ends_when_its_person_leaves_the_course() {
    ends_by("a_pass_of_a_token_ends_when_its_person_leaves_the_course", "access_lost", async |scene| {
        execute(&scene.services().db, "DELETE FROM course_members").await.expect("left the course");
    })
    .await;
}

#[tokio::test]
async fn a_stop_closes_the_connections_and_the_token_starts_nothing() {
    let scene = Scene::on(TestDatabase::sqlite().await).await;
    let token = scene.token(Scope::LabsWrite).await;
    let entry = scene.come(&token).await.expect("they may");
    let sockets = entry.pod_gone();
    scene.world.clock.advance(1);
    labs::stop(scene.services(), &scene.teacher, scene.id).await.expect("stops");
    scene.settle().await;
    scene.round().await;
    assert!(sockets.is_cancelled() && entry.target().is_none());
    for _ in 0..3 {
        assert!(scene.come(&token).await.expect("they may").target().is_none(), "an editor that comes again and again");
        scene.settle().await;
    }
    assert_ne!(entry.lab_state(), LabState::Running);
}
