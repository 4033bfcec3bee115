//! Stages, changes, questions, many at once and the rules themselves, by API and by forms without scripts.

use serde_json::{Value, json};
use services::testing::TestWorld;
use storage::testing::for_each_engine;

use crate::support::{Api, Browser, Portal, good, location};

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

async fn order(teacher: &Api, key: &str, nodes: u32) -> Value {
    let body = json!({"offering": "pytorch-ddp-8", "course": "CV2402", "parameters": {"nodes": nodes}, "duration_minutes": 120});
    teacher.order(key, &body).await
}

/// A page in this language.
async fn page_in(browser: &Browser, language: &str, path: &str) -> String {
    let request = browser.client.get(format!("{}{path}", browser.base)).header("accept", "text/html").header("accept-language", language);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_goes_through_its_stages_with_changes_and_questions() {
    for_each_engine("http::approvals", |database| async {
        let portal = Portal::of(TestWorld::college_on(database).await).await;
        let people = portal.people().await;
        let (teacher, manager) = (portal.api(&people.teacher).await, portal.api(&people.manager).await);
        let (operator, admin) = (portal.api(&people.operator).await, portal.api(&people.administrator).await);

        // Two stages for everything, tried before it is in force.
        order(&teacher, "past", 8).await;
        let rules = json!([{"name": {"zh": "全部", "en": "All"}, "when": "always", "then": {"stages": ["manager", "operator"]}}]);
        let tried = admin.say("/policies/dry-run", &json!({"policy": {"rules": rules}})).await;
        assert_eq!((tried["orders"].as_i64(), tried["different"].as_i64()), (Some(1), Some(1)), "{tried}");
        let put = admin.put("/policies").json(&json!({"policy": {"rules": rules}, "version": 1})).send().await.unwrap();
        assert_eq!(put.status(), 200, "{}", put.text().await.unwrap());
        assert_eq!(manager.read("/policies").await["version"], 2);
        let wrong = json!({"policy": {"rules": [{"name": {"zh": "", "en": "x"}, "when": "never", "then": "automatic"}]}, "version": 2});
        let refused = admin.put("/policies").json(&wrong).send().await.unwrap();
        assert_eq!(refused.status(), 422);

        let asked = order(&teacher, "stages", 4).await;
        assert_eq!(asked["approval"]["stages"], json!(["manager", "operator"]));
        let path = format!("/orders/{}", id(&asked));
        manager.say(&format!("{path}/ask"), &json!({"text": "Would two do?"})).await;
        let thread = teacher.say(&format!("{path}/answer"), &json!({"text": "Yes."})).await;
        assert_eq!(thread["items"].as_array().unwrap().len(), 2);
        let fewer = json!({"version": 1, "parameters": {"nodes": 2}, "text": "Two it is"});
        let passed = manager.say(&format!("{path}/approve"), &fewer).await;
        assert_eq!(
            (passed["state"].as_str(), passed["approval"]["by"].as_str(), passed["spec"]["nodes"].as_i64()),
            (Some("pending_approval"), Some("operator"), Some(2))
        );
        let more = operator.say(&format!("{path}/approve"), &json!({"parameters": {"nodes": 3}})).await;
        assert_eq!(more["state"], "awaiting_requester");
        let declined = teacher.say(&format!("{path}/decline-changes"), &json!({"text": "Two are enough"})).await;
        assert_eq!(declined["state"], "pending_approval");
        operator.say(&format!("{path}/approve"), &json!({"parameters": {"nodes": 3}})).await;
        let done = teacher.say(&format!("{path}/accept-changes"), &json!({})).await;
        assert_eq!((done["state"].as_str(), done["spec"]["nodes"].as_i64()), (Some("approved"), Some(3)));
        let steps = teacher.read(&format!("{path}/decisions")).await;
        let steps: Vec<_> = steps["items"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap().to_owned()).collect();
        assert_eq!(steps, ["ask", "answer", "change", "propose", "decline", "propose", "accept"]);

        let (first, second) = (order(&teacher, "bulk-1", 2).await, order(&teacher, "bulk-2", 2).await);
        let both = json!({"orders": [{"id": id(&first), "version": 1}, {"id": id(&second), "version": 9}]});
        let rows = manager.say("/approvals/approve", &both).await;
        assert_eq!((rows["items"][0]["state"].as_str(), rows["items"][1]["code"].as_str()), (Some("pending_approval"), Some("stale")));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api_warns_of_rules_that_never_match_and_refuses_absurd_numbers() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let admin = portal.api(&people.administrator).await;
    let rule = |name: &str, when: Value| json!({"name": {"zh": name, "en": name}, "when": when, "then": {"stages": ["manager"]}});
    let rules = json!([rule("Large", json!({"cards_over": 840})), rule("Rest", json!("always")), rule("Late", json!({"minutes_over": 60}))]);
    let put = admin.put("/policies").json(&json!({"policy": {"rules": rules}, "version": 1})).send().await.unwrap();
    let expected = json!([{"code": "never_matches", "rule": 2, "after": 1}]);
    assert_eq!(good(put, 200).await["warnings"], expected);
    assert_eq!(admin.read("/policies").await["warnings"], expected);
    for when in [
        json!({"cards_over": -1}),
        json!({"cards_over": 8_400_001}),
        json!({"cost_over": -1}),
        json!({"cost_over": 1_000_000_000_000_001_i64}),
        json!({"minutes_over": 1_000_001}),
        json!({"budget_left_under": 101}),
        json!({"all": [{"not": {"cards_over": -1}}, "always"]}),
    ] {
        let body = json!({"policy": {"rules": [rule("Odd", when.clone())]}, "version": 2});
        let refused = good(admin.put("/policies").json(&body).send().await.unwrap(), 422).await;
        assert_eq!(refused["errors"][0]["field"], "rules[0].when", "{when}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_work_without_scripts() {
    let portal = Portal::college().await;
    // Cards that do more for less, on a node of their own.
    portal.world.cluster.set_nodes(&[("gpu-1", "a100-80g", 8), ("gpu-4", "h100-80g", 8)]);
    services::cluster_status::refresh(&portal.world.services).await.expect("the cluster reports");
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let (big, other) = (order(&teacher, "big", 8).await, order(&teacher, "other", 8).await);
    let manager = portal.browser_of(&people.manager).await;
    let approval = format!("/approvals/{}", id(&big));
    let page = manager.page(&approval).await.text().await.unwrap();
    for words in ["A cheaper way", "H100 80 GB × 3", "Approve with changes", "Who else waits", "Ask…"] {
        assert!(page.contains(words), "{words} is not on the page");
    }
    let filled = manager.page(&format!("{approval}?take=cheaper")).await.text().await.unwrap();
    assert!(filled.contains("id=\"change\" open") || filled.contains("open id=\"change\"") || filled.contains(" open"), "the changes are filled in");
    let fields = [("id", id(&big)), ("seen_version", "1"), ("parameters[nodes]", "99"), ("text", "fewer")];
    let back = manager.form("/api/approvals/approve-with", &approval, &fields).send().await.unwrap();
    assert_eq!((back.status().as_u16(), location(&back)), (303, approval.as_str()));
    let again = manager.page(&approval).await.text().await.unwrap();
    assert!(again.contains("value=\"99\"") && again.contains("Between 2 and 16"), "what was typed and why it does not fit");
    let fields = [("id", id(&big)), ("question", "Would four do?")];
    let asked = manager.form("/api/approvals/ask", &approval, &fields).send().await.unwrap();
    assert_eq!(location(&asked), approval);
    let own = portal.browser_of(&people.teacher).await;
    let mine = own.page(&format!("/orders/{}", id(&big))).await.text().await.unwrap();
    assert!(mine.contains("Would four do?") && mine.contains("Send the answer"));

    let chosen = format!("{}:1", id(&other));
    let confirm = manager.page(&format!("/approvals/bulk?do=approve&order={}:1&order={chosen}", id(&big))).await.text().await.unwrap();
    assert!(confirm.contains("Approve the chosen orders (2)?"), "the confirmation counts them");
    let done = manager.form("/api/approvals/bulk-approve", "/approvals", &[("chosen", &chosen)]).send().await.unwrap();
    assert!(location(&done).starts_with("/approvals/bulk?done="), "{}", location(&done));
    let results = manager.page(location(&done)).await.text().await.unwrap();
    assert!(results.contains("1 of 1 decided"));

    let admin = portal.browser_of(&people.administrator).await;
    let rule = [
        ("number", "new"),
        ("revision", "1"),
        ("rule[name_zh]", "分片"),
        ("rule[name_en]", "Slices"),
        ("rule[then]", "automatic"),
        ("rule[cards_is]", "within"),
        ("rule[cards]", "x"),
    ];
    let back = admin.form("/api/policies/save-rule", "/policies/new", &rule).send().await.unwrap();
    assert_eq!(location(&back), "/policies/new");
    let page = admin.page("/policies/new").await.text().await.unwrap();
    assert!(page.contains("value=\"x\"") && page.contains("Slices"), "what was typed is still there");
    let good: Vec<_> = rule.iter().map(|(name, value)| (*name, if *name == "rule[cards]" { "1/7" } else { *value })).collect();
    let saved = admin.form("/api/policies/save-rule", "/policies/new", &good).send().await.unwrap();
    assert_eq!(location(&saved), "/policies");
    let page = admin.page("/policies").await.text().await.unwrap();
    assert!(page.contains("at most 1/7 cards") && page.contains("Put the draft in force") && page.contains("Dry run"));
    admin.form("/api/policies/edit", "/policies", &[("step", "up"), ("number", "4"), ("revision", "2")]).send().await.unwrap();
    admin.form("/api/policies/publish", "/policies", &[("revision", "3")]).send().await.unwrap();
    let page = admin.page("/policies").await.text().await.unwrap();
    assert!(page.contains("Version 2 is in force"));
    let read_only = manager.page("/policies").await.text().await.unwrap();
    assert!(read_only.contains("Administrators change these rules") && !read_only.contains("Move &quot;") && !read_only.contains("Add a rule"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_an_approval_and_the_inbox_say_that_the_requester_left() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.api(&people.teacher).await;
    let asked = order(&teacher, "left", 8).await;
    let approval = format!("/approvals/{}", id(&asked));
    let manager = portal.browser_of(&people.manager).await;
    let en = ["teacher no longer belongs to CV2402.", "This order cannot be approved.", "requester left"];
    let zh = ["teacher 已不在课程 CV2402。", "该订单无法批准", "下单人已离开"];
    for (language, [title, text, badge]) in [("en", en), ("zh-CN", zh)] {
        let page = page_in(&manager, language, &approval).await;
        assert!(![title, text, badge].iter().any(|words| page.contains(*words)), "{language}: nobody has left yet");
    }
    let course = id(&teacher.read("/courses").await["items"][0]).parse().unwrap();
    services::courses::remove_member(&portal.world.services, &people.administrator, course, people.teacher.actor.user).await.unwrap();
    for (language, [title, text, badge]) in [("en", en), ("zh-CN", zh)] {
        let page = page_in(&manager, language, &approval).await;
        for words in [title, text] {
            assert!(page.contains(words), "{language}: {words} is not on the page of the approval");
        }
        assert!(page_in(&manager, language, "/approvals").await.contains(badge), "{language}: {badge} is not in the inbox");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_of_the_rules_warns_on_a_rule_that_never_matches() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let admin = portal.api(&people.administrator).await;
    let browser = portal.browser_of(&people.administrator).await;
    let rule = |zh: &str, en: &str, when: Value| json!({"name": {"zh": zh, "en": en}, "when": when, "then": {"stages": ["manager"]}});
    let (rest, late) = (rule("其余", "Rest", json!("always")), rule("夜间", "Late", json!({"minutes_over": 60})));
    let en = ("Never matches: “Rest” before it matches all of its orders. Move this rule up.", "Late");
    let zh = ("这条规则不会生效：它的订单都已由前面的“其余”匹配，请上移。", "夜间");
    for (version, rules, warned) in [(1, json!([late, rest]), 0), (2, json!([rest, late]), 1)] {
        let body = json!({"policy": {"rules": rules}, "version": version});
        good(admin.put("/policies").json(&body).send().await.unwrap(), 200).await;
        for (language, (warning, name)) in [("en", en), ("zh-CN", zh)] {
            let page = page_in(&browser, language, "/policies").await;
            let cards: Vec<_> = page.split("class=\"rule-card\"").filter(|card| card.contains(warning)).collect();
            assert_eq!(cards.len(), warned, "{language}: {page}");
            assert!(cards.iter().all(|card| card.contains(name)), "{language}: {cards:?}");
        }
    }
}
