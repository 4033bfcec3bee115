//! A value that the API shows can be written back: a program that reads, changes one thing and writes everything is not refused because of
//! the rest. Every write with a body is in [`ROUND_TRIPS`] or, with the reason, in [`OTHERS`].

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Api, Portal, good};

/// Writes that take what a read gives, each tested here.
const ROUND_TRIPS: [&str; 12] = [
    "POST /announcements",
    "POST /courses/{id}",
    "POST /courses/{id}/budget",
    "POST /courses/{id}/quota",
    "POST /discounts",
    "POST /offerings/{slug}/versions",
    "POST /people/{id}/access",
    "POST /prices",
    "POST /tenants/{id}",
    "PUT /courses/{id}/roster",
    "PUT /labs/{id}/autostop",
    "PUT /policies",
];

/// Writes whose body is no value that a read gives.
const OTHERS: [(&str, &str); 31] = [
    ("POST /adjustments", "an amount on a bill stays; another one is typed anew"),
    ("POST /approvals/approve", "names orders"),
    ("POST /approvals/reject", "names orders"),
    ("POST /audit/searches", "the conditions are parameters"),
    ("POST /bills/close", "names a month"),
    ("POST /class-orders/{id}/reject", "a reason"),
    ("POST /courses", "a course that is shown exists already"),
    ("POST /courses/{id}/members", "names a person"),
    ("POST /delegations", "days as typed; a delegation that is shown holds already"),
    ("POST /imports", "the list, of which only the rows are shown"),
    ("POST /labs/{id}/extend", "an action"),
    ("POST /labs/{id}/resize", "an action"),
    ("POST /labs/{id}/restart", "an action"),
    ("POST /labs/{id}/shares", "a link that is shown exists already; another one has another end"),
    ("POST /offerings", "an offering that is shown exists already; its versions go back to /offerings/{slug}/versions"),
    ("POST /offerings/preview", "reads the body as /offerings/{slug}/versions does, and stores nothing"),
    ("POST /offerings/{slug}/publish", "names a revision"),
    ("POST /orders", "the same order again is /orders/{id}/again"),
    ("POST /orders/{id}/accept-changes", "a text"),
    ("POST /orders/{id}/answer", "a text"),
    ("POST /orders/{id}/approve", "a decision"),
    ("POST /orders/{id}/ask", "a text"),
    ("POST /orders/{id}/decline-changes", "a text"),
    ("POST /orders/{id}/reject", "a decision"),
    ("POST /orders/{id}/withdraw-changes", "a text"),
    ("POST /people", "a person who is shown exists already"),
    ("POST /policies/dry-run", "reads the policy as PUT /policies does, and stores nothing"),
    ("POST /prices/preview", "reads the body as POST /prices does, and stores nothing"),
    ("POST /prices/withdraw", "names a price"),
    ("POST /ssh-keys", "a key that is shown is there already"),
    ("POST /tenants", "a department that is shown exists already"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_write_with_a_body_takes_what_is_shown_or_has_a_reason() {
    let portal = Portal::college().await;
    let document = portal.api_without_token().read("/openapi.json").await;
    let mut with_body = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if operation.get("requestBody").is_some() {
                with_body.insert(format!("{} {}", method.to_uppercase(), path.trim_start_matches(server::rest::PREFIX)));
            }
        }
    }
    let named: Vec<String> = ROUND_TRIPS.iter().chain(OTHERS.iter().map(|(write, _)| write)).map(|write| (*write).to_owned()).collect();
    let once: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(once.len(), named.len(), "each write is in one of the lists");
    assert_eq!(with_body, once);
}

fn same(value: &Value) -> Value {
    value.clone()
}

