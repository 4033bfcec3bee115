use std::collections::BTreeSet;

use domain::{
    Error, Problem,
    access::{Role, Scope},
    audit::Filter,
    ids::{CourseId, UserId},
    notifications::{Notice, ReaderChange},
    page::PageRequest,
    people::{Invitation, LinkKind, NewPerson, PersonFilter, PersonState},
};
use storage::testing::for_each_engine;
use uuid::Uuid;

use super::{create, disable, enable, end_sessions, get, join, joining, links, search, set_access, set_post};
use crate::{Origin, accounts, audit, hub::News, sessions, testing::TestWorld, tokens};

async fn list(services: &crate::Services, caller: &crate::Caller) -> domain::Result<Vec<domain::people::Person>> {
    Ok(search(services, caller, &PersonFilter::default(), &PageRequest::default()).await?.items)
}

fn new(login: &str) -> NewPerson {
    NewPerson { login: login.into(), name: "李华".into(), password: "a long password".into() }
}

#[tokio::test]
async fn an_administrator_adds_somebody_who_then_signs_in() {
    for_each_engine("an_administrator_adds_somebody_who_then_signs_in", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let (b, a) = (world.course("B2").add().await, world.course("A1").add().await);
        let made = create(services, &administrator, &new(" Li.Hua "), [Role::Teacher].into(), [a.id, b.id].into()).await.expect("made");
        assert_eq!(made.person.login, "li.hua");
        assert_eq!(made.courses, [a.brief(), b.brief()]);
        let signed_in = accounts::sign_in(services, &TestWorld::origin(), "li.hua", "a long password").await.expect("signed in");
        assert_eq!(signed_in.actor.courses, [a.id, b.id].into());

        let all = list(services, &administrator).await.expect("listed");
        let logins: Vec<_> = all.iter().map(|person| person.person.login.as_str()).collect();
        assert_eq!(logins, ["li.hua", "root"]);
        assert_eq!((all[0].courses.clone(), all[0].roles.clone()), (made.courses, made.roles));
        assert_eq!(all[0].last_sign_in_at, Some(services.clock.now()));

        let again = create(services, &administrator, &new("LI.HUA"), BTreeSet::new(), BTreeSet::new()).await.expect_err("refused");
        assert_eq!(again, Error::field("login", Problem::Taken));
    })
    .await;
}

#[tokio::test]
async fn courses_of_another_tenant_do_not_exist() {
    let world = TestWorld::college().await;
    let administrator = world.administrator("root").await;
    let elsewhere = world.other_tenant("law").await;
    let foreign = world.course("LAW1").in_tenant(elsewhere).add().await;
    for course in [foreign.id, CourseId::from_uuid(Uuid::from_u128(1))] {
        let error = create(&world.services, &administrator, &new("li.hua"), BTreeSet::new(), [course].into()).await.expect_err("refused");
        assert_eq!(error, Error::field("courses", Problem::NoSuch));
    }
    assert_eq!(list(&world.services, &administrator).await.expect("listed").len(), 1, "nothing half made");
}

#[tokio::test]
async fn a_changed_role_counts_at_once() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let administrator = world.administrator("root").await;
    let course = world.course("CV2402").add().await;
    let li = world.teacher("li.hua", &[&course]).await;
    let user = li.actor.user;
    assert_eq!(accounts::actor(services, user, 1).await.expect("read").expect("there").roles, [Role::Teacher].into());
    let person = set_access(services, &administrator, user, [Role::Manager].into(), BTreeSet::new()).await.expect("set");
    assert_eq!((person.roles.clone(), person.courses.len()), ([Role::Manager].into(), 0));
    let actor = accounts::actor(services, user, 1).await.expect("read").expect("the session goes on");
    assert_eq!((actor.roles, actor.courses), ([Role::Manager].into(), BTreeSet::new()));

    let auditor = world.auditor("shen").await;
    let filter = Filter { action: Some("people.set_access".into()), ..Filter::default() };
    let page = audit::search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    let event = &page.items[0].event;
    assert_eq!(event.before.as_ref().expect("before")["roles"], serde_json::json!(["teacher"]));
    assert_eq!(event.after.as_ref().expect("after")["roles"], serde_json::json!(["manager"]));
}

