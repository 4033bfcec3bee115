use domain::{
    Error, Problem,
    access::Role,
    audit::Filter,
    error::FieldError,
    imports::{CellChange, Cells, Counts, ImportKind, ImportState, RowResult, Verdict},
    notifications::Notice,
    page::PageRequest,
    people::{PersonFilter, PersonState},
};
use storage::testing::for_each_engine;

use super::{decode, get, link_list, list, mend, preview, result_list, run, start};
use crate::{Caller, courses, people, testing::TestWorld};

const PEOPLE: &str = "账号,姓名,部门,角色,课程\n\
    20260001,示范教师甲,软件技术系,教师,CV2402\n\
    20260002,示范教师乙,软件系统系,教师,\n\
    20260001,示范教师丙,,教师,\n\
    old,改了的名,,审计员,CV2402\n\
    same,same,,,\n";

async fn page_of(world: &TestWorld, caller: &Caller, id: domain::ids::ImportId) -> (domain::imports::Import, Vec<domain::imports::ImportRow>) {
    let (import, page) = get(&world.services, caller, id, None, &PageRequest::default()).await.expect("read");
    (import, page.items)
}

/// Before and after of what was recorded as done.
async fn recorded(world: &TestWorld, action: &str) -> Vec<(serde_json::Value, serde_json::Value)> {
    let side = async |column: &str| {
        let sql = format!("SELECT {column} AS text FROM audit_events WHERE action = '{action}' AND outcome = 'success' ORDER BY id");
        let texts = storage::testing::texts(&world.services.db, &sql).await;
        texts.iter().map(|text| serde_json::from_str(text).expect("JSON")).collect::<Vec<serde_json::Value>>()
    };
    side("before_json").await.into_iter().zip(side("after_json").await).collect()
}

#[test]
fn the_name_of_a_file_hides_nothing() {
    assert_eq!(super::shown_name(" 名\u{202e}单\u{200b}\n1.csv "), "名单 1.csv");
    assert_eq!((super::shown_name("\u{200b}\u{1}"), super::shown_name(&"x".repeat(200)).len()), (String::new(), 100));
}