async fn refused(api: &Api, path: &str, body: &Value, field: &str) {
    let answer = good(api.post(path).json(body).send().await.unwrap(), 422).await;
    assert_eq!(answer["errors"][0]["field"], field, "{path}: {answer}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_course_goes_back_unchanged_and_each_write_sets_its_own_part() {
    let portal = Portal::college().await;
    let course = portal.world.course("CV2402").add().await;
    let api = portal.api(&portal.world.administrator("root").await).await;
    let path = format!("/courses/{}", course.id);
    let (quota, budget) = (format!("{path}/quota"), format!("{path}/budget"));
    let limits = json!({ "cards": "31 3/7", "cpu_cores": 100, "memory_gib": 200, "storage_gib": 300, "running_labs": 4, "cards_per_order": "3/7", "starts_per_day": 2 });
    api.say(&quota, &limits).await;
    for terms in [
        json!({ "amount": 6_000, "from": "2026-09-01", "to": "2027-01-31", "notify": "50, 80", "approve": "90", "block": "100" }),
        json!({ "amount": 0 }),
        json!({ "amount": 6_000 }),
    ] {
        api.say(&budget, &terms).await;
        for write in [&path, &quota, &budget] {
            kept(&api, &path, write, same).await;
        }
        let quotas = api.read("/quotas").await;
        let own = quotas["items"].as_array().unwrap().iter().find(|quota| quota["course"]["code"] == "CV2402").unwrap();
        kept(&api, &path, &quota, |_| own.clone()).await;
        kept(&api, &path, &budget, |course| {
            let mut body = course["quota"]["budget"].clone();
            for name in ["budget_from", "budget_to", "budget_thresholds"] {
                body[name] = course[name].clone();
            }
            body
        })
        .await;
    }
    // Thresholds of which nothing is said stay.
    let ours = json!([{ "percent": 50, "action": "notify" }, { "percent": 80, "action": "notify" }, { "percent": 100, "action": "block" }]);
    api.say(&budget, &json!({ "amount": 6_000, "notify": "50, 80", "approve": "", "block": 100 })).await;
    assert_eq!(api.say(&budget, &json!({ "amount": 6_500 })).await["budget_thresholds"], ours);
    assert_eq!(api.say(&budget, &json!({ "amount": 6_500, "block": null })).await["budget_thresholds"], json!([ours[0], ours[1]]));
    let rest = api.say(&budget, &json!({ "amount": 6_500, "notify": "", "approve": "90" })).await;
    assert_eq!(rest["budget_thresholds"], json!([{ "percent": 90, "action": "approve" }]));
    assert_eq!(api.say(&budget, &json!({ "amount": 6_500, "budget_thresholds": [] })).await["budget_thresholds"], json!([]));
    // A change in the right place is set.
    let mut course = api.read(&path).await;
    course["quota"]["limits"]["cards"] = json!(9);
    assert_eq!(api.say(&quota, &course).await["quota"]["limits"]["cards"], 9.0);
    let mut course = api.read(&path).await;
    course["quota"]["budget"]["limit"]["micros"] = json!(7_000_000_000_i64);
    course["budget_thresholds"] = json!([{ "percent": 70, "action": "approve" }]);
    let set = api.say(&budget, &course).await;
    assert_eq!((&set["quota"]["budget"]["limit"]["micros"], &set["budget_thresholds"]), (&json!(7_000_000_000_i64), &course["budget_thresholds"]));
    // In any other place it is not dropped without a word.
    let read = api.read(&path).await;
    for (write, pointer, value, field) in [
        (&path, "/quota/limits/cards", json!(10), "quota"),
        (&path, "/code", json!("CV9999"), "code"),
        (&quota, "/name", json!("Other"), "name"),
        (&quota, "/quota/budget/limit/micros", json!(1_000_000), "quota.budget"),
        (&quota, "/quota/limits/more", json!(1), "quota.limits.more"),
        (&budget, "/quota/limits/cards", json!(10), "quota.limits"),
        (&budget, "/quota/budget/limit/currency", json!("USD"), "limit.currency"),
        (&budget, "/quota/budget/limit/micros", json!(-1_000_000), "limit"),
        (&budget, "/budget_thresholds/0/action", json!("explode"), "budget_thresholds"),
    ] {
        let mut body = read.clone();
        match body.pointer_mut(pointer) {
            Some(at) => *at = value,
            None => body["quota"]["limits"]["more"] = value,
        }
        refused(&api, write, &body, field).await;
    }
    for write in [&path, &quota, &budget] {
        let mut body = read.clone();
        body["surprise"] = json!(1);
        refused(&api, write, &body, "surprise").await;
    }
    for text in ["1e3", "1E3", "+5", "12,5", "0x10"] {
        refused(&api, &budget, &json!({ "amount": text }), "amount").await;
    }
    assert_eq!(api.read(&path).await, read);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_rosters_and_departments_go_back_unchanged() {
    let portal = Portal::college().await;
    let course = portal.world.course("CV2402").add().await;
    let teacher = portal.world.teacher("li.hua", &[&course]).await;
    let api = portal.api(&portal.world.administrator("root").await).await;
    let path = format!("/people/{}", teacher.actor.user);
    kept(&api, &path, &format!("{path}/access"), same).await;
    let mut person = api.read(&path).await;
    person["name"] = json!("Somebody Else");
    refused(&api, &format!("{path}/access"), &person, "name").await;
    // An absent member of a write that replaces a whole set does not mean an empty set.
    let before = api.read(&path).await;
    for (body, field) in [
        (json!({}), "roles"),
        (json!({ "courses": before["courses"] }), "roles"),
        (json!({ "roles": null, "courses": before["courses"] }), "roles"),
        (json!({ "roles": before["roles"] }), "courses"),
        (json!({ "roles": [], "courses": before["courses"], "department": course.tenant.to_string() }), "courses"),
    ] {
        refused(&api, &format!("{path}/access"), &body, field).await;
    }
    let all = good(api.post(&format!("{path}/access")).json(&json!({})).send().await.unwrap(), 422).await;
    assert_eq!(all["errors"].as_array().unwrap().len(), 2, "both are named: {all}");
    assert_eq!(api.read(&path).await, before);

    let department = api.say("/tenants", &json!({ "name": "Software", "kind": "department" })).await;
    let write = format!("/tenants/{}", department["id"].as_str().unwrap());
    assert_eq!(api.say(&write, &department).await, department);

    let teachers = portal.api(&teacher).await;
    let path = format!("/courses/{}/roster", course.id);
    for students in [
        json!([{ "number": "2024010117", "name": "李华" }, { "number": "2024010118", "name": "" }]),
        json!([{ "number": "2024010117", "name": "Li, Hua" }, { "number": "2024010119", "name": "Ann 2" }]),
        json!([]),
    ] {
        let set = json!({ "students": students });
        let put = async |body: &Value| good(teachers.put(&path).json(body).send().await.unwrap(), 200).await;
        assert_eq!(put(&set).await, set);
        assert_eq!(put(&teachers.read(&path).await).await, set);
    }
    for row in [
        json!({ "number": "2401 x", "name": "y" }),
        json!({ "number": "", "name": "Li" }),
        json!({ "number": "2401", "name": "Li\n2402 Wang" }),
        json!({ "number": "2401" }),
        json!({ "number": "2401", "name": "Li", "more": 1 }),
    ] {
        let body = json!({ "students": [row] });
        let answer = good(teachers.put(&path).json(&body).send().await.unwrap(), 422).await;
        assert_eq!(answer["errors"][0]["field"], "students", "{body}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn prices_discounts_and_policies_go_back_unchanged() {
    let portal = Portal::college().await;
    let api = portal.api(&portal.world.administrator("root").await).await;
    api.say("/prices", &json!({ "meter": "memory-gib-hour", "price": "0.0001", "quoted": "minute", "from": "2099-12-01" })).await;
    let before = api.read("/prices?limit=100").await;
    for price in before["items"].as_array().unwrap() {
        assert_eq!(api.say("/prices", price).await, *price);
    }
    assert_eq!(api.read("/prices?limit=100").await, before);
    let minute = before["items"].as_array().unwrap().iter().find(|price| price["quoted"] == "minute").unwrap().clone();
    let mut other = minute.clone();
    other["unit_price"]["micros"] = json!(1);
    refused(&api, "/prices", &other, "unit_price").await;
    let mut other = minute.clone();
    other["minute_price"]["currency"] = json!("USD");
    other["unit_price"]["currency"] = json!("USD");
    refused(&api, "/prices", &other, "minute_price.currency").await;
    let mut billed = before["items"].as_array().unwrap().iter().find(|price| !price["from"].as_str().unwrap().starts_with("2099")).unwrap().clone();
    billed["unit_price"]["micros"] = json!(billed["unit_price"]["micros"].as_i64().unwrap() + 1);
    refused(&api, "/prices", &billed, "from").await;
    for text in ["1e3", "+5", "12,5"] {
        refused(&api, "/prices", &json!({ "meter": "cpu-core-hour", "price": text, "from": "2099-12-01" }), "price").await;
    }

    let discount = json!({ "percent": "12.5", "from": "2099-01-01", "until": "2099-01-31", "reason": "Pilot" });
    let shown = api.say("/discounts", &discount).await;
    api.act(&format!("/discounts/{}/end", shown["id"].as_str().unwrap())).await;
    let again = api.say("/discounts", &shown).await;
    for field in ["basis_points", "from", "to", "reason"] {
        assert_eq!(again[field], shown[field], "{field}");
    }

    let before = api.read("/policies").await;
    let after = good(api.put("/policies").json(&before).send().await.unwrap(), 200).await;
    assert_eq!((&after["policy"], &after["draft"], &after["warnings"]), (&before["policy"], &before["draft"], &before["warnings"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn announcements_and_offerings_go_back_unchanged() {
    let portal = Portal::college().await;
    let api = portal.api(&portal.world.administrator("root").await).await;
    let announcement = json!({ "zh": "维护", "en": "Maintenance", "level": "info", "from": "2099-01-01T08:00", "to": "2099-01-02T08:00" });
    let shown = api.say("/announcements", &announcement).await;
    let again = api.say("/announcements", &shown).await;
    for field in ["level", "text", "from", "to", "department"] {
        assert_eq!(again[field], shown[field], "{field}");
    }

    let document = json!({
        "slug": "editor", "name": { "zh": "编辑器", "en": "Editor" }, "summary": { "zh": "一张卡。", "en": "One card." },
        "icon": "code", "workload": "code_editor",
        "base": { "image": "docker.io/codercom/code-server:4.104.1", "port": 8080, "health_path": "/healthz", "card": "a100-80g",
            "cards_per_node": 1, "nodes": 1, "cpu_cores": 8, "memory_gib": 32, "storage_gib": 20,
            "app_access": { "variable": "EDITOR_TOKEN", "header": "Authorization: token {secret}" } },
        "duration": { "default": 90, "min": 30, "max": 720 }, "parameters": [],
    });
    good(api.post("/offerings").json(&document).send().await.unwrap(), 201).await;
    let path = "/offerings/editor/versions";
    // As a draft, and when it is published.
    for _ in 0..2 {
        kept(&api, path, path, |versions| versions["items"][0].clone()).await;
        kept(&api, path, path, |versions| versions["items"][0]["offering"].clone()).await;
        api.post("/offerings/editor/publish").send().await.unwrap();
    }
    let mut version = api.read(path).await["items"][0].clone();
    version["surprise"] = json!(1);
    refused(&api, path, &version, "surprise").await;
}

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
