use domain::{Error, access::Role, audit::Filter, page::PageRequest, people::NewPerson};
use storage::testing::for_each_engine;

use super::{complete, issue_code, needed, slug};
use crate::{accounts, audit, testing::TestWorld};

fn first() -> NewPerson {
    NewPerson { login: "Root".into(), name: "管理员".into(), password: "a long password".into() }
}

#[tokio::test]
async fn the_code_makes_the_college_and_its_administrator_once() {
    for_each_engine("the_code_makes_the_college_and_its_administrator_once", async |database| {
        let world = TestWorld::on(database);
        let (services, origin) = (&world.services, TestWorld::origin());
        assert_eq!(needed(services).await, Ok(true));
        let void = issue_code(services).await.expect("a code");
        let code = issue_code(services).await.expect("another");
        assert_eq!(complete(services, &origin, &void, "人工智能学院", &first()).await.expect_err("void"), Error::SetupRefused);

        // Typed in another way.
        let typed = code.to_lowercase().replace('-', " ");
        let signed_in = complete(services, &origin, &typed, "人工智能学院", &first()).await.expect("set up");
        assert_eq!(signed_in.actor.roles, [Role::Administrator].into());
        assert_eq!(signed_in.actor.login, "root");
        assert_eq!(needed(services).await, Ok(false));
        let actor = accounts::actor(services, signed_in.actor.user, signed_in.credentials_version).await.expect("read");
        assert_eq!(actor, Some(signed_in.actor.clone()));
        accounts::sign_in(services, &origin, "root", "a long password").await.expect("the password works");
        assert_eq!(complete(services, &origin, &code, "Another", &first()).await.expect_err("over"), Error::SetupRefused);

        let auditor = world.person("shen").in_tenant(signed_in.actor.tenant).role(Role::Auditor).add().await;
        let filter = Filter { action: Some("setup.".into()), ..Filter::default() };
        let page = audit::search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
        let outcomes: Vec<_> = page.items.iter().map(|listed| listed.event.outcome.as_str()).collect();
        assert_eq!(outcomes, ["success", "refused"], "the second refusal of the minute is counted");
        assert!(!serde_json::to_string(&page).expect("JSON").contains("a long password"));
    })
    .await;
}

#[tokio::test]
async fn mistakes_are_named_only_to_who_has_the_code_and_cost_no_code() {
    let world = TestWorld::empty().await;
    let (services, origin) = (&world.services, TestWorld::origin());
    let code = issue_code(services).await.expect("a code");
    let wrong = complete(services, &origin, "AAAA-AAAA", "", &NewPerson::default()).await.expect_err("refused");
    assert_eq!(wrong, Error::SetupRefused);
    let error = complete(services, &origin, &code, " ", &NewPerson::default()).await.expect_err("refused");
    let Error::Invalid(problems) = error else { panic!("{error:?}") };
    let fields: Vec<_> = problems.iter().map(|problem| problem.field.as_str()).collect();
    assert_eq!(fields, ["college", "login", "name", "password"]);
    complete(services, &origin, &code, "School of AI", &first()).await.expect("set up with the same code");
}

#[tokio::test]
async fn ten_wrong_codes_a_minute_are_enough() {
    let world = TestWorld::empty().await;
    let (services, origin) = (&world.services, TestWorld::origin());
    let code = issue_code(services).await.expect("a code");
    for _ in 0..10 {
        assert_eq!(complete(services, &origin, "nonsense", "AI", &first()).await.expect_err("refused"), Error::SetupRefused);
    }
    let limited = Error::RateLimited { retry_after_seconds: 1 };
    assert_eq!(complete(services, &origin, &code, "AI", &first()).await.expect_err("refused"), limited);
    world.clock.advance(1);
    complete(services, &origin, &code, "AI", &first()).await.expect("set up");
}

#[tokio::test]
async fn of_two_at_once_one_wins() {
    for_each_engine("of_two_at_once_one_wins", async |database| {
        let world = TestWorld::on(database);
        let (services, origin) = (&world.services, TestWorld::origin());
        let code = issue_code(services).await.expect("a code");
        let second = NewPerson { login: "second".into(), ..first() };
        let (first_person, code) = (first(), code.as_str());
        let (one, other) = tokio::join!(complete(services, &origin, code, "One", &first_person), complete(services, &origin, code, "Other", &second));
        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        assert_eq!(one.and(other).expect_err("one lost"), Error::SetupRefused);
    })
    .await;
}

#[test]
fn a_slug_fits_a_namespace_whatever_the_name() {
    assert_eq!(slug("School of Artificial Intelligence"), "school-of-artifi");
    assert_eq!(slug("AI & Robotics"), "ai-robotics");
    assert_eq!(slug("人工智能学院"), "college");
    assert_eq!(slug("School of the AI"), "school-of-the-ai");
    assert_eq!(slug("aaaaaaaaaaaaaaa bbb"), "aaaaaaaaaaaaaaa");
}
