//! Rules that hold for all lists of the API. The lists are taken from the API's own description, so that a new list is tested too.

use serde_json::{Value, json};
use services::{jobs, testing::TestWorld};

use crate::support::{Api, Portal, good};

/// Paths of the lists that take this parameter; `things` replaces paths with ids by paths of existing things.
async fn lists_with(portal: &Portal, parameter: &str, things: &[(&str, &str)]) -> Vec<String> {
    let document = portal.api_without_token().read("/openapi.json").await;
    let takes = |operation: &Value| operation["parameters"].as_array().is_some_and(|all| all.iter().any(|each| each["name"] == parameter));
    let paths = document["paths"].as_object().unwrap().iter().filter(|(_, item)| takes(&item["get"])).map(|(path, _)| path);
    let mut lists = Vec::new();
    for path in paths {
        let path = path.strip_prefix("/api/v1").unwrap();
        let path = things.iter().find(|(known, _)| *known == path).map_or(path, |(_, real)| real).to_owned();
        assert!(!path.contains('{'), "{path}: name something that is there");
        lists.push(path);
    }
    lists
}

/// The answer to the first of these readers who may read the list.
async fn answer(readers: &[&Api], path: &str) -> (u16, Value) {
    for reader in readers {
        let response = reader.get(path).send().await.unwrap();
        let status = response.status().as_u16();
        if status != 403 {
            return (status, response.json().await.unwrap());
        }
    }
    panic!("nobody may read {path}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_that_is_none_is_refused_by_every_list() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (administrator, auditor, manager) =
        (portal.api(&people.administrator).await, portal.api(&people.auditor).await, portal.api(&people.manager).await);
    let body = json!({"kind": "people", "file_name": "x.csv", "list": "login,name\na1,A\n"});
    let import = administrator.say("/imports", &body).await;
    let of_another = domain::page::write_cursor("another list", &import["id"]);
    let rows = format!("/imports/{}/rows", import["id"].as_str().unwrap());
    let things = [
        ("/bills/{id}/lines", "/bills/2026-11_CV2402/lines"),
        ("/imports/{id}/rows", rows.as_str()),
        ("/offerings/{slug}/versions", "/offerings/jupyterlab-slice/versions"),
        ("/labs/{id}/visits", "/labs/01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e/visits"),
    ];
    let mut lists = lists_with(&portal, "after", &things).await;
    lists.extend(["/usage?group_by=course".to_owned(), "/bills?course=CV2402".to_owned(), "/orders?course=CV2402".to_owned()]);
    assert!(lists.len() > 15, "{lists:?}");
    for list in lists {
        let sign = if list.contains('?') { '&' } else { '?' };
        // Identifiers too: only what the list gave out says where it goes on.
        let (unknown, thing) = ("00000000-0000-4000-8000-000000000000", import["id"].as_str().unwrap());
        for cursor in ["unknown", "x%20y", "-1", "0", "zz", "5b5d", unknown, thing, &of_another] {
            let (status, said) = answer(&[&administrator, &auditor, &manager], &format!("{list}{sign}after={cursor}")).await;
            assert_eq!((status, said["errors"][0]["field"].as_str()), (422, Some("after")), "{list} {cursor}: {said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_that_is_given_twice_is_refused_by_every_list() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (auditor, manager) = (portal.api(&people.auditor).await, portal.api(&people.manager).await);
    for list in ["/orders", "/labs", "/adjustments", "/notifications", "/courses", "/audit/events"] {
        let (status, said) = answer(&[&auditor, &manager], &format!("{list}?limit=1&limit=5")).await;
        assert_eq!(status, 422, "{list}: {said}");
        assert_eq!((said["errors"][0]["field"].as_str(), said["errors"][0]["code"].as_str()), (Some("limit"), Some("repeated")), "{list}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_of_one_list_is_none_of_another() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    for key in ["one", "two", "three"] {
        let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "parameters": {}, "duration_minutes": 60});
        teacher.order(key, &body).await;
    }
    let (orders, labs) = (teacher.read("/orders?limit=1").await, teacher.read("/labs?limit=1").await);
    let [orders_next, labs_next] = [&orders, &labs].map(|list| list["next"].as_str().unwrap());
    for (list, next) in [("/orders", orders_next), ("/labs", labs_next)] {
        let second = teacher.read(&format!("{list}?after={next}")).await;
        assert_eq!((second["items"].as_array().unwrap().len(), &second["next"]), (2, &Value::Null), "{list}");
    }
    for (list, foreign) in [("/labs", orders_next), ("/orders", labs_next), ("/labs", orders["items"][0]["id"].as_str().unwrap())] {
        let (status, said) = answer(&[&teacher], &format!("{list}?after={foreign}")).await;
        assert_eq!((status, said["errors"][0]["field"].as_str()), (422, Some("after")), "{list}: {said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_whose_address_names_no_place_in_the_list_says_so() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.manager).await;
    for path in ["/orders", "/labs", "/notifications", "/approvals"] {
        let page = browser.page(&format!("{path}?after=00000000-0000-4000-8000-000000000000")).await.text().await.unwrap();
        assert!(page.contains("This address names no place in the list."), "{path}: {page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_goes_on_when_the_item_of_its_cursor_is_gone() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let auditor = portal.api(&people.auditor).await;
    for name in ["a", "b", "c", "d"] {
        let _ = good(auditor.post("/audit/searches?outcome=refused").json(&json!({"name": name})).send().await.unwrap(), 201).await;
    }
    let first = auditor.read("/audit/searches?limit=2").await;
    let last = first["items"][1]["id"].as_str().unwrap();
    let gone = auditor.post(&format!("/audit/searches/{last}/delete")).send().await.unwrap();
    assert_eq!(gone.status(), 204);
    let second = auditor.read(&format!("/audit/searches?limit=2&after={}", first["next"].as_str().unwrap())).await;
    let names: Vec<_> = second["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect();
    assert_eq!((names, &second["next"]), (vec!["c", "d"], &Value::Null));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_is_its_code_or_its_id_in_every_filter() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let world: &TestWorld = &portal.world;
    let other = world.course("NLP2305").add().await;
    let teacher = portal.api(&people.teacher).await;
    let order = json!({"offering": "jupyterlab-slice", "course": "CV2402", "parameters": {}, "duration_minutes": 60});
    let order = teacher.order("filter-1", &order).await;
    jobs::watch::resync(&world.services).await.unwrap();
    jobs::reconcile::due(&world.services).await.unwrap();
    let course = order["course"]["id"].as_str().unwrap().to_owned();
    let administrator = portal.api(&people.administrator).await;
    let body = json!({"course": "CV2402", "kind": "charge", "amount": "2", "reason": "A disk"});
    let _ = good(administrator.post("/adjustments").json(&body).send().await.unwrap(), 200).await;
    let manager = portal.api(&people.manager).await;
    // The export of a month is a file, not a list.
    let lists: Vec<_> = lists_with(&portal, "course", &[]).await.into_iter().filter(|path| path != "/bills/export").collect();
    assert!(["/labs", "/orders", "/bills", "/usage", "/adjustments"].iter().all(|list| lists.iter().any(|path| path == list)), "{lists:?}");
    for list in lists {
        let by_code = manager.read(&format!("{list}?course=CV2402")).await;
        assert_eq!(by_code["items"], manager.read(&format!("{list}?course={course}")).await["items"], "{list}");
        if ["/labs", "/orders", "/adjustments"].contains(&list.as_str()) {
            assert_eq!(by_code["items"].as_array().unwrap().len(), 1, "{list}");
            for other in [other.code.clone(), other.id.to_string()] {
                assert_eq!(manager.read(&format!("{list}?course={other}")).await["items"], json!([]), "{list}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workbook_in_place_of_a_list_is_told_by_its_name() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let administrator = portal.api(&people.administrator).await;
    let body = json!({"kind": "people", "file_name": "x.xlsx", "list": "PK\u{3}\u{4}\u{14}"});
    let said = good(administrator.post("/imports").json(&body).send().await.unwrap(), 422).await;
    assert_eq!((said["errors"][0]["field"].as_str(), said["errors"][0]["code"].as_str()), (Some("list"), Some("workbook")), "{said}");
    let courses = administrator.read("/courses").await;
    let roster = format!("/courses/{}/roster", courses["items"][0]["id"].as_str().unwrap());
    let teacher = portal.api(&people.teacher).await;
    let said = good(teacher.put(&roster).json(&json!({"roster": "PK\u{3}\u{4}\u{14}"})).send().await.unwrap(), 422).await;
    assert_eq!((said["errors"][0]["field"].as_str(), said["errors"][0]["code"].as_str()), (Some("roster"), Some("workbook")), "{said}");
    let read = good(teacher.put(&roster).json(&json!({"roster": "number,name\r2401,\"Li, Hua\"\rS02,\r"})).send().await.unwrap(), 200).await;
    assert_eq!(read, json!({"students": [{"number": "2401", "name": "Li, Hua"}, {"number": "S02", "name": ""}]}));
}