#[tokio::test]
async fn a_list_of_people_is_looked_at_mended_and_taken_over() {
    for_each_engine("a_list_of_people_is_looked_at_mended_and_taken_over", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let department = world.department("软件技术系").await;
        let course = world.course("CV2402").add().await;
        for login in ["old", "same"] {
            world.person(login).role(Role::Teacher).add().await;
        }
        let import = preview(services, &administrator, ImportKind::People, "名单.csv", PEOPLE).await.expect("looked at");
        assert_eq!(import.counts, Counts { new: 1, change: 1, unchanged: 1, error: 2, ..Counts::default() });
        let (_, rows) = page_of(&world, &administrator, import.id).await;
        assert_eq!(rows[1].problems[0].problem, Problem::NotOneOf { choices: vec!["软件技术系".into()] });
        assert_eq!(rows[2].problems[0].problem, Problem::SameAsRow { row: 1 });
        let owned = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        let change =
            |field: &str, before: &[&str], after: &[&str]| CellChange { field: field.into(), before: Some(owned(before)), after: owned(after) };
        let old = storage::testing::texts(&services.db, "SELECT name AS text FROM users WHERE login = 'old'").await.remove(0);
        let expected =
            [change("name", &[&old], &["改了的名"]), change("roles", &["teacher"], &["teacher", "auditor"]), change("courses", &[], &["CV2402"])];
        assert_eq!(rows[3].changes, expected, "what is there and what would be");
        assert!([0, 1, 2, 4].iter().all(|row| rows[*row].changes.is_empty()), "new, wrong and unchanged rows change nothing");
        assert_eq!(people::search(services, &administrator, &PersonFilter::default(), &PageRequest::default()).await.expect("read").items.len(), 3);

        start(services, &administrator, import.id).await.expect("started");
        assert!(matches!(start(services, &administrator, import.id).await, Err(Error::InvalidTransition { .. })), "not twice");
        assert_eq!(run(services).await, Ok(2));
        assert_eq!(run(services).await, Ok(0), "nothing is done again");
        let (done, rows) = page_of(&world, &administrator, import.id).await;
        assert_eq!((done.state, done.counts.done, done.counts.waiting()), (ImportState::Done, 2, 0));
        assert_eq!(rows[0].result, Some(RowResult::Done));
        assert!(rows[3].changes.is_empty(), "it is done");
        let filter = PersonFilter { text: Some("20260001".into()), ..PersonFilter::default() };
        let made = people::search(services, &administrator, &filter, &PageRequest::default()).await.expect("read").items.remove(0);
        assert_eq!((made.state, made.posts[0].department.id, made.courses), (PersonState::Invited, department, vec![course.brief()]));
        let recorded = recorded(&world, "people.set_access").await;
        let was = serde_json::json!({"name": old, "roles": ["teacher"], "courses": []});
        let is = serde_json::json!({"name": "改了的名", "roles": ["teacher", "auditor"], "courses": ["CV2402"], "import": import.id});
        assert_eq!(recorded, [(was, is)], "what was there and what is there now");
        let filter = PersonFilter { text: Some("old".into()), ..PersonFilter::default() };
        let changed = people::search(services, &administrator, &filter, &PageRequest::default()).await.expect("read").items.remove(0);
        assert_eq!((changed.person.name.as_str(), changed.roles), ("改了的名", [Role::Teacher, Role::Auditor].into()), "nothing is taken away");

        let cells = |pairs: &[(&str, &str)]| pairs.iter().map(|(field, text)| ((*field).to_owned(), (*text).to_owned())).collect::<Cells>();
        let mended = cells(&[("login", "20260002"), ("name", "示范教师乙"), ("department", "软件技术系"), ("other", "x")]);
        let row = mend(services, &administrator, import.id, 2, &mended).await.expect("mended");
        let recorded = "SELECT after_json AS text FROM audit_events WHERE action = 'import.mend' AND outcome = 'success'";
        let recorded = storage::testing::texts(&services.db, recorded).await;
        assert!(recorded.len() == 1 && recorded[0].contains("\"row\":2"), "a correction leaves a record: {recorded:?}");
        assert_eq!((row.verdict, row.cells.contains_key("other")), (Verdict::New, false));
        assert!(matches!(mend(services, &administrator, import.id, 1, &mended).await, Err(Error::InvalidTransition { .. })), "done is done");
        start(services, &administrator, import.id).await.expect("started again");
        assert_eq!(run(services).await, Ok(1));

        let links = link_list(services, &administrator, import.id, true, "https://lectern.example").await.expect("links");
        assert_eq!(links.matches("https://lectern.example/join/lnk_").count(), 2, "{links}");
        assert!(matches!(link_list(services, &administrator, import.id, true, "").await, Err(Error::InvalidTransition { .. })), "once");
        let plain = |row: &domain::imports::ImportRow| [row.verdict.as_str().to_owned(), String::new()];
        let result = result_list(services, &administrator, import.id, false, plain).await.expect("a list");
        assert!(result.contains("4,old,改了的名,,审计员,CV2402,change,"), "{result}");

        let auditor = world.auditor("shen").await;
        let filter = Filter { text: None, ..Filter::default() };
        let records = crate::audit::search(services, &auditor, &filter, &PageRequest::default()).await.expect("found").items;
        let all = serde_json::to_string(&records).expect("JSON");
        assert!(!all.contains("lnk_") && all.contains("import.finish"), "{all}");
        assert_eq!(list(services, &auditor, &PageRequest::default()).await.expect_err("refused"), Error::Forbidden);
    })
    .await;
}

#[tokio::test]
async fn a_list_of_courses_makes_and_changes_them() {
    for_each_engine("a_list_of_courses_makes_and_changes_them", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        world.department("软件技术系").await;
        let old = world.course("OLD1").add().await;
        let li = world.teacher("li", &[]).await;
        let text =
            "code,name,department,budget,cards,teachers\nNEW1,New,软件技术系,6000,1/2,li\nOLD1,Renamed,软件技术系,,8,\nNEW2,No budget,,,,nobody\n";
        let import = preview(services, &administrator, ImportKind::Courses, "c.csv", text).await.expect("looked at");
        assert_eq!(import.counts, Counts { new: 1, change: 1, error: 1, ..Counts::default() });
        let (_, rows) = page_of(&world, &administrator, import.id).await;
        let changes: Vec<_> = rows[1].changes.iter().map(|change| (change.field.as_str(), change.before.clone(), change.after.clone())).collect();
        let cards = old.settings.limits.cards.to_string();
        let one = |text: &str| vec![text.to_owned()];
        let expected =
            [("name", Some(one(&old.name)), one("Renamed")), ("department", Some(vec![]), one("软件技术系")), ("cards", Some(one(&cards)), one("8"))];
        assert_eq!(changes, expected);
        start(services, &administrator, import.id).await.expect("started");
        assert_eq!(run(services).await, Ok(2));
        let was = serde_json::json!({"name": old.name, "department": null, "cards": cards});
        let is = serde_json::json!({"name": "Renamed", "department": "软件技术系", "cards": "8", "import": import.id});
        assert_eq!(recorded(&world, "course.change").await, [(was, is)], "the row named no budget");
        let detail = courses::get(services, &administrator, old.id).await.expect("read");
        assert_eq!((detail.course.name.as_str(), detail.course.settings.limits.cards.parts()), ("Renamed", 8 * 840));
        assert_eq!(detail.department.expect("placed").name, "软件技术系");
        assert_eq!(detail.course.settings.budget, old.settings.budget, "an empty cell changes nothing");
        let made = crate::accounts::actor(services, li.actor.user, 1).await.expect("read").expect("there").courses;
        assert_eq!(made.len(), 1, "the teacher has the new course at once");
        let again = preview(services, &administrator, ImportKind::Courses, "c.csv", text).await.expect("looked at");
        assert_eq!((again.counts.unchanged, again.counts.to_do()), (2, 0), "the same list again changes nothing");
    })
    .await;
}

