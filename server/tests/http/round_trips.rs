//! A value that the API shows can be written back: a program that reads, changes one thing and writes everything is not refused because of
//! the rest. Another readable and writable value needs a line here.

use serde_json::{Value, json};

use crate::support::{Api, Portal, good};

/// Whole units and millionths as a decimal.
fn decimal(money: &Value) -> String {
    let micros = money["micros"].as_i64().unwrap();
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Reads, writes back what was read, reads again, and compares.
async fn kept(api: &Api, path: &str, write: &str, body: impl Fn(&Value) -> Value) {
    let before = api.read(path).await;
    api.say(write, &body(&before)).await;
    assert_eq!(api.read(path).await, before, "{write}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_shown_of_a_course_can_be_written_back() {
    let portal = Portal::college().await;
    let course = portal.world.course("CV2402").add().await;
    let api = portal.api(&portal.world.administrator("root").await).await;
    let path = format!("/courses/{}", course.id);
    let write = |verb: &str| format!("{path}/{verb}");
    let quota = |course: &Value| {
        let (limits, quota) = (&course["quota"]["limits"], &course["quota"]);
        json!({
            "cards": limits["cards"], "cpu_cores": limits["cpu_cores"], "memory_gib": limits["memory_gib"], "storage_gib": limits["storage_gib"],
            "running_labs": limits["running_labs"], "cards_per_order": quota["cards_per_order"], "starts_per_day": quota["starts_per_day"],
        })
    };
    let budget = |course: &Value| {
        let of = |action: &str| {
            let all = course["budget_thresholds"].as_array().unwrap();
            let of = all.iter().filter(|each| each["action"] == action).map(|each| each["percent"].to_string());
            of.collect::<Vec<_>>().join(", ")
        };
        json!({
            "amount": decimal(&course["quota"]["budget"]["limit"]), "from": course["budget_from"], "to": course["budget_to"],
            "notify": of("notify"), "approve": of("approve"), "block": of("block"),
        })
    };
    // Shares of cards that have no short decimal.
    for (cards, each) in [("8", "4"), ("31 3/7", "3/7"), ("1/7", "2/7"), ("1 5/6", "1/840")] {
        let set = json!({
            "cards": cards, "cpu_cores": 100, "memory_gib": 200, "storage_gib": 300, "running_labs": 4, "cards_per_order": each, "starts_per_day": each,
        });
        api.say(&write("quota"), &set).await;
        kept(&api, &path, &write("quota"), quota).await;
    }
    for set in [
        json!({ "amount": 6_000, "from": "2026-09-01", "to": "2027-01-31", "notify": "50, 80", "approve": "90", "block": "100" }),
        json!({ "amount": 0 }),
    ] {
        api.say(&write("budget"), &set).await;
        kept(&api, &path, &write("budget"), budget).await;
    }
    kept(&api, &path, &path, |course| json!({ "name": course["name"], "department": course["department"] })).await;
    // The same request for a course of a department.
    let department = api.say("/tenants", &json!({ "name": "Software", "kind": "department" })).await["id"].clone();
    api.say(&path, &json!({ "department": department })).await;
    kept(&api, &path, &path, |course| json!({ "name": course["name"], "department": course["department"] })).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_shown_of_a_person_can_be_written_back() {
    let portal = Portal::college().await;
    let course = portal.world.course("CV2402").add().await;
    let teacher = portal.world.teacher("li.hua", &[&course]).await;
    let api = portal.api(&portal.world.administrator("root").await).await;
    let path = format!("/people/{}", teacher.actor.user);
    kept(&api, &path, &format!("{path}/access"), |person| {
        let courses: Vec<_> = person["courses"].as_array().unwrap().iter().map(|course| course["id"].clone()).collect();
        json!({ "roles": person["roles"], "courses": courses })
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_shown_of_prices_and_policies_can_be_written_back() {
    let portal = Portal::college().await;
    let api = portal.api(&portal.world.administrator("root").await).await;
    for set in [
        json!({ "meter": "cpu-core-hour", "price": "0.07", "from": "2099-12-01" }),
        json!({ "meter": "memory-gib-hour", "price": "0.0001", "quoted": "minute", "from": "2099-12-01" }),
    ] {
        let shown = api.say("/prices", &set).await;
        let price = if shown["quoted"] == "minute" { &shown["minute_price"] } else { &shown["unit_price"] };
        let again = json!({ "meter": shown["meter"], "price": decimal(price), "quoted": shown["quoted"], "from": shown["from"] });
        assert_eq!(api.say("/prices", &again).await, shown);
    }
    let discount = json!({ "percent": "12.5", "from": "2099-01-01", "until": "2099-01-31", "reason": "Pilot" });
    let shown = api.say("/discounts", &discount).await;
    api.act(&format!("/discounts/{}/end", shown["id"].as_str().unwrap())).await;
    let points = shown["basis_points"].as_i64().unwrap();
    let again =
        json!({ "percent": format!("{}.{:02}", points / 100, points % 100), "from": shown["from"], "until": shown["to"], "reason": shown["reason"] });
    let again = api.say("/discounts", &again).await;
    for field in ["basis_points", "from", "to", "reason"] {
        assert_eq!(again[field], shown[field], "{field}");
    }

    let before = api.read("/policies").await;
    let body = json!({ "policy": before["policy"], "version": before["version"] });
    let after = good(api.put("/policies").json(&body).send().await.unwrap(), 200).await;
    assert_eq!(after["policy"], before["policy"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_shown_of_a_lab_can_be_written_back() {
    let portal = Portal::college().await;
    let course = portal.world.course("CV2402").add().await;
    let teacher = portal.world.teacher("li.hua", &[&course]).await;
    services::cluster_status::refresh(&portal.world.services).await.unwrap();
    let api = portal.api(&teacher).await;
    let order = json!({ "offering": "jupyterlab-slice", "course": "CV2402", "duration_minutes": 90 });
    let order = api.order("round-trip-0001", &order).await;
    let lab = order["labs"][0].as_str().unwrap();
    for daily in ["22:00", ""] {
        let set = json!({ "daily": daily, "idle_minutes": 30 });
        let set = good(api.put(&format!("/labs/{lab}/autostop")).json(&set).send().await.unwrap(), 200).await;
        let again = good(api.put(&format!("/labs/{lab}/autostop")).json(&set["autostop"]).send().await.unwrap(), 200).await;
        assert_eq!(again["autostop"], set["autostop"]);
    }
}