#[tokio::test]
async fn disabling_ends_sessions_and_signing_in_until_enabled() {
    for_each_engine("disabling_ends_sessions_and_signing_in_until_enabled", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let li = world.person("li.hua").add().await;
        let user = li.actor.user;
        let signed_in = accounts::sign_in(services, &li.origin, "li.hua", TestWorld::PASSWORD).await.expect("signed in");
        let later = services.clock.now().plus_minutes(60);
        sessions::save(services, "hash", Some(user), "{}", later).await.expect("saved");
        assert!(accounts::actor(services, user, signed_in.credentials_version).await.expect("read").is_some());

        disable(services, &administrator, user).await.expect("disabled");
        disable(services, &administrator, user).await.expect("and again");
        assert_eq!(accounts::actor(services, user, signed_in.credentials_version).await, Ok(None));
        assert_eq!(sessions::load(services, "hash").await, Ok(None));
        let refused = accounts::sign_in(services, &li.origin, "li.hua", TestWorld::PASSWORD).await.expect_err("refused");
        assert_eq!(refused, Error::SignInFailed);

        enable(services, &administrator, user).await.expect("enabled");
        assert_eq!(accounts::actor(services, user, signed_in.credentials_version).await, Ok(None), "old sessions stay ended");
        accounts::sign_in(services, &li.origin, "li.hua", TestWorld::PASSWORD).await.expect("signed in");
    })
    .await;
}

#[tokio::test]
async fn one_cannot_lock_oneself_out_and_others_may_not_at_all() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let administrator = world.administrator("root").await;
    let me = administrator.actor.user;
    assert_eq!(disable(services, &administrator, me).await, Err(Error::Forbidden));
    let error = set_access(services, &administrator, me, [Role::Manager].into(), BTreeSet::new()).await.expect_err("refused");
    assert_eq!(error, Error::Forbidden);

    let manager = world.manager("wang").await;
    assert_eq!(list(services, &manager).await.expect("managers see people").len(), 2);
    assert_eq!(disable(services, &manager, me).await, Err(Error::Forbidden));
    assert_eq!(create(services, &manager, &new("x.y"), BTreeSet::new(), BTreeSet::new()).await.expect_err("refused"), Error::Forbidden);
    let teacher = world.teacher("li.hua", &[]).await;
    assert_eq!(list(services, &teacher).await.expect_err("refused"), Error::Forbidden);

    let elsewhere = world.other_tenant("law").await;
    let foreign = world.person("judge").in_tenant(elsewhere).add().await;
    for user in [foreign.actor.user, UserId::from_uuid(Uuid::from_u128(1))] {
        assert_eq!(disable(services, &administrator, user).await, Err(Error::NotFound));
        assert_eq!(enable(services, &administrator, user).await, Err(Error::NotFound));
    }
    let auditor = world.auditor("shen").await;
    let filter = Filter { action: Some("people.".into()), ..Filter::default() };
    let page = audit::search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
    assert_eq!(page.items.len(), 9, "every refusal is recorded");
}

fn invitation(login: &str) -> Invitation {
    Invitation { login: login.into(), name: "王芳".into() }
}

fn secret(link: &links::OneTimeLink) -> String {
    link.path().strip_prefix("/join/").expect("a path").to_owned()
}

