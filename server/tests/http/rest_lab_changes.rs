//! What owners ask of labs by API: restart, more time, another size, the daily stop, keeping, ordering again. Each repeated.

use domain::labs::LabState;
use reqwest::Response;
use serde_json::{Value, json};
use services::jobs;

use crate::support::{Api, Portal};

async fn work(portal: &Portal) {
    for _ in 0..5 {
        while jobs::reconcile::due(&portal.world.services).await.unwrap() > 0 {}
        portal.world.clock.advance(5);
    }
}

async fn json_of(answer: Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

async fn send(api: &Api, path: &str, body: Value) -> (u16, Value) {
    json_of(api.post(path).json(&body).send().await.unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_is_changed_by_api_and_a_repeated_request_changes_nothing() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (teacher, colleague) = (portal.api(&people.teacher).await, portal.api(&people.colleague).await);
    let order = teacher.order("changes", &json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 60})).await;
    work(&portal).await;
    let lab = format!("/labs/{}", order["labs"][0].as_str().unwrap());
    let before = teacher.read(&lab).await;
    assert_eq!((before["state"].as_str(), before["generation"].as_i64(), &before["failures"]), (Some("running"), Some(0), &json!([])));

    for _ in 0..2 {
        let (status, answer) = send(&teacher, &format!("{lab}/restart"), json!({"generation": 0})).await;
        assert_eq!((status, answer["generation"].as_i64()), (200, Some(1)), "{answer}");
        work(&portal).await;
    }
    for _ in 0..2 {
        let (status, answer) = send(&teacher, &format!("{lab}/extend"), json!({"minutes": 30, "seen_minutes": 60})).await;
        assert_eq!((status, answer["duration_minutes"].as_i64()), (200, Some(90)), "{answer}");
    }
    let until = teacher.read(&lab).await["ends_at"].as_str().map(domain::time::Timestamp::parse_rfc3339).unwrap().unwrap().plus_minutes(15);
    let (status, answer) = send(&teacher, &format!("{lab}/extend"), json!({"until": until.to_rfc3339()})).await;
    assert_eq!((status, answer["duration_minutes"].as_i64()), (200, Some(105)), "{answer}");
    let (status, answer) = send(&teacher, &format!("{lab}/extend"), json!({"minutes": 10_000})).await;
    assert_eq!((status, answer["errors"][0]["field"].as_str()), (422, Some("minutes")), "{answer}");
    assert_eq!(send(&colleague, &format!("{lab}/extend"), json!({"minutes": 30})).await.0, 403);

    for _ in 0..2 {
        let (status, answer) = send(&teacher, &format!("{lab}/resize"), json!({"parameters": {"cpu_cores": 8, "storage_gib": 40}})).await;
        assert_eq!((status, &answer["spec"]["cpu_cores"], &answer["spec"]["storage_gib"]), (200, &json!(8), &json!(40)), "{answer}");
        work(&portal).await;
        let now = teacher.read(&lab).await;
        assert_eq!((now["state"].as_str(), now["generation"].as_i64()), (Some("running"), Some(2)));
    }
    let (status, answer) = send(&teacher, &format!("{lab}/resize"), json!({"parameters": {"storage_gib": 20, "image": "x"}})).await;
    let fields: Vec<_> = answer["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!((status, fields), (422, vec!["parameters.image", "parameters.storage_gib"]));

    let (status, answer) = json_of(teacher.put(&format!("{lab}/autostop")).json(&json!({"daily": "22:00"})).send().await.unwrap()).await;
    assert_eq!((status, answer["autostop"]["daily"].as_str()), (200, Some("22:00")), "{answer}");
    let bad = json_of(teacher.put(&format!("{lab}/autostop")).json(&json!({"daily": "10 pm"})).send().await.unwrap()).await;
    assert_eq!((bad.0, bad.1["errors"][0]["field"].as_str()), (422, Some("daily")));

    let (status, answer) = send(&teacher, &format!("{lab}/keep-running"), json!({})).await;
    assert_eq!((status, answer["activity"]["last_use"].as_str()), (200, Some("kept")), "{answer}");
    assert_eq!(send(&colleague, &format!("{lab}/keep-running"), json!({})).await.0, 403);
    let idle = json_of(teacher.put(&format!("{lab}/autostop")).json(&json!({"idle_minutes": 45})).send().await.unwrap()).await;
    assert_eq!((idle.0, idle.1["activity"]["idle_minutes"].as_i64()), (200, Some(45)), "{idle:?}");
    assert!(idle.1["activity"]["stops_at"].is_string() && idle.1["autostop"]["daily"].is_null(), "{idle:?}");

    assert_eq!(send(&teacher, &format!("{lab}/retry"), json!({})).await.0, 200, "it runs already");
    assert_eq!(send(&teacher, &format!("{lab}/keep"), json!({})).await.0, 409, "it is not down");
    teacher.act(&format!("{lab}/stop")).await;
    work(&portal).await;
    assert_eq!(send(&teacher, &format!("{lab}/keep-running"), json!({})).await.0, 409, "it does not run");
    let stopped = teacher.read(&lab).await;
    assert_eq!((stopped["state"].as_str(), stopped["daily_stop_at"].is_null()), (Some(LabState::Stopped.as_str()), true));
    assert!(stopped["kept_until"].is_string());
    portal.world.clock.advance(3 * 24 * 3_600);
    let kept = teacher.act(&format!("{lab}/keep")).await;
    assert!(kept["kept_until"].as_str() > stopped["kept_until"].as_str());

    let again = teacher.act(&format!("/orders/{}/again", order["id"].as_str().unwrap())).await;
    assert_eq!((again["order"]["offering"].as_str(), again["notes"].as_array().map(Vec::len)), (Some("jupyterlab-slice"), Some(0)));
    teacher.order("changes-again", &again["order"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_time_that_needs_approval_is_filed_and_the_pages_name_the_lab() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (teacher, manager) = (portal.api(&people.teacher).await, portal.api(&people.manager).await);
    let order = teacher.order("asks", &json!({"offering": "jupyterlab-2xa100-1tb", "course": "CV2402", "duration_minutes": 60})).await;
    let order = manager.act(&format!("/orders/{}/approve", order["id"].as_str().unwrap())).await;
    work(&portal).await;
    let lab = format!("/labs/{}", order["labs"][0].as_str().unwrap());
    let name = teacher.read(&lab).await["name"].as_str().unwrap().to_owned();

    let (own, approver) = (portal.browser_of(&people.teacher).await, portal.browser_of(&people.manager).await);
    let page = own.page(&lab).await.text().await.unwrap();
    assert!(page.contains("(needs approval)"), "the buttons say so before they are pressed");
    let mut asked = Vec::new();
    for _ in 0..2 {
        let (status, answer) = send(&teacher, &format!("{lab}/extend"), json!({"minutes": 30, "seen_minutes": 60})).await;
        assert_eq!((status, answer["duration_minutes"].as_i64()), (202, Some(60)), "{answer}");
        asked.push(answer["pending_change"].as_str().unwrap().to_owned());
    }
    assert_eq!(asked[0], asked[1], "asked twice, filed once");
    let filed = teacher.read(&format!("/orders/{}", asked[0])).await;
    let change = json!({"lab": lab.trim_start_matches("/labs/"), "name": name, "minutes": 30, "parameters": {}});
    assert_eq!((filed["state"].as_str(), &filed["change"]), (Some("pending_approval"), &change));

    let page = own.page(&lab).await.text().await.unwrap();
    assert!(page.contains("A change of this lab waits for approval.") && page.contains(&format!("/orders/{}", asked[0])));
    assert!(page.contains("until it is decided, no more can be asked for"), "the buttons do not work meanwhile, and the page says why");
    let list = own.page("/labs").await.text().await.unwrap();
    assert!(list.contains("A change waits for approval") && !list.contains("action=\"/api/labs/extend\""), "nor does the list offer more time");
    for path in [format!("/approvals/{}", asked[0]), "/approvals".to_owned()] {
        let page = approver.page(&path).await.text().await.unwrap();
        assert!(page.contains(&format!("more for {name}")), "{path} says what is asked");
    }
    manager.act(&format!("/orders/{}/approve", asked[0])).await;
    let given = teacher.read(&lab).await;
    assert_eq!((given["duration_minutes"].as_i64(), given["pending_change"].is_null()), (Some(90), true));
    let page = own.page(&format!("/orders/{}", asked[0])).await.text().await.unwrap();
    assert!(page.contains("Approved: the lab is changed."), "the order says what became of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_a_stopped_lab_says_what_is_left_of_its_time() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let order = teacher.order("left", &json!({"offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 120})).await;
    work(&portal).await;
    let lab = format!("/labs/{}", order["labs"][0].as_str().unwrap());
    let ends_at = teacher.read(&lab).await["ends_at"].as_str().map(domain::time::Timestamp::parse_rfc3339).unwrap().unwrap();
    teacher.act(&format!("{lab}/stop")).await;
    work(&portal).await;
    // The session of a test lasts an hour.
    portal.world.clock.set(ends_at.plus_minutes(-45));
    let page = portal.browser_of(&people.teacher).await.page(&lab).await.text().await.unwrap();
    assert!(page.contains("45\u{a0}min left of the ordered time, until "), "{page}");
    portal.world.clock.set(ends_at);
    let page = portal.browser_of(&people.teacher).await.page(&lab).await.text().await.unwrap();
    assert!(page.contains("The ordered time ended at ") && page.contains("More time"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_a_change_waits_each_request_is_answered_for_itself() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (teacher, manager) = (portal.api(&people.teacher).await, portal.api(&people.manager).await);
    let order = teacher.order("waits", &json!({"offering": "jupyterlab-2xa100-1tb", "course": "CV2402", "duration_minutes": 60})).await;
    let order = manager.act(&format!("/orders/{}/approve", order["id"].as_str().unwrap())).await;
    work(&portal).await;
    let lab = format!("/labs/{}", order["labs"][0].as_str().unwrap());
    let extend = format!("{lab}/extend");
    let (status, filed) = send(&teacher, &extend, json!({"minutes": 120})).await;
    assert_eq!((status, filed["duration_minutes"].as_i64()), (202, Some(60)), "{filed}");
    let waits = &filed["pending_change"];
    let number = teacher.read(&format!("/orders/{}", waits.as_str().unwrap())).await["number"].as_i64().unwrap();

    // A manager needs no approval: the time is given at once, not accepted for later.
    let (status, given) = send(&manager, &extend, json!({"minutes": 10})).await;
    assert_eq!((status, given["duration_minutes"].as_i64(), &given["pending_change"]), (200, Some(70), waits), "{given}");
    let (status, given) = send(&manager, &format!("{lab}/resize"), json!({"parameters": {"cpu_cores": 24}})).await;
    assert_eq!((status, &given["spec"]["cpu_cores"], &given["pending_change"]), (200, &json!(24), waits), "{given}");
    work(&portal).await;
    let (status, again) = send(&teacher, &extend, json!({"minutes": 120})).await;
    assert_eq!((status, again["duration_minutes"].as_i64(), &again["pending_change"]), (202, Some(70), waits), "the same is filed once: {again}");

    for (body, field) in [
        (json!({"minutes": 0}), "minutes"),
        (json!({"minutes": 0, "seen_minutes": 70}), "minutes"),
        (json!({"minutes": u32::MAX}), "minutes"),
        (json!({"until": "2020-01-01T00:00:00Z"}), "until"),
    ] {
        let (status, answer) = send(&teacher, &extend, body.clone()).await;
        assert_eq!((status, answer["errors"][0]["field"].as_str()), (422, Some(field)), "{body}: {answer}");
    }
    for (path, body) in [(&extend, json!({"minutes": 45})), (&format!("{lab}/resize"), json!({"parameters": {"cards": 4}}))] {
        let (status, answer) = send(&teacher, path, body).await;
        assert_eq!((status, answer["code"].as_str(), answer["number"].as_i64()), (409, Some("invalid_transition"), Some(number)), "{answer}");
        assert_eq!(&answer["order"], waits);
        assert!(answer["detail"].as_str().is_some_and(|text| text.contains(&format!("#{number}"))), "{answer}");
    }
    assert_eq!(teacher.read(&lab).await["duration_minutes"].as_i64(), Some(70));
}
