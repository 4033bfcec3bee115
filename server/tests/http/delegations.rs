//! Being away: by API, and on the account page by forms without scripts.

use serde_json::json;

use crate::support::{Portal, location};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stand_in_is_named_decides_and_is_let_go_by_the_api() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (teacher, manager) = (portal.api(&people.teacher).await, portal.api(&people.manager).await);
    let stand_in = portal.api(&people.auditor).await;
    let body = json!({"offering": "jupyterlab-2xa100-1tb", "course": "CV2402", "duration_minutes": 60});
    let order = teacher.order("away", &body).await;
    let path = format!("/orders/{}", order["id"].as_str().unwrap());

    let form = json!({"stand_in": "auditor", "from": "2026-11-21", "until": "2026-11-22", "note": "出差"});
    assert_eq!(stand_in.post("/delegations").json(&form).send().await.unwrap().status(), 403, "who decides nothing lends nothing");
    let named = manager.say("/delegations", &form).await;
    assert_eq!((named["absent"]["login"].as_str(), named["stand_in"]["login"].as_str()), (Some("manager"), Some("auditor")));
    assert_eq!((named["from"].as_str(), named["until"].as_str()), (Some("2026-11-20T16:00:00Z"), Some("2026-11-22T16:00:00Z")));
    assert_eq!(manager.say("/delegations", &form).await["id"], named["id"], "sent twice, named once");
    let wrong = manager.post("/delegations").json(&json!({"stand_in": "nobody", "until": "2026-11-30"})).send().await.unwrap();
    assert_eq!(wrong.status(), 422);
    assert_eq!(stand_in.read("/delegations").await["items"].as_array().unwrap().len(), 1);
    assert_eq!(teacher.read("/delegations").await["items"].as_array().unwrap().len(), 0);

    let page = portal.browser_of(&people.auditor).await.page("/approvals").await;
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("You stand in for") && page.contains("until 2026-11-22"), "{page}");
    stand_in.say(&format!("{path}/approve"), &json!({"version": 1, "duration_minutes": 240})).await;
    let back = stand_in.say(&format!("{path}/withdraw-changes"), &json!({"version": 2, "text": "As it was"})).await;
    assert_eq!(back["state"], "pending_approval");
    let done = stand_in.act(&format!("{path}/approve")).await;
    assert_ne!(done["state"], "pending_approval");
    let steps = teacher.read(&format!("{path}/decisions")).await;
    let last = steps["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((last["by"]["login"].as_str(), last["on_behalf_of"]["login"].as_str()), (Some("auditor"), Some("manager")));
    let shown = portal.browser_of(&people.teacher).await.page(&path).await.text().await.unwrap();
    assert!(shown.contains(" for ") && shown.contains("Withdrew the changes"), "the order says in whose name");

    let ending = format!("/delegations/{}", named["id"].as_str().unwrap());
    assert_eq!(teacher.delete(&ending).send().await.unwrap().status(), 404);
    for _ in 0..2 {
        assert_eq!(stand_in.delete(&ending).send().await.unwrap().status(), 204);
    }
    let again = teacher.order("away-2", &body).await;
    let refused = stand_in.post(&format!("/orders/{}/approve", again["id"].as_str().unwrap())).send().await.unwrap();
    assert_eq!(refused.status(), 403, "an auditor reads and does not decide");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_account_page_names_a_stand_in_without_scripts() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let manager = portal.browser_of(&people.manager).await;
    let page = manager.page("/account").await.text().await.unwrap();
    assert!(page.contains("Name a stand-in") && page.contains("Nobody stands in for you"), "{page}");
    let bad = [("stand_in", "nobody"), ("from", "2026-11-21"), ("until", "2026-11-20"), ("note", "At a fair")];
    let refused = manager.form("/api/account/create-delegation", "/account", &bad).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), location(&refused)), (303, "/account"));
    let page = manager.page("/account").await.text().await.unwrap();
    assert!(page.contains("At a fair") && page.contains("aria-invalid=\"true\""), "what was typed stays");
    let good = [("stand_in", "teacher"), ("from", ""), ("until", "2026-11-25"), ("note", "At a fair")];
    let named = manager.form("/api/account/create-delegation", "/account", &good).send().await.unwrap();
    assert_eq!((named.status().as_u16(), location(&named)), (303, "/account#away"));
    let page = manager.page("/account").await.text().await.unwrap();
    assert!(page.contains("decides for you") && page.contains("2026-11-25"), "{page}");
    let id = portal.api(&people.manager).await.read("/delegations").await["items"][0]["id"].as_str().unwrap().to_owned();

    let teacher = portal.browser_of(&people.teacher).await;
    let page = teacher.page("/account").await.text().await.unwrap();
    assert!(page.contains("You decide for") && !page.contains("Name a stand-in"), "a teacher names nobody");
    let given_back = teacher.form("/api/account/end-delegation", "/account", &[("id", &id)]).send().await.unwrap();
    assert_eq!(given_back.status(), 303);
    assert_eq!(teacher.page("/approvals").await.status(), 403);
    let bell = manager.page("/notifications").await.text().await.unwrap();
    assert!(bell.contains("does not stand in for you any more"), "{bell}");
}