#[tokio::test]
async fn an_invitation_opens_once_and_says_nothing_when_it_does_not() {
    for_each_engine("an_invitation_opens_once_and_says_nothing_when_it_does_not", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let course = world.course("CV2402").add().await;
        let department = world.department("软件技术系").await;
        let access = links::Access { department: Some(department), roles: [Role::Manager].into(), courses: [course.id].into() };
        let (person, first) = links::invite(services, &administrator, &invitation("wang.fang"), &access).await.expect("invited");
        assert_eq!((person.state, person.posts[0].department.id), (PersonState::Invited, department));
        let origin = TestWorld::origin();
        let refused = accounts::sign_in(services, &origin, "wang.fang", "").await.expect_err("no password yet");
        assert_eq!(refused, Error::SignInFailed);

        // A new link makes the one before void.
        let link = links::reissue(services, &administrator, person.person.id).await.expect("again");
        let whom = joining(services, &secret(&link)).await.expect("it opens");
        assert_eq!((whom.kind, whom.login.as_str()), (LinkKind::Invite, "wang.fang"));
        let expired = services.clock.now().plus_minutes(7 * 24 * 60);
        assert_eq!(whom.expires_at, expired);
        let bad = Err(Error::field("password", Problem::TooShort { min: 10 }));
        assert_eq!(join(services, &origin, &secret(&link), "王芳", "short").await.map(drop), bad, "and the link is still good");
        let signed_in = join(services, &origin, &secret(&link), "王芳芳", "a long password").await.expect("joined");
        assert_eq!((signed_in.actor.name.as_str(), signed_in.actor.courses.clone()), ("王芳芳", [course.id].into()));
        assert!(accounts::actor(services, person.person.id, signed_in.credentials_version).await.expect("read").is_some());
        accounts::sign_in(services, &origin, "wang.fang", "a long password").await.expect("signed in");

        for dead in [secret(&first), secret(&link), "lnk_".to_owned() + &"x".repeat(43), "x".into()] {
            assert_eq!(joining(services, &dead).await, Err(Error::LinkOver));
            assert_eq!(join(services, &origin, &dead, "x", "a long password").await.map(drop), Err(Error::LinkOver));
        }
    })
    .await;
}

#[tokio::test]
async fn a_reset_ends_what_was_and_no_secret_is_recorded() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let administrator = world.administrator("root").await;
    let li = world.person("li.hua").add().await;
    let user = li.actor.user;
    let later = services.clock.now().plus_minutes(60);
    sessions::save(services, "hash", Some(user), r#"{"agent":"Firefox/1"}"#, later).await.expect("saved");
    let link = links::reissue(services, &administrator, user).await.expect("a link");
    let detail = get(services, &administrator, user).await.expect("read");
    assert_eq!(detail.link.map(|link| link.kind), Some(LinkKind::Reset));
    assert_eq!(detail.sessions[0].agent, "Firefox/1");
    assert_eq!(accounts::actor(services, user, 1).await.expect("read").map(|actor| actor.user), Some(user), "until it is used");
    join(services, &TestWorld::origin(), &secret(&link), "", "an unusual sentence").await.expect("reset");
    assert_eq!(accounts::actor(services, user, 1).await, Ok(None));
    assert_eq!(sessions::load(services, "hash").await, Ok(None));

    // Shown once, to its maker only, and nowhere else.
    let link = links::reissue(services, &administrator, user).await.expect("a link");
    links::keep(services, &administrator, &link);
    assert!(links::take(services, &li, link.open.id).is_none(), "not to somebody else");
    assert_eq!(links::take(services, &administrator, link.open.id).map(|link| link.path()), Some(link.path()));
    assert!(links::take(services, &administrator, link.open.id).is_none(), "not twice");
    links::revoke(services, &administrator, user).await.expect("taken back");
    assert_eq!(joining(services, &secret(&link)).await, Err(Error::LinkOver));
    disable(services, &administrator, user).await.expect("disabled");
    assert!(matches!(links::reissue(services, &administrator, user).await, Err(Error::InvalidTransition { .. })));

    let auditor = world.auditor("shen").await;
    let page = audit::search(services, &auditor, &Filter::default(), &PageRequest::default()).await.expect("found");
    let all = serde_json::to_string(&page.items).expect("JSON");
    assert!(all.contains("people.reset") && !all.contains("lnk_"), "{all}");
    assert!(!format!("{link:?}").contains("lnk_"));
}

