//! Offerings by plain forms and by the API: written, previewed, published, seen, retired.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::support::{Browser, Portal, location, shown};

fn document() -> Value {
    json!({
        "slug": "vscode-large", "name": {"zh": "VS Code，整卡", "en": "VS Code, whole card"},
        "summary": {"zh": "一张 A100 的编辑器。", "en": "An editor with one A100."},
        "icon": "code", "workload": "code_editor",
        "base": {"image": "docker.io/codercom/code-server:4.104.1", "port": 8080, "health_path": "/healthz", "card": "a100-80g",
            "cards_per_node": 1, "nodes": 1, "cpu_cores": 8, "memory_gib": 32, "storage_gib": 20, "environment": {"EDITOR_PASSWORD": "hush"}},
        "duration": {"default": 90, "min": 30, "max": 720}, "parameters": [],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offering_is_written_published_ordered_and_retired_by_api() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let (operator, teacher) = (portal.api(&people.operator).await, portal.api(&people.teacher).await);

    let preview = operator.post("/offerings/preview").json(&document()).send().await.unwrap().text().await.unwrap();
    assert!(preview.contains("\"kind\":\"Deployment\"") && !preview.contains("hush"), "{preview}");
    let made = operator.post("/offerings").json(&document()).send().await.unwrap();
    assert_eq!(made.status(), 201);
    let draft: Value = made.json().await.unwrap();
    assert_eq!((draft["version"].as_u64(), draft["state"].as_str(), draft["revision"].as_i64()), (Some(1), Some("draft"), Some(1)));
    assert_eq!(teacher.get("/offerings/vscode-large").send().await.unwrap().status(), 404, "a draft is nobody's business");
    assert_eq!(teacher.post("/offerings/vscode-large/publish").send().await.unwrap().status(), 403);
    assert_eq!(operator.act("/offerings/vscode-large/publish").await["state"], "published");
    let seen = teacher.read("/offerings/vscode-large").await;
    assert_eq!((seen["version"].as_u64(), seen["spec"]["workload"].as_str()), (Some(1), Some("code_editor")));

    let mut next = document();
    next["base"]["memory_gib"] = json!(64);
    next["revision"] = json!(0);
    let draft: Value = operator.post("/offerings/vscode-large/versions").json(&next).send().await.unwrap().json().await.unwrap();
    assert_eq!((draft["version"].as_u64(), draft["state"].as_str()), (Some(2), Some("draft")));
    next["base"]["memory_gib"] = json!(128);
    let stale = operator.post("/offerings/vscode-large/versions").json(&next).send().await.unwrap();
    assert_eq!(stale.status(), 409, "the draft that was read is not there any more");
    let versions = operator.read("/offerings/vscode-large/versions").await;
    assert_eq!(versions["items"][0]["changes"], json!([{"field": "base.memory_gib", "before": "32", "after": "64"}]));
    assert_eq!(operator.act("/offerings/vscode-large/retire").await["state"], "retired");
    assert_eq!(teacher.get("/offerings/vscode-large").send().await.unwrap().status(), 404);
    assert_eq!(operator.act("/offerings/vscode-large/restore").await["state"], "published");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_offering_says_how_its_application_takes_the_labs_own_secret() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let operator = portal.api(&people.operator).await;
    let mut document = document();
    document["base"]["app_access"] = json!({"variable": "EDITOR_TOKEN", "header": "Authorization: token {secret}"});
    let made: Value = operator.post("/offerings").json(&document).send().await.unwrap().json().await.unwrap();
    assert_eq!(made["offering"]["base"]["app_access"], document["base"]["app_access"]);
    for (member, value, field) in [
        ("variable", "PATH", "base.app_access.variable"),
        ("variable", "EDITOR_PASSWORD", "base.app_access.variable"),
        ("header", "Authorization: token", "base.app_access.header"),
        ("header", "Cookie: a={secret}", "base.app_access.header"),
        ("colour", "red", "base.app_access.colour"),
    ] {
        let mut bad = document.clone();
        bad["base"]["app_access"][member] = json!(value);
        let refused = operator.post("/offerings/preview").json(&bad).send().await.unwrap();
        assert_eq!(refused.status(), 422, "{member}: {value}");
        let refused: Value = refused.json().await.unwrap();
        assert_eq!(refused["errors"][0]["field"].as_str(), Some(field), "{refused}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_a_document_is_named_by_field() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let operator = portal.api(&people.operator).await;
    let mut bad = document();
    bad["base"]["nodes"] = json!(3);
    bad["duration"]["default"] = json!(5);
    bad["icon"] = json!("rocket");
    assert_snapshot!("bad offering", shown(operator.post("/offerings").json(&bad)).await);
    bad["base"]["card"] = json!("h200");
    assert_snapshot!("bad card", shown(operator.post("/offerings/preview").json(&bad)).await);
}

async fn page(browser: &Browser, path: &str) -> String {
    let response = browser.page(path).await;
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_editor_works_without_scripts() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let operator = portal.browser_of(&people.operator).await;
    let list = page(&operator, "/offerings").await;
    assert!(list.contains("/offerings/vscode") && list.contains("/offerings/new"));
    let fields = |slug: &'static str, intent: &'static str| -> Vec<(&'static str, &'static str)> {
        vec![
            ("slug", slug),
            ("intent", intent),
            ("revision", "0"),
            ("fields[slug]", "my-shell"),
            ("fields[name.zh]", "我的命令行"),
            ("fields[name.en]", "My shell"),
            ("fields[summary.zh]", "一句话"),
            ("fields[summary.en]", "A sentence"),
            ("fields[icon]", "lab"),
            ("fields[workload]", "shell"),
            ("fields[base.image]", "docker.io/library/ubuntu:24.04"),
            ("fields[base.port]", "2222"),
            ("fields[base.card]", "v100-32g"),
            ("fields[base.cards_per_node]", "1"),
            ("fields[base.nodes]", "1"),
            ("fields[base.cpu_cores]", "8"),
            ("fields[base.memory_gib]", "32"),
            ("fields[base.storage_gib]", "20"),
            ("fields[duration.default]", "90"),
            ("fields[duration.min]", "30"),
            ("fields[duration.max]", "720"),
        ]
    };
    // A button for another row comes back with the row and all that was typed.
    let added = operator.form("/api/offerings/save", "/offerings/new", &fields("new", "add")).send().await.unwrap();
    assert_eq!((added.status().as_u16(), location(&added)), (303, "/offerings/new#parameters"));
    let form = page(&operator, "/offerings/new").await;
    assert!(form.contains("fields[parameters.0.key]") && form.contains("My shell") && !form.contains("fields[parameters.1.key]"));

    let mut bad = fields("new", "");
    bad.extend([("fields[parameters.0.key]", "Bad Key"), ("fields[parameters.0.kind]", "text"), ("fields[parameters.0.target]", "cpu_cores")]);
    let refused = operator.form("/api/offerings/save", "/offerings/new", &bad).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), location(&refused)), (303, "/offerings/new"));
    let form = page(&operator, "/offerings/new").await;
    assert!(form.contains("Bad Key") && form.contains("href=\"#fields[parameters.0.key]\""), "each problem leads to its field");

    let saved = operator.form("/api/offerings/save", "/offerings/new", &fields("new", "")).send().await.unwrap();
    assert_eq!((saved.status().as_u16(), location(&saved)), (303, "/offerings/my-shell?saved=1"));
    let form = page(&operator, "/offerings/my-shell").await;
    assert!(form.contains("Publish version 1") && form.contains("Deployment"));
    assert!(form.contains("New orders use this version from now on.") && !form.contains("Orders that exist and their labs"), "there are none");
    let published = operator.form("/api/offerings/publish", "/offerings/my-shell", &[("slug", "my-shell"), ("revision", "1")]).send().await.unwrap();
    assert_eq!(published.status(), 303);
    let teacher = portal.browser_of(&people.teacher).await;
    assert!(page(&teacher, "/catalogue?text=my+shell").await.contains("My shell"));
    assert!(page(&teacher, "/catalogue/my-shell").await.contains("V100 32 GB"));
    assert!(page(&teacher, "/catalogue?text=hovercraft").await.contains("Nothing fits"));
    assert_eq!(teacher.page("/offerings/my-shell").await.status(), 403);

    let yaml = "slug: my-shell\nname: {zh: 甲, en: A}\n";
    let refused =
        operator.form("/api/offerings/import", "/offerings/my-shell?tab=yaml", &[("slug", "my-shell"), ("yaml", yaml)]).send().await.unwrap();
    assert_eq!(location(&refused), "/offerings/my-shell?tab=yaml");
    let form = page(&operator, "/offerings/my-shell?tab=yaml").await;
    assert!(form.contains("name: {zh: 甲, en: A}"), "what was pasted comes back");
    assert!(!form.contains("except the values of secrets"), "there was no secret in it");
    let secret = "slug: my-shell\nbase: {secrets: {HF_TOKEN: hush}}\n";
    operator.form("/api/offerings/import", "/offerings/my-shell?tab=yaml", &[("slug", "my-shell"), ("yaml", secret)]).send().await.unwrap();
    let form = page(&operator, "/offerings/my-shell?tab=yaml").await;
    assert!(form.contains("except the values of secrets") && !form.contains("hush"), "the value is not kept");
    operator.form("/api/offerings/import", "/offerings/my-shell?tab=yaml", &[("slug", "my-shell"), ("yaml", " \n")]).send().await.unwrap();
    let form = page(&operator, "/offerings/my-shell?tab=yaml").await;
    assert!(form.contains("Please fill this in."), "an empty text is missing");
    let versions = page(&operator, "/offerings/my-shell?tab=versions").await;
    assert!(versions.contains("Version 1 · On sale"));
    let retired = operator.form("/api/offerings/retire", "/offerings/my-shell", &[("slug", "my-shell")]).send().await.unwrap();
    assert_eq!(retired.status(), 303);
    assert_eq!(teacher.page("/catalogue/my-shell").await.status(), 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_kept_of_what_somebody_sends_who_may_not_write_offerings() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let teacher = portal.browser_of(&people.teacher).await;
    let long = "x".repeat(50_000);
    let forms: [(&str, Vec<(&str, &str)>); 3] = [
        ("/api/offerings/import", vec![("slug", "new"), ("yaml", long.as_str())]),
        ("/api/offerings/save", vec![("slug", "new"), ("fields[slug]", long.as_str())]),
        ("/api/offerings/save", vec![("slug", "new"), ("intent", "add"), ("fields[slug]", long.as_str())]),
    ];
    for (path, fields) in &forms {
        let sent = teacher.form(path, "/offerings/new", fields).send().await.unwrap();
        assert_eq!((sent.status().as_u16(), location(&sent)), (303, "/offerings/new"), "{path}");
        let longest = storage::testing::number(&portal.world.services.db, "SELECT MAX(LENGTH(data)) FROM sessions").await;
        assert!(longest < 2_000, "{path}: {longest}");
        assert_eq!(teacher.call(path, fields).send().await.unwrap().status(), 403, "{path}");
    }
}
