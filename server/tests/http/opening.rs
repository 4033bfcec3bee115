//! The way from the portal into a lab: the page with the ticket, the page that asks first, and who gets neither.

use http::StatusCode;
use serde_json::json;
use services::{Settings, testing::TestWorld};
use storage::testing::{TestDatabase, execute};

use crate::support::{People, Portal, location};

async fn portal(labs_url: Option<&str>) -> Portal {
    let settings = Settings { simulated_cluster: true, labs_url: labs_url.map(ToOwned::to_owned), ..Settings::default() };
    Portal::of(TestWorld::college_with(TestDatabase::sqlite().await, settings).await).await
}

/// A lab of the teacher's.
async fn lab(portal: &Portal, people: &People) -> String {
    let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "parameters": {}, "duration_minutes": 60});
    let order = portal.api(&people.teacher).await.order("open", &body).await;
    order["labs"][0].as_str().unwrap_or_else(|| panic!("a lab: {order}")).to_owned()
}

fn header(response: &reqwest::Response, name: &str) -> String {
    response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_with_the_ticket_may_send_it_to_the_labs_site_and_nowhere_else() {
    let portal = portal(Some("https://{lab}.labs.example.edu")).await;
    let people = portal.people().await;
    let lab = lab(&portal, &people).await;
    let browser = portal.browser_of(&people.teacher).await;
    let open = format!("/labs/{lab}/open");
    let answer = browser.form(&open, &format!("/labs/{lab}"), &[("next", "/tree?a=1&b=\"")]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    let policy = header(&answer, "content-security-policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'nonce-"), "{policy}");
    let site = policy.split("form-action ").nth(1).and_then(|rest| rest.split(';').next()).unwrap().to_owned();
    assert!(site.starts_with("https://lab-") && site.ends_with(".labs.example.edu"), "{policy}");
    assert_eq!(header(&answer, "referrer-policy"), "strict-origin");
    assert_eq!(header(&answer, "cache-control"), "no-store");
    assert_eq!(header(&answer, "x-frame-options"), "DENY");
    let html = answer.text().await.unwrap();
    assert!(html.contains(&format!("action=\"{site}/.lectern/enter\"")) && html.contains("name=\"ticket\""), "{html}");
    // A form without fields opens it too, as the buttons of the pages do. Each opening has a ticket of its own.
    let again = browser.form(&open, &format!("/labs/{lab}"), &[]).send().await.unwrap().text().await.unwrap();
    let ticket = |html: &str| html.split("name=\"ticket\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
    assert_ne!(ticket(&html), ticket(&again));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_to_a_lab_asks_first_and_gives_no_ticket() {
    let portal = portal(Some("http://{lab}.localhost:3001")).await;
    let people = portal.people().await;
    let lab = lab(&portal, &people).await;
    let open = format!("/labs/{lab}/open?next=/tree%22%3Ca%3E");
    let owner = portal.browser_of(&people.teacher).await.page(&open).await;
    assert_eq!((owner.status(), header(&owner, "referrer-policy").as_str()), (StatusCode::OK, "same-origin"));
    assert!(header(&owner, "content-security-policy").contains("form-action 'self';"));
    let html = owner.text().await.unwrap();
    assert!(html.contains(".submit()") && html.contains("/tree&quot;&lt;a&gt;") && !html.contains("ticket"), "{html}");
    let browser = portal.browser_of(&people.teacher).await;
    let ahead = browser.client.get(portal.url(&open)).header("accept", "text/html").header("sec-purpose", "prefetch").send().await.unwrap();
    assert!(!ahead.text().await.unwrap().contains("<script"), "what is fetched ahead opens nothing");
    let manager = portal.browser_of(&people.manager).await.page(&open).await.text().await.unwrap();
    assert!(manager.contains("as manager") && !manager.contains("<script") && !manager.contains("name=\"reason\""), "{manager}");
    let operator = portal.browser_of(&people.operator).await.page(&open).await.text().await.unwrap();
    assert!(operator.contains("name=\"reason\" required") && !operator.contains("<script"), "{operator}");
    assert_eq!(portal.browser_of(&people.auditor).await.page(&open).await.status(), StatusCode::FORBIDDEN);
    assert_eq!(portal.browser_of(&people.administrator).await.page(&open).await.status(), StatusCode::NOT_FOUND);
    let nobody = portal.browser().page(&open).await;
    assert!(location(&nobody).starts_with("/sign-in?back=/labs/"), "{}", location(&nobody));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_cannot_open_a_lab_and_an_operator_needs_a_reason() {
    let portal = portal(Some("http://{lab}.localhost:3001")).await;
    let people = portal.people().await;
    let lab = lab(&portal, &people).await;
    let open = format!("/labs/{lab}/open");
    let browser = portal.browser_of(&people.teacher).await;
    for site in ["same-site", "cross-site"] {
        let answer = browser.client.post(portal.url(&open)).header("accept", "text/html").header("sec-fetch-site", site).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "{site}");
        assert!(!answer.text().await.unwrap().contains("ticket"));
    }
    let operator = portal.browser_of(&people.operator).await;
    let without = operator.form(&open, &open, &[]).send().await.unwrap();
    assert_eq!(without.status(), StatusCode::FORBIDDEN);
    let with = operator.form(&open, &open, &[("reason", "The notebook floods the network")]).send().await.unwrap();
    assert_eq!(with.status(), StatusCode::OK);
    let page = operator.page(&format!("/labs/{lab}")).await.text().await.unwrap();
    assert!(page.contains(&format!("href=\"{open}\"")) && !page.contains(&format!("/labs/{lab}/terminal")), "{page}");
    let short = operator.form(&open, &open, &[("reason", "disk")]).send().await.unwrap();
    assert_eq!(short.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let auditor = portal.browser_of(&people.auditor).await.form(&open, &open, &[("reason", "curious")]).send().await.unwrap();
    assert_eq!(auditor.status(), StatusCode::FORBIDDEN);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_lab_site_no_page_offers_to_open_a_lab() {
    let portal = portal(None).await;
    let people = portal.people().await;
    let lab = lab(&portal, &people).await;
    let browser = portal.browser_of(&people.teacher).await;
    let action = format!("action=\"/labs/{lab}/open\"");
    for page in ["/".to_owned(), "/labs".to_owned(), format!("/labs/{lab}")] {
        assert!(!browser.page(&page).await.text().await.unwrap().contains(&action), "{page}");
    }
    let answer = browser.form(&format!("/labs/{lab}/open"), "/labs", &[]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let there = self::portal(Some("http://{lab}.localhost:3001")).await;
    let people = there.people().await;
    let lab = self::lab(&there, &people).await;
    let browser = there.browser_of(&people.teacher).await;
    let action = format!("action=\"/labs/{lab}/open\"");
    for page in ["/".to_owned(), "/labs".to_owned(), format!("/labs/{lab}")] {
        assert!(browser.page(&page).await.text().await.unwrap().contains(&action), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_destroyed_lab_says_so_and_asks_for_no_reason() {
    let portal = portal(Some("http://{lab}.localhost:3001")).await;
    let people = portal.people().await;
    let lab = lab(&portal, &people).await;
    services::labs::destroy(&portal.world.services, &people.teacher, lab.parse().unwrap()).await.unwrap();
    let open = format!("/labs/{lab}/open");
    for person in [&people.teacher, &people.operator] {
        let browser = portal.browser_of(person).await;
        let answers = [browser.page(&open).await, browser.form(&open, &open, &[("reason", "The disk is full.")]).send().await.unwrap()];
        for (answer, may) in answers.into_iter().zip([true, person.actor.user == people.operator.actor.user]) {
            if !may {
                continue;
            }
            assert_eq!(answer.status(), StatusCode::GONE, "{}", person.actor.login);
            let html = answer.text().await.unwrap();
            let is_said = html.contains("This lab is destroyed") || html.contains("环境已销毁");
            assert!(is_said && !html.contains("<form") && !html.contains("name=\"reason\""), "{html}");
            assert!(html.contains("class=\"landing\"") && html.contains(&format!("href=\"/labs/{lab}\"")), "{html}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lab_without_pages_is_opened_in_its_terminal() {
    let portal = portal(Some("http://{lab}.localhost:3001")).await;
    let people = portal.people().await;
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHkqJQz67Fz7AMAY/mC0VMP9qFFndLTJTEhAwJFce4To";
    let parameters = json!({"public_key": key, "card": "a100-80g-1g.10gb", "cards": 1, "cpu_cores": 1, "memory_gib": 4, "storage_gib": 10});
    let body = json!({"offering": "linux-ssh", "course": "CV2402", "parameters": parameters, "duration_minutes": 60});
    let order = portal.api(&people.teacher).await.order("ssh", &body).await;
    let lab = order["labs"][0].as_str().unwrap_or_else(|| panic!("a lab: {order}")).to_owned();
    let shown = portal.api(&people.teacher).await.read(&format!("/labs/{lab}")).await;
    assert_eq!(shown["entrance"], "terminal");
    let open = format!("/labs/{lab}/open");
    let terminal = format!("/labs/{lab}/terminal");
    for person in [&people.teacher, &people.operator] {
        let browser = portal.browser_of(person).await;
        assert_eq!(location(&browser.page(&open).await), terminal);
        assert_eq!(location(&browser.form(&open, &open, &[]).send().await.unwrap()), terminal);
    }
    let owner = portal.browser_of(&people.teacher).await;
    let own_port = owner.form(&open, &open, &[("port", "2222")]).send().await.unwrap();
    assert_eq!(own_port.status(), StatusCode::UNPROCESSABLE_ENTITY, "its SSH server has no page");
    for page in ["/".to_owned(), "/labs".to_owned(), format!("/labs/{lab}")] {
        let html = owner.page(&page).await.text().await.unwrap();
        assert!(!html.contains(&format!("action=\"{open}\" target=\"_blank\"><button class=\"btn")), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn today_starts_a_lab_that_is_stopped() {
    let portal = portal(Some("http://{lab}.localhost:3001")).await;
    let people = portal.people().await;
    let lab = lab(&portal, &people).await;
    execute(&portal.world.services.db, "UPDATE labs SET state = 'stopped'").await.unwrap();
    let browser = portal.browser_of(&people.teacher).await;
    let html = browser.page("/").await.text().await.unwrap();
    assert!(html.contains("action=\"/api/labs/start\"") && html.contains(&format!("name=\"id\" value=\"{lab}\"")), "{html}");
    // In an emergency there is nothing to enter in it.
    let operator = portal.browser_of(&people.operator).await;
    let open = format!("/labs/{lab}/open");
    let answers = [operator.page(&open).await, operator.form(&open, &open, &[("reason", "The disk is full.")]).send().await.unwrap()];
    for answer in answers {
        assert_eq!(answer.status(), StatusCode::CONFLICT);
        let html = answer.text().await.unwrap();
        let is_said = html.contains("This lab does not run") || html.contains("环境没有在运行");
        assert!(is_said && !html.contains("name=\"reason\""), "{html}");
    }
}