#[tokio::test]
async fn a_reset_ends_tokens_as_it_ends_sessions() {
    for_each_engine("a_reset_ends_tokens_as_it_ends_sessions", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let li = world.person("li.hua").add().await;
        let origin = Origin::cli();
        let token = || tokens::create_for(services, &origin, "li.hua", "script", [Scope::Admin].into(), 30);
        let first = token().await.expect("made");
        accounts::reset_password(services, &Origin::cli(), "li.hua").await.expect("reset by whoever owns the machine");
        assert_eq!(tokens::authenticate(services, &first).await, Err(Error::Unauthenticated));
        let second = token().await.expect("made");
        let link = links::reissue(services, &administrator, li.actor.user).await.expect("a link");
        assert!(tokens::authenticate(services, &second).await.is_ok(), "until the link is used");
        join(services, &TestWorld::origin(), &secret(&link), "", "an unusual sentence").await.expect("reset by a link");
        assert_eq!(tokens::authenticate(services, &second).await, Err(Error::Unauthenticated));
    })
    .await;
}

#[tokio::test]
async fn a_link_ends_with_the_password_that_it_was_made_for_and_with_the_account() {
    for_each_engine("a_link_ends_with_the_password_that_it_was_made_for_and_with_the_account", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let made = create(services, &administrator, &new("li.hua"), [Role::Teacher].into(), [].into()).await.expect("made");
        let user = made.person.id;
        let li = accounts::sign_in(services, &TestWorld::origin(), "li.hua", "a long password").await.expect("signed in").actor;
        let li = crate::Caller { actor: li, origin: TestWorld::origin() };
        let link = async || secret(&links::reissue(services, &administrator, user).await.expect("a link"));
        let is_over = async |link: &str| {
            assert_eq!(joining(services, link).await, Err(Error::LinkOver));
            assert_eq!(join(services, &TestWorld::origin(), link, "", "an unusual sentence").await.map(drop), Err(Error::LinkOver));
        };
        let changed = link().await;
        accounts::change_password(services, &li, "a long password", "an unusual sentence").await.expect("their own change");
        is_over(&changed).await;
        let reset = link().await;
        accounts::reset_password(services, &Origin::cli(), "li.hua").await.expect("reset by whoever owns the machine");
        is_over(&reset).await;
        let shut = link().await;
        accounts::disable(services, &Origin::cli(), "li.hua").await.expect("shut by whoever owns the machine");
        enable(services, &administrator, user).await.expect("let in again");
        is_over(&shut).await;
        let disabled = link().await;
        disable(services, &administrator, user).await.expect("disabled");
        enable(services, &administrator, user).await.expect("let in again");
        is_over(&disabled).await;
    })
    .await;
}

#[tokio::test]
async fn nobody_gives_themselves_a_role_that_reads_the_record() {
    for_each_engine("nobody_gives_themselves_a_role_that_reads_the_record", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let (root, second) = (world.administrator("root").await, world.administrator("second").await);
        let department = world.department("软件技术系").await;
        let both: BTreeSet<_> = [Role::Administrator, Role::Auditor].into();
        let refused = Err(Error::OwnRole { role: Role::Auditor });
        let own = root.actor.user;
        assert_eq!(set_access(services, &root, own, both.clone(), [].into()).await.map(drop), refused);
        assert_eq!(set_post(services, &root, own, department, [Role::Auditor].into()).await.map(drop), refused, "nor at a department");
        let list = format!("login,name,roles\n{},{},auditor\n", root.actor.login, root.actor.name);
        let import = crate::imports::preview(services, &root, domain::imports::ImportKind::People, "own.csv", &list).await.expect("read");
        crate::imports::start(services, &root, import.id).await.expect("begun");
        crate::imports::run(services).await.expect("taken over");
        assert_eq!(get(services, &second, own).await.expect("read").person.roles, [Role::Administrator].into(), "nor by a list");

        let given = set_access(services, &second, own, both.clone(), [].into()).await.expect("somebody else gives it");
        assert_eq!(given.roles, both);
        let kept = set_access(services, &root, own, both.clone(), [].into()).await.expect("what one has one may keep");
        assert_eq!(kept.roles, both);
        let auditor = world.auditor("shen").await;
        let filter = Filter { action: Some("people.set_access".into()), ..Filter::default() };
        let page = audit::search(services, &auditor, &filter, &PageRequest::default()).await.expect("found");
        assert!(page.items.iter().any(|listed| listed.event.code.as_deref() == Some("own_role")), "the refusal is a record");
    })
    .await;
}