#[tokio::test]
async fn who_may_no_more_does_not_go_on() {
    let world = TestWorld::college().await;
    let services = &world.services;
    let (one, two) = (world.administrator("one").await, world.administrator("two").await);
    let import = preview(services, &one, ImportKind::People, "x.csv", "login,name\na1,A\n").await.expect("looked at");
    start(services, &one, import.id).await.expect("started");
    people::disable(services, &two, one.actor.user).await.expect("disabled");
    assert_eq!(run(services).await, Ok(0));
    let (import, _) = page_of(&world, &two, import.id).await;
    assert_eq!((import.state, import.counts.waiting()), (ImportState::Done, 1));
    start(services, &two, import.id).await.expect("somebody else starts it");
}

#[tokio::test]
async fn rows_are_taken_over_in_the_name_of_the_starter() {
    for_each_engine("rows_are_taken_over_in_the_name_of_the_starter", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let (one, two) = (world.administrator("one").await, world.administrator("two").await);
        let import = preview(services, &one, ImportKind::People, "x.csv", "login,name,roles\nli,Li,auditor\n").await.expect("looked at");
        start(services, &two, import.id).await.expect("started by somebody else");
        assert_eq!(run(services).await, Ok(1));
        let invited = "SELECT who_label AS text FROM audit_events WHERE action = 'people.invite' AND outcome = 'success'";
        assert_eq!(storage::testing::texts(&services.db, invited).await, ["two"]);
        let mut read = services.db.read().await.expect("a connection");
        let mut told = async |reader: &Caller| {
            let list = storage::notifications::latest(&mut read, reader.actor.user, 9).await.expect("read");
            let by = |notice: Notice| match notice {
                Notice::AuditReader { by, .. } => Some(by.login),
                _ => None,
            };
            list.into_iter().filter_map(|each| by(each.notice)).collect::<Vec<_>>()
        };
        assert_eq!(told(&one).await, ["two"], "the uploader learns of it");
        assert!(told(&two).await.is_empty(), "the starter did it");
    })
    .await;
}

#[tokio::test]
async fn no_list_of_somebody_else_gives_its_mender_a_role_that_reads_the_record() {
    for_each_engine("no_list_of_somebody_else_gives_its_mender_a_role", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let (one, two) = (world.administrator("one").await, world.administrator("two").await);
        let own = |who: &Caller| {
            [("login", &who.actor.login), ("name", &who.actor.name), ("roles", &"auditor".to_owned())]
                .map(|(field, text)| (field.to_owned(), text.clone()))
                .into_iter()
                .collect::<Cells>()
        };
        let auditors = async || {
            let sql = "SELECT u.login AS text FROM users u JOIN user_roles r ON r.user_id = u.id WHERE r.role = 'auditor' ORDER BY u.login";
            storage::testing::texts(&services.db, sql).await
        };
        // Neither the uploader nor the mender nor the starter of a row gets such a role from it.
        for (uploader, mender, starter) in [(&two, Some(&one), &one), (&two, Some(&one), &two), (&one, None, &two)] {
            let list = format!("login,name,roles\n{},{},auditor\n", one.actor.login, one.actor.name);
            let list = if mender.is_some() { "login,name\nli,Li\n" } else { list.as_str() };
            let import = preview(services, uploader, ImportKind::People, "x.csv", list).await.expect("looked at");
            if let Some(mender) = mender {
                mend(services, mender, import.id, 1, &own(&one)).await.expect("mended");
            }
            start(services, starter, import.id).await.expect("started");
            assert_eq!(run(services).await, Ok(1));
            let (done, rows) = page_of(&world, &one, import.id).await;
            assert_eq!((done.state, done.counts.done, rows[0].verdict), (ImportState::Done, 0, Verdict::Error));
            assert!(matches!(&rows[0].problems[0], FieldError { field, problem: Problem::NotOneOf { .. } } if field == "roles"));
            assert!(auditors().await.is_empty());
        }
        // Two others can give it.
        let import = preview(services, &one, ImportKind::People, "x.csv", "login,name\nli,Li\n").await.expect("looked at");
        mend(services, &two, import.id, 1, &own(&one)).await.expect("mended");
        start(services, &two, import.id).await.expect("started");
        assert_eq!(run(services).await, Ok(1));
        assert_eq!(auditors().await, ["one"]);
    })
    .await;
}

