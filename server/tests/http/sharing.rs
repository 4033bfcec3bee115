//! Links to a lab, from the form on the lab's page to the page with the ticket; and the way to another port of a lab.

use http::StatusCode;
use serde_json::{Value, json};
use services::{Settings, testing::TestWorld};
use storage::testing::{TestDatabase, number, texts};

use crate::support::{Browser, People, Portal, good, location};

async fn portal() -> Portal {
    let labs_url = Some("http://{lab}.localhost:3001".to_owned());
    let settings = Settings { simulated_cluster: true, labs_url, ..Settings::default() };
    Portal::of(TestWorld::college_with(TestDatabase::sqlite().await, settings).await).await
}

/// A lab of the teacher's.
async fn lab(portal: &Portal, people: &People) -> String {
    let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "parameters": {}, "duration_minutes": 60});
    let order = portal.api(&people.teacher).await.order("share", &body).await;
    order["labs"][0].as_str().unwrap_or_else(|| panic!("a lab: {order}")).to_owned()
}

fn header(response: &reqwest::Response, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

async fn passes(portal: &Portal) -> i64 {
    number(&portal.world.services.db, "SELECT COUNT(*) FROM lab_passes").await
}

/// Makes a link by the form of the lab's page: its path.
async fn share(owner: &Browser, lab: &str, view_only: bool) -> String {
    let fields = [("id", lab), ("lasts", "hour"), ("view_only", if view_only { "on" } else { "" })];
    let made = owner.form("/api/labs/share", &format!("/labs/{lab}"), &fields).send().await.unwrap();
    let place = location(&made).to_owned();
    assert!(place.starts_with(&format!("/labs/{lab}?share=")) && !place.contains("shr_"), "{place}");
    let html = owner.page(&place).await.text().await.unwrap();
    let secret: String =
        html.split("/labs/shared/").nth(1).unwrap_or_else(|| panic!("no link in {html}")).chars().take_while(|c| *c != '"').collect();
    assert!(secret.starts_with("shr_") && secret.len() == 47, "{secret}");
    assert!(!owner.page(&place).await.text().await.unwrap().contains(&secret), "shown once");
    format!("/labs/shared/{secret}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_asks_first_and_its_button_opens_the_lab() {
    let portal = portal().await;
    let people = portal.people().await;
    let lab = lab(&portal, &people).await;
    let owner = portal.browser_of(&people.teacher).await;
    let link = share(&owner, &lab, true).await;

    // Anybody of the college, also without any right to the lab.
    let guest = portal.browser_of(&people.administrator).await;
    let asked = guest.page(&link).await;
    assert_eq!((asked.status(), header(&asked, "referrer-policy").as_str()), (StatusCode::OK, "strict-origin"));
    assert_eq!(header(&asked, "cache-control"), "no-store");
    assert!(header(&asked, "content-security-policy").contains("form-action 'self';"));
    let html = asked.text().await.unwrap();
    assert!(html.contains("You can look, and change nothing.") && html.contains(&people.teacher.actor.name), "{html}");
    assert!(!html.contains("<script") && !html.contains("ticket"), "{html}");
    // Previewers and browsers that fetch ahead open nothing.
    let address = portal.url(&link);
    guest.client.head(address.as_str()).send().await.unwrap();
    guest.client.get(address.as_str()).header("accept", "text/html").header("sec-purpose", "prefetch").send().await.unwrap();
    assert_eq!(passes(&portal).await, 0);

    let opened = guest.form(&link, &link, &[]).send().await.unwrap();
    assert_eq!((opened.status(), header(&opened, "referrer-policy").as_str()), (StatusCode::OK, "strict-origin"));
    let html = opened.text().await.unwrap();
    assert!(html.contains("name=\"ticket\"") && html.contains("/.lectern/enter\"") && !html.contains("shr_"), "{html}");
    assert_eq!(passes(&portal).await, 1);
    for site in ["same-site", "cross-site"] {
        let foreign = guest.client.post(address.as_str()).header("accept", "text/html").header("sec-fetch-site", site).send().await.unwrap();
        assert_eq!(foreign.status(), StatusCode::FORBIDDEN, "{site}");
    }
    assert_eq!(passes(&portal).await, 1);
    let nobody = portal.browser().page(&link).await;
    assert!(location(&nobody).starts_with("/sign-in?back=/labs/shared/"), "{}", location(&nobody));
    let records = texts(&portal.world.services.db, "SELECT COALESCE(after_json, '') || object_label || object_id FROM audit_events").await;
    assert!(records.iter().all(|record| !record.contains("shr_")), "{records:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_is_withdrawn_or_mistyped_says_what_to_do() {
    let portal = portal().await;
    let people = portal.people().await;
    let lab = lab(&portal, &people).await;
    let owner = portal.browser_of(&people.teacher).await;
    let link = share(&owner, &lab, false).await;
    let id = texts(&portal.world.services.db, "SELECT id FROM lab_shares").await.remove(0);
    let colleague = portal.browser_of(&people.manager).await;
    let fields = [("id", lab.as_str()), ("share", id.as_str())];
    let refused = colleague.form("/api/labs/unshare", &format!("/labs/{lab}"), &fields).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::SEE_OTHER, "back to the page with the refusal");
    assert_eq!(colleague.page(&link).await.status(), StatusCode::OK, "it is still good");
    owner.form("/api/labs/unshare", &format!("/labs/{lab}"), &fields).send().await.unwrap();
    let ended = colleague.page(&link).await;
    assert_eq!((ended.status(), header(&ended, "referrer-policy").as_str()), (StatusCode::GONE, "strict-origin"));
    let html = ended.text().await.unwrap();
    assert!(html.contains("This link has ended") && html.contains(&people.teacher.actor.name) && !html.contains("shr_"), "{html}");
    assert!(!html.contains("lab-"), "it names no lab: {html}");
    assert_eq!(colleague.form(&link, &link, &[]).send().await.unwrap().status(), StatusCode::GONE);
    let unknown = format!("/labs/shared/shr_{}", "a".repeat(43));
    for path in [unknown.as_str(), "/labs/shared/mistyped", "/labs/shared/shr_none"] {
        let gone = colleague.page(path).await;
        assert_eq!((gone.status(), header(&gone, "referrer-policy").as_str()), (StatusCode::NOT_FOUND, "strict-origin"), "{path}");
        let html = gone.text().await.unwrap();
        assert!(html.contains("This link opens no lab") && !html.contains("shr_"), "{html}");
        assert_eq!(colleague.form(path, path, &[]).send().await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(passes(&portal).await, 0);
    // A form that cannot be read is refused at its field.
    let fields = [("id", lab.as_str()), ("lasts", "until"), ("share_until", "tomorrow")];
    let refused = owner.form("/api/labs/share", &format!("/labs/{lab}"), &fields).send().await.unwrap();
    let html = owner.page(location(&refused)).await.text().await.unwrap();
    assert!(html.contains("value=\"tomorrow\"") && html.contains("aria-invalid"), "{html}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_make_list_and_withdraw_links() {
    let portal = portal().await;
    let people = portal.people().await;
    let lab = lab(&portal, &people).await;
    let api = portal.api(&people.teacher).await;
    let path = format!("/labs/{lab}/shares");
    let made = good(api.post(&path).json(&json!({"lasts": "hour", "view_only": true})).send().await.unwrap(), 201).await;
    assert!(made["url"].as_str().is_some_and(|url| url.contains("/labs/shared/shr_")), "{made}");
    assert_eq!((&made["share"]["view_only"], &made["share"]["withdrawn_at"]), (&json!(true), &Value::Null), "{made}");
    let until = portal.world.services.clock.now().plus_minutes(30).to_rfc3339();
    let other = good(api.post(&path).json(&json!({"ends_at": until})).send().await.unwrap(), 201).await;
    assert_eq!(other["share"]["ends_at"], json!(until));
    let listed = good(api.get(&path).send().await.unwrap(), 200).await;
    assert_eq!(listed["items"].as_array().map(Vec::len), Some(2), "{listed}");
    assert!(!listed.to_string().contains("shr_"), "{listed}");
    let one = format!("{path}/{}", made["share"]["id"].as_str().unwrap());
    for _ in 0..2 {
        assert_eq!(api.delete(&one).send().await.unwrap().status(), StatusCode::NO_CONTENT);
    }
    for (body, field) in [(json!({}), "lasts"), (json!({"lasts": "until"}), "ends_at"), (json!({"ends_at": "2001-01-01T00:00:00Z"}), "ends_at")] {
        let refused = good(api.post(&path).json(&body).send().await.unwrap(), 422).await;
        assert_eq!(refused["errors"][0]["field"], json!(field), "{refused}");
    }
    for (person, status) in [(&people.manager, 403), (&people.operator, 403), (&people.administrator, 404)] {
        let api = portal.api(person).await;
        assert_eq!(api.get(&path).send().await.unwrap().status(), status);
        assert_eq!(api.post(&path).json(&json!({"lasts": "hour"})).send().await.unwrap().status(), status);
        assert_eq!(api.delete(&one).send().await.unwrap().status(), status);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_port_of_a_lab_is_opened_on_a_host_of_its_own() {
    let portal = portal().await;
    let people = portal.people().await;
    let lab = lab(&portal, &people).await;
    let browser = portal.browser_of(&people.teacher).await;
    let open = format!("/labs/{lab}/open");
    let asked = browser.page(&format!("{open}?next=%2Fa&port=8501")).await.text().await.unwrap();
    assert!(asked.contains("name=\"port\" value=\"8501\"") && asked.contains(".submit()"), "{asked}");
    let opened = browser.form(&open, &open, &[("port", "8501")]).send().await.unwrap().text().await.unwrap();
    assert!(opened.contains("action=\"http://8501--lab-"), "{opened}");
    let own = browser.form(&open, &open, &[("port", "8888")]).send().await.unwrap().text().await.unwrap();
    assert!(own.contains("action=\"http://lab-"), "{own}");
    for port in ["22", "65536", "x", "-1"] {
        assert_eq!(browser.form(&open, &open, &[("port", port)]).send().await.unwrap().status(), StatusCode::UNPROCESSABLE_ENTITY, "{port}");
    }
    // A lab that has not started has no servers to list.
    let listing = browser.client.get(portal.url(&format!("/api/labs/ports?id={lab}"))).header("accept", "application/json");
    assert_eq!(listing.send().await.unwrap().status(), StatusCode::CONFLICT);
}