/// What a person was told of ways to the audit record, oldest first: what was done, for whom, and by whom.
async fn told(world: &TestWorld, reader: &crate::Caller) -> Vec<(ReaderChange, String, String)> {
    let mut connection = world.services.db.read().await.expect("a connection");
    let mut list = storage::notifications::latest(&mut connection, reader.actor.user, 50).await.expect("read");
    list.reverse();
    let change = |notice: Notice| match notice {
        Notice::AuditReader { person, change, by, .. } => Some((change, person.login, by.login)),
        _ => None,
    };
    list.into_iter().filter_map(|each| change(each.notice)).collect()
}

#[tokio::test]
async fn no_way_to_the_audit_record_is_opened_unseen() {
    for_each_engine("no_way_to_the_audit_record_is_opened_unseen", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let (root, second, shen) = (world.administrator("root").await, world.administrator("second").await, world.auditor("shen").await);
        let department = world.department("软件技术系").await;
        let head = world.person("head").role_at(department, Role::Auditor).add().await;
        let (manager, li) = (world.manager("wang").await, world.person("li.hua").add().await);
        let auditor: BTreeSet<_> = [Role::Auditor].into();

        set_access(services, &root, li.actor.user, auditor.clone(), [].into()).await.expect("given");
        set_access(services, &root, li.actor.user, [Role::Auditor, Role::Teacher].into(), [].into()).await.expect("nothing new to read");
        world.clock.advance(1);
        set_post(services, &root, li.actor.user, department, auditor.clone()).await.expect("given at a department");
        world.clock.advance(1);
        let access = links::Access { roles: auditor.clone(), ..links::Access::default() };
        links::invite(services, &root, &invitation("invited"), &access).await.expect("invited");
        links::invite(services, &root, &invitation("nobody"), &links::Access::default()).await.expect("invited");
        world.clock.advance(1);
        create(services, &root, &new("created"), auditor.clone(), [].into()).await.expect("made");
        world.clock.advance(1);
        let list = "login,name,roles\nlisted,王芳,auditor\nwang,wang,auditor\n";
        let import = crate::imports::preview(services, &root, domain::imports::ImportKind::People, "list.csv", list).await.expect("read");
        crate::imports::start(services, &root, import.id).await.expect("begun");
        crate::imports::run(services).await.expect("taken over");
        world.clock.advance(1);
        crate::imports::link_list(services, &root, import.id, false, "https://lectern.example").await.expect("links");
        world.clock.advance(1);
        links::reissue(services, &root, shen.actor.user).await.expect("a link");
        links::reissue(services, &root, second.actor.user).await.expect("a link of one who reads no record");
        assert!(set_access(services, &root, root.actor.user, [Role::Administrator, Role::Auditor].into(), [].into()).await.is_err());

        let expected = [
            (ReaderChange::RoleGiven, "li.hua"),
            (ReaderChange::RoleGiven, "li.hua"),
            (ReaderChange::Invited, "invited"),
            (ReaderChange::RoleGiven, "created"),
            (ReaderChange::Invited, "listed"),
            (ReaderChange::RoleGiven, "wang"),
            (ReaderChange::LinkMade, "listed"),
            (ReaderChange::LinkMade, "shen"),
        ]
        .map(|(change, login)| (change, login.to_owned(), "root".to_owned()));
        for reader in [&second, &head, &shen] {
            assert_eq!(told(&world, reader).await, expected, "{}", reader.actor.login);
        }
        assert!(told(&world, &root).await.is_empty(), "their own acts");
        assert_eq!(told(&world, &manager).await, expected[6..], "a reader since then");
    })
    .await;
}

