//! A secret of an offering, from typing it to the lab: no page or answer shows it, and no file of the database holds it unencrypted.

use serde_json::{Value, json};

use crate::support::{Browser, Portal, location};

const SECRET: &str = "hushhush4711";

fn document() -> Value {
    json!({
        "slug": "vscode-secret", "name": {"zh": "VS Code", "en": "VS Code"}, "summary": {"zh": "甲", "en": "An editor"},
        "icon": "code", "workload": "code_editor",
        "base": {"image": "docker.io/codercom/code-server:4.104.1", "port": 8080, "card": "a100-80g", "cards_per_node": 1, "nodes": 1,
            "cpu_cores": 8, "memory_gib": 32, "storage_gib": 20,
            // One in its own field, one with a name like a secret, one with a password in its value.
            "secrets": {"LICENCE": SECRET},
            "environment": {"HF_TOKEN": SECRET, "STORE": format!("postgres://li:{SECRET}@db/course"), "LESSON": "lesson-1"}},
        "duration": {"default": 90, "min": 30, "max": 720}, "parameters": [],
    })
}

async fn page(browser: &Browser, path: &str) -> String {
    browser.page(path).await.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_is_shown_to_nobody_and_lies_nowhere_in_clear() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (operator, teacher, auditor) = (portal.api(&people.operator).await, portal.api(&people.teacher).await, portal.api(&people.auditor).await);
    let mut seen: Vec<(String, String)> = Vec::new();
    for (path, body) in [("/offerings/preview", document()), ("/offerings", document())] {
        seen.push((path.to_owned(), operator.post(path).json(&body).send().await.unwrap().text().await.unwrap()));
    }
    assert!(seen[1].1.contains("\"LICENCE\":{\"stored\":\""), "{}", seen[1].1);
    assert_eq!(operator.act("/offerings/vscode-secret/publish").await["state"], "published");
    let mut next = document();
    next["base"]["secrets"]["LICENCE"] = json!(format!("{SECRET}-next"));
    seen.push(("a version".into(), operator.post("/offerings/vscode-secret/versions").json(&next).send().await.unwrap().text().await.unwrap()));
    let versions = operator.read("/offerings/vscode-secret/versions").await;
    assert_eq!(versions["items"][0]["changes"], json!([{"field": "base.secrets.LICENCE", "before": "***", "after": "***"}]));
    seen.push(("versions".into(), versions.to_string()));

    let order = json!({"offering": "vscode-secret", "course": "CV2402", "duration_minutes": 90});
    let answer = teacher.post("/orders").header("idempotency-key", "one").json(&order).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    seen.push(("POST /orders".to_owned(), answer.text().await.unwrap()));
    let orders = teacher.read("/orders").await;
    let order = orders["items"][0]["id"].as_str().unwrap().to_owned();
    services::audit::seal(&portal.world.services).await.unwrap();
    let labs = storage::testing::texts(&portal.world.services.db, "SELECT id FROM labs").await;

    for path in ["/offerings".to_owned(), "/offerings/vscode-secret".into(), "/orders".into(), format!("/orders/{order}"), "/labs".into()] {
        seen.push((path.clone(), teacher.read(&path).await.to_string()));
    }
    seen.push(("/audit/events".into(), auditor.read("/audit/events").await.to_string()));
    let browsers = [portal.browser_of(&people.operator).await, portal.browser_of(&people.teacher).await, portal.browser_of(&people.auditor).await];
    let mut paths = vec!["/catalogue".to_owned(), "/catalogue/vscode-secret".into(), format!("/orders/{order}"), "/orders".into(), "/labs".into()];
    paths.extend(labs.iter().map(|lab| format!("/labs/{lab}")));
    paths.extend(["", "?tab=yaml", "?tab=versions"].map(|tab| format!("/offerings/vscode-secret{tab}")));
    paths.extend(["/audit".to_owned(), "/search?text=LICENCE".into()]);
    for path in &paths {
        for browser in &browsers {
            seen.push((path.clone(), page(browser, path).await));
        }
    }
    for (path, text) in &seen {
        assert!(!text.contains(SECRET), "{path} shows the secret");
    }
    let yaml = page(&browsers[0], "/offerings/vscode-secret?tab=yaml").await;
    assert!(yaml.contains("LICENCE") && yaml.contains("HF_TOKEN") && yaml.contains("lesson-1"), "the names are there");

    // A refused form comes back without the typed secrets; they are not in the stored session either.
    let fields = [("slug", "new"), ("fields[slug]", "Bad Slug"), ("fields[base.secrets.0.name]", "KEY"), ("fields[base.secrets.0.value]", SECRET)];
    let refused = browsers[0].form("/api/offerings/save", "/offerings/new", &fields).send().await.unwrap();
    assert_eq!(location(&refused), "/offerings/new");
    let form = page(&browsers[0], "/offerings/new").await;
    assert!(!form.contains(SECRET) && form.contains("type those again"), "the form says what is not there any more");
    assert!(form.contains("href=\"#fields[base.secrets.0.value]\"") && !form.contains("href=\"#fields[base.secrets.0.name]\""));
    let pasted = format!("slug: x\nbase:\n  secrets: {{ KEY: {SECRET} }}\n");
    let refused = browsers[0].form("/api/offerings/import", "/offerings/new?tab=yaml", &[("slug", "new"), ("yaml", &pasted)]).send().await.unwrap();
    assert_eq!(location(&refused), "/offerings/new?tab=yaml");
    in_no_file(&portal);
    assert!(!page(&browsers[0], "/offerings/new?tab=yaml").await.contains(SECRET));
}

/// Checks that no file of the database holds the secret, neither as text nor in an index.
fn in_no_file(portal: &Portal) {
    let file = portal.world.services.db.file().unwrap();
    for name in [file.clone(), file.with_extension("db-wal")] {
        let Ok(bytes) = std::fs::read(&name) else { continue };
        let found = bytes.windows(SECRET.len()).any(|window| window == SECRET.as_bytes());
        assert!(!found, "{} holds the secret", name.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_field_of_the_editor_keeps_the_stored_secret() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (api, browser) = (portal.api(&people.operator).await, portal.browser_of(&people.operator).await);
    let made = api.post("/offerings").json(&document()).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let before: Value = made.json().await.unwrap();
    let form = page(&browser, "/offerings/vscode-secret").await;
    assert!(form.contains("A value is stored. Leave this empty to keep it.") && form.contains("type=\"password\""), "{form}");
    let exported = page(&browser, "/offerings/vscode-secret?tab=yaml").await;
    assert!(exported.contains("HF_TOKEN: &#x27;&#x27;") || exported.contains("HF_TOKEN: ''"), "a placeholder");

    let mut same = document();
    same["summary"]["en"] = json!("Another text");
    same["base"]["environment"] = json!({"LESSON": "lesson-1"});
    same["base"]["secrets"] = json!({"LICENCE": "", "HF_TOKEN": "***", "STORE": null});
    let after: Value = api.post("/offerings/vscode-secret/versions").json(&same).send().await.unwrap().json().await.unwrap();
    assert_eq!(after["offering"]["base"], before["offering"]["base"]);
    same["base"]["secrets"]["NEW"] = json!("");
    let refused = api.post("/offerings/vscode-secret/versions").json(&same).send().await.unwrap();
    assert_eq!(refused.status(), 422);
    assert!(refused.text().await.unwrap().contains("base.secrets.NEW"));
}
