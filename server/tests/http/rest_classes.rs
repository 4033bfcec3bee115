//! A class by API and by form: who is in it, a lab for each of them at each lesson, decided and cancelled together.

use serde_json::json;
use services::testing::TestWorld;
use storage::testing::for_each_engine;

use crate::support::{Portal, good, location};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_class_is_ordered_for_its_lessons_and_decided_at_once() {
    for_each_engine("http::rest_classes", |database| async {
        let portal = Portal::of(TestWorld::college_on(database).await).await;
        let people = portal.people().await;
        let (teacher, manager) = (portal.api(&people.teacher).await, portal.api(&people.manager).await);
        let course = teacher.read("/courses").await["items"][0]["id"].as_str().expect("an id").to_owned();
        let roster = teacher.put(&format!("/courses/{course}/roster")).json(&json!({"roster": "2401 示范学生甲\n2402"})).send().await.expect("an answer");
        let roster = good(roster, 200).await;
        assert_eq!(roster, json!({"students": [{"number": "2401", "name": "示范学生甲"}, {"number": "2402", "name": ""}]}));
        assert_eq!(manager.read(&format!("/courses/{course}/roster")).await, roster);

        let body = |seats: &str, lessons| {
            json!({"offering": "jupyterlab-2xa100-1tb", "course": course, "duration_minutes": 90, "seats": seats, "lessons": lessons})
        };
        let lessons = json!({"first_day": "2026-11-30", "bell": "08:20", "weeks": 2});
        let order = teacher.order("class-1", &body("roster", lessons.clone())).await;
        assert_eq!((order["seat"].as_str(), order["duration_minutes"].as_i64()), (Some("2401 示范学生甲"), Some(100)));
        assert_eq!((order["starts_at"].as_str(), order["ends_at"].as_str()), (Some("2026-11-30T00:10:00Z"), Some("2026-11-30T01:50:00Z")));
        assert_eq!(teacher.order("class-1", &body("roster", lessons)).await, order, "one key, one set");
        let class = order["class"]["id"].as_str().expect("it is one of many").to_owned();
        assert_eq!(order["class"], json!({"id": class, "seats": 2, "lessons": 2, "lesson": 1}));
        let all = teacher.read(&format!("/orders?class={class}")).await;
        assert_eq!(all["items"].as_array().expect("a list").len(), 4);

        let wrong = teacher.post("/orders").header("idempotency-key", "class-2").json(&body("0", json!({"bell": "8", "hour": 3}))).send().await;
        let wrong = good(wrong.expect("an answer"), 422).await;
        let fields: Vec<_> = wrong["errors"].as_array().expect("problems").iter().map(|each| each["field"].as_str().expect("a field")).collect();
        assert_eq!(fields, ["lessons.hour"], "an unknown member comes first");
        let wrong = teacher.post("/orders").header("idempotency-key", "class-2").json(&body("0", json!({"bell": "8"}))).send().await;
        let wrong = good(wrong.expect("an answer"), 422).await;
        let fields: Vec<_> = wrong["errors"].as_array().expect("problems").iter().map(|each| each["field"].as_str().expect("a field")).collect();
        assert_eq!(fields, ["seats", "lessons.first_day", "lessons.bell"]);

        let decided = manager.act(&format!("/class-orders/{class}/approve")).await;
        let states: Vec<_> = decided["items"].as_array().expect("a list").iter().map(|row| row["state"].as_str().expect("a state").to_owned()).collect();
        assert_eq!(states, ["queued"; 4]);
        let cancelled = teacher.act(&format!("/class-orders/{class}/cancel")).await;
        assert_eq!(cancelled["items"].as_array().expect("a list").len(), 4);
        assert_eq!(teacher.read(&format!("/orders?class={class}&state=cancelled")).await["items"].as_array().expect("a list").len(), 4);

        // The same by the form of the page, without scripts.
        let browser = portal.browser_of(&people.teacher).await;
        let typed = [
            ("offering", "jupyterlab-slice"),
            ("course", "CV2402"),
            ("duration_minutes", "90"),
            ("seats", "number"),
            ("seat_count", "3"),
            ("when", "lessons"),
            ("first_day", "2026-11-30"),
            ("bell", "10:20"),
            ("idempotency_key", "class-3"),
        ];
        let sent = browser.form("/api/orders/submit", "/catalogue/jupyterlab-slice/order", &typed).send().await.expect("an answer");
        let page = sent.headers()["location"].to_str().expect("an address").to_owned();
        assert!(page.contains("/orders/"), "{page}");
        let text = browser.page(page.trim_start_matches(&browser.base)).await.text().await.expect("a page");
        for word in ["1/3", "10:20", "3 orders"] {
            assert!(text.contains(word), "{word} is on the page");
        }

        // Its approver sees all of it on the page of any of its orders and decides it with one press, without scripts.
        let order = teacher.order("class-4", &body("3", json!({"first_day": "2026-12-01", "bell": "14:00", "weeks": 2}))).await;
        let (first, class) = (order["id"].as_str().expect("an id"), order["class"]["id"].as_str().expect("it is one of many"));
        let (approver, page) = (portal.browser_of(&people.manager).await, format!("/approvals/{first}"));
        let text = approver.page(&page).await.text().await.expect("a page");
        for word in ["6 labs together", "3 seats", "Approve all 6 (", "Decide only order #"] {
            assert!(text.contains(word), "{word} is on the page");
        }
        let form = [("class", class), ("from", first)];
        let back = approver.form("/api/approvals/bulk-reject", &page, &[form[0], form[1], ("class_reason", " ")]).send().await.expect("an answer");
        assert_eq!(location(&back), page, "why it failed is said where it was pressed");
        let text = approver.page(&page).await.text().await.expect("a page");
        assert!(text.contains("class_reason-error") || text.contains("aria-invalid"), "a reason is missing");
        for (sum, word) in [("6.scheduled", "6 of 6 decided"), ("0", "decided before")] {
            let done = approver.form("/api/approvals/bulk-approve", &page, &form).send().await.expect("an answer");
            assert_eq!(location(&done), format!("/approvals/bulk?sum={sum}&class={class}"));
            let text = approver.page(location(&done)).await.text().await.expect("a page");
            assert!(text.contains(word), "{word} is on the page");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_row_of_a_class_in_the_inbox_says_its_seats_and_lessons() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let lessons = json!({"first_day": "2026-12-01", "bell": "14:00", "weeks": 2});
    let body = json!({
        "offering": "jupyterlab-2xa100-1tb", "course": "CV2402", "duration_minutes": 90, "seats": "3", "lessons": lessons,
    });
    let order = teacher.order("class", &body).await;
    assert_eq!((order["class"]["seats"].as_i64(), order["class"]["lessons"].as_i64()), (Some(3), Some(2)));
    let approver = portal.browser_of(&people.manager).await;
    for (language, row) in [("en", "3 seats × 2 lessons · "), ("zh-CN", "3 座 × 2 次课 · ")] {
        let page = approver.client.get(portal.url("/approvals")).header("accept", "text/html").header("accept-language", language);
        let page = page.send().await.expect("an answer").text().await.expect("a page");
        assert_eq!(page.matches(row).count(), 1, "{language}: one row for all six orders\n{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_header_row_of_the_roster_makes_no_seat() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let course = teacher.read("/courses").await["items"][0]["id"].as_str().expect("an id").to_owned();
    let body = json!({
        "offering": "jupyterlab-2xa100-1tb", "course": course, "duration_minutes": 90, "seats": "roster",
        "lessons": {"first_day": "2026-12-01", "bell": "14:00"},
    });
    for (key, roster) in [
        ("english", "number,name\n2401,示范学生甲\n2402,示范学生乙\n"),
        ("chinese", "序号\t学号\t姓名\r\n1\t2401\t示范学生甲\r\n2\t2402\t示范学生乙\r\n"),
    ] {
        let taken = teacher.put(&format!("/courses/{course}/roster")).json(&json!({"roster": roster})).send().await.expect("an answer");
        good(taken, 200).await;
        let order = teacher.order(key, &body).await;
        let class = order["class"]["id"].as_str().expect("it is one of many");
        assert_eq!(order["class"]["seats"], 2, "{key}");
        let all = teacher.read(&format!("/orders?class={class}")).await;
        let mut seats: Vec<_> = all["items"].as_array().expect("a list").iter().map(|order| order["seat"].as_str().expect("a seat")).collect();
        seats.sort_unstable();
        assert_eq!(seats, ["2401 示范学生甲", "2402 示范学生乙"], "{key}");
        let held = teacher.read("/quotas").await["items"][0]["budget"]["held"]["micros"].as_i64().expect("an amount");
        let each = order["estimate"]["total"]["micros"].as_i64().expect("an amount");
        assert_eq!((held, each > 0), (2 * each, true), "{key}: two seats are priced");
        teacher.act(&format!("/class-orders/{class}/cancel")).await;
    }
}