#[tokio::test]
async fn an_open_page_shows_a_new_reader_of_the_record_at_once() {
    let world = TestWorld::college().await;
    let (root, second) = (world.administrator("root").await, world.administrator("second").await);
    let mut listening = world.services.hub.listen(std::time::Duration::ZERO, |_| true);
    let access = links::Access { roles: [Role::Auditor].into(), ..links::Access::default() };
    links::invite(&world.services, &root, &invitation("invited"), &access).await.expect("invited");
    assert!(listening.so_far().contains(&News::Notice(second.actor.user)));
}

#[tokio::test]
async fn the_last_administrator_stays_one() {
    for_each_engine("the_last_administrator_stays_one", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let (one, two) = (world.administrator("one").await, world.administrator("two").await);
        set_access(services, &one, two.actor.user, BTreeSet::new(), BTreeSet::new()).await.expect("one is left");
        // As when both ask at the same time: the other's session still says administrator.
        let error = set_access(services, &two, one.actor.user, BTreeSet::new(), BTreeSet::new()).await.expect_err("refused");
        assert_eq!(error, Error::LastAdministrator);
        assert_eq!(disable(services, &two, one.actor.user).await, Err(Error::LastAdministrator));
    })
    .await;
}

#[tokio::test]
async fn sessions_end_one_by_one_all_others_or_all() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let administrator = world.administrator("root").await;
    let (li, wang) = (world.person("li.hua").add().await, world.person("wang").add().await);
    let later = services.clock.now().plus_minutes(60);
    for (id, who) in [("a", &li), ("b", &li), ("c", &li), ("d", &wang)] {
        sessions::save(services, id, Some(who.actor.user), "{}", later).await.expect("saved");
    }
    let mine = accounts::list_sessions(services, &li, "b").await.expect("listed");
    assert_eq!((mine.len(), mine[0].id.as_str(), mine[0].current), (3, "b", true));
    accounts::end_session(services, &li, "a").await.expect("ended");
    for gone in ["a", "d"] {
        assert_eq!(accounts::end_session(services, &li, gone).await, Err(Error::NotFound));
    }
    assert_eq!(accounts::end_other_sessions(services, &li, "b").await, Ok(1));
    assert_eq!(end_sessions(services, &administrator, li.actor.user).await, Ok(1));
    assert_eq!(end_sessions(services, &wang, li.actor.user).await, Err(Error::Forbidden));
    assert!(sessions::load(services, "d").await.expect("read").is_some());
    accounts::rename(services, &li, "李 华").await.expect("renamed");
    assert_eq!(accounts::rename(services, &li, " ").await, Err(Error::field("name", Problem::Missing)));
    assert_eq!(get(services, &administrator, li.actor.user).await.expect("read").person.person.name, "李 华");
}

#[tokio::test]
async fn who_leads_a_department_sees_its_teachers_only() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let administrator = world.administrator("root").await;
    let software = world.department("软件技术系").await;
    let (its, other) = (world.course("A1").in_department(software).add().await, world.course("B2").add().await);
    let (li, wang) = (world.teacher("li", &[&its]).await, world.teacher("wang", &[&other]).await);
    let head = world.person("head").role_at(software, Role::Manager).add().await;
    let logins: Vec<_> = list(services, &head).await.expect("listed").into_iter().map(|person| person.person.login).collect();
    assert_eq!(logins, ["li"]);
    assert!(!get(services, &head, li.actor.user).await.expect("seen").may_write);
    assert_eq!(get(services, &head, wang.actor.user).await.expect_err("hidden"), Error::NotFound);
    assert_eq!(set_post(services, &head, li.actor.user, software, BTreeSet::new()).await.expect_err("refused"), Error::Forbidden);
    let person = set_post(services, &administrator, li.actor.user, software, [Role::Auditor].into()).await.expect("given");
    assert_eq!(person.posts[0].roles, [Role::Auditor].into());
    let actor = accounts::actor(services, li.actor.user, 1).await.expect("read").expect("there");
    assert_eq!(actor.department_roles, [(Role::Auditor, [its.id].into())].into());
    let elsewhere = world.other_tenant("law").await;
    let error = set_post(services, &administrator, li.actor.user, elsewhere, BTreeSet::new()).await.expect_err("a college is no department");
    assert_eq!(error, Error::field("department", Problem::NoSuch));
}