#[tokio::test]
async fn accounts_from_before_the_login_rule_are_each_named_by_their_stored_login() {
    for_each_engine("accounts_from_before_the_login_rule_are_each_named", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let wide = world.person("２０２４０１").role(Role::Teacher).add().await.actor.user;
        let plain = world.person("202401").role(Role::Teacher).add().await.actor.user;
        let text = "login,name\n２０２４０１,Wide\n202401,Plain\n２０２４０１,Again\n２０２４０２,New\n202402,Same\n";
        let import = preview(services, &administrator, ImportKind::People, "x.csv", text).await.expect("looked at");
        let (_, rows) = page_of(&world, &administrator, import.id).await;
        let verdicts: Vec<_> = rows.iter().map(|row| row.verdict).collect();
        assert_eq!(verdicts, [Verdict::Change, Verdict::Change, Verdict::Error, Verdict::New, Verdict::Error]);
        let same = |row: &domain::imports::ImportRow| row.problems[0].problem.clone();
        assert_eq!((same(&rows[2]), same(&rows[4])), (Problem::SameAsRow { row: 1 }, Problem::SameAsRow { row: 4 }));
        start(services, &administrator, import.id).await.expect("started");
        assert_eq!(run(services).await, Ok(3));
        let mut read = services.db.read().await.expect("a connection");
        for (user, name) in [(wide, "Wide"), (plain, "Plain")] {
            let found = storage::accounts::users::by_id(&mut read, user).await.expect("read").expect("an account");
            assert_eq!(found.name, name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_row_that_cannot_be_imported_fails_with_its_reason_and_the_rest_goes_on() {
    for_each_engine("a_row_that_cannot_be_imported_fails_with_its_reason", async |database| {
        let world = TestWorld::college_on(database).await;
        let services = &world.services;
        let administrator = world.administrator("root").await;
        let old = world.person("old").role(Role::Teacher).add().await;
        let import = preview(services, &administrator, ImportKind::People, "x.csv", "login,name\nold,B\na1,A\n").await.expect("looked at");
        assert_eq!(import.counts.to_do(), 2);
        start(services, &administrator, import.id).await.expect("started");
        let role = |text: &'static str| {
            let sql = format!("UPDATE user_roles SET role = '{text}' WHERE user_id = '{}'", old.actor.user);
            async move { storage::testing::execute(&services.db, &sql).await.expect("stored") }
        };
        role("unknown").await;
        assert_eq!(run(services).await, Ok(2));
        assert_eq!(run(services).await, Ok(0), "and it is not tried for ever");
        let (done, rows) = page_of(&world, &administrator, import.id).await;
        assert_eq!((done.state, done.counts.done, done.counts.error), (ImportState::Done, 1, 1));
        assert_eq!((rows[0].verdict, rows[1].result), (Verdict::Error, Some(RowResult::Done)));
        let [FieldError { field, problem: Problem::RowRefused { error } }] = rows[0].problems.as_slice() else {
            panic!("the row says why: {:?}", rows[0].problems)
        };
        assert_eq!((field.as_str(), error.code()), ("login", "internal"));
        role("teacher").await;
        mend(services, &administrator, import.id, 1, &rows[0].cells).await.expect("looked at again");
        start(services, &administrator, import.id).await.expect("started again");
        assert_eq!(run(services).await, Ok(1));
    })
    .await;
}

#[test]
fn lists_come_in_either_encoding() {
    assert_eq!(decode("账号,姓名".as_bytes()), Ok("账号,姓名".into()));
    assert_eq!(decode(b"\xef\xbb\xbfa,b"), Ok("a,b".into()));
    assert_eq!(decode(b"\xd5\xcb\xba\xc5,\xd0\xd5\xc3\xfb"), Ok("账号,姓名".into()));
    assert!(decode(b"\xff\xfe\x00").is_err());
}
