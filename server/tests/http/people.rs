//! Inviting somebody, joining by the link, taking a list over: as browsers do it, without scripts.

use services::testing::TestWorld;

use crate::support::Portal;

/// What stands between two marks of a page.
fn between(text: &str, before: &str, after: &str) -> String {
    let start = text.find(before).unwrap_or_else(|| panic!("{before} is not in {text}")) + before.len();
    text[start..].split(after).next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invited_person_joins_by_the_link_that_is_shown_once() {
    let portal = Portal::college().await;
    let administrator = portal.world.administrator("root").await;
    let browser = portal.browser_of(&administrator).await;
    let fields = [("login", "li.hua"), ("name", "李华"), ("department", "college"), ("access[teacher]", "on")];
    let answer = browser.form("/api/people/invite", "/people", &fields).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let place = answer.headers()["location"].to_str().unwrap().to_owned();
    assert!(!place.contains("lnk_"), "{place}");
    let page = browser.page(&place).await.text().await.unwrap();
    let secret = between(&page, "/join/", "\"");
    assert!(secret.starts_with("lnk_"), "{secret}");
    assert!(!browser.page(&place).await.text().await.unwrap().contains("lnk_"), "shown once");

    let stranger = portal.browser();
    let join = format!("/join/{secret}");
    let page = stranger.page(&join).await;
    assert_eq!(page.status(), 200);
    assert!(page.text().await.unwrap().contains("li.hua"));
    let short = [("token", secret.as_str()), ("name", "李华"), ("password", "short")];
    let answer = stranger.form("/api/join/complete", &join, &short).send().await.unwrap();
    assert_eq!(answer.headers()["location"].to_str().unwrap(), join);
    let good = [("token", secret.as_str()), ("name", "李华"), ("password", "a long password")];
    let answer = stranger.form("/api/join/complete", &join, &good).send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()), (303, "/"));
    let account = stranger.page("/account").await;
    assert_eq!(account.status(), 200, "signed in");
    assert!(account.text().await.unwrap().contains("li.hua"));

    let bodies = async |path: &str| {
        let answer = portal.browser().page(path).await;
        (answer.status().as_u16(), answer.text().await.unwrap().contains("no longer good"))
    };
    assert_eq!(bodies(&join).await, (404, true), "used");
    assert_eq!(bodies("/join/lnk_nothing").await, (404, true), "never there, and the same answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_uploaded_list_is_looked_at_and_what_is_none_comes_back_to_the_form() {
    let portal = Portal::college().await;
    let administrator = portal.world.administrator("root").await;
    let browser = portal.browser_of(&administrator).await;
    let upload = async |file: &[u8]| {
        let mut body = b"--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\npeople\r\n".to_vec();
        body.extend(b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n");
        body.extend(file);
        body.extend(b"\r\n--x--\r\n");
        let ask = browser.client.post(portal.url("/imports/upload")).header("accept", "text/html").header("sec-fetch-site", "same-origin");
        let answer = ask.header("content-type", "multipart/form-data; boundary=x").body(body).send().await.unwrap();
        answer.headers()["location"].to_str().unwrap().to_owned()
    };
    // In GB18030, as spreadsheets write it.
    let place = upload(b"\xd5\xcb\xba\xc5,\xd0\xd5\xc3\xfb\r\nli.hua,\xc0\xee\xbb\xaa\r\n").await;
    let page = browser.page(&place).await.text().await.unwrap();
    assert!(page.contains("li.hua") && page.contains("李华"), "{page}");
    // A row that changes somebody says from what to what.
    let change = upload(b"account,name\r\nroot,Another Name\r\n").await;
    assert!(browser.page(&change).await.text().await.unwrap().contains("→ Another Name"));
    assert_eq!(upload(b"no,list\r\n1,2\r\n").await, "/imports");
    let page = browser.page("/imports").await.text().await.unwrap();
    assert!(page.contains("账号 / account"), "the missing column is named: {page}");
    let invalid = |page: &str, id: &str| {
        let control = page.split('<').find(|tag| tag.contains(&format!("id=\"{id}\""))).expect("a field");
        control.contains("aria-invalid=\"true\"")
    };
    assert!(invalid(&page, "file") && !invalid(&page, "list"), "the mistake stands at the file");
    assert_eq!(upload(b"").await, "/imports");
    let page = browser.page("/imports").await.text().await.unwrap();
    assert!(invalid(&page, "file") && !invalid(&page, "list"), "an empty file is a file");
    let ask = browser.client.post(portal.url("/imports/upload")).header("accept", "text/html").header("sec-fetch-site", "same-origin");
    let pasted = "--x\r\nContent-Disposition: form-data; name=\"list\"\r\n\r\nno,list\r\n1,2\r\n\
        --x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\npeople\r\n--x--\r\n";
    let _ = ask.header("content-type", "multipart/form-data; boundary=x").body(pasted).send().await.unwrap();
    let page = browser.page("/imports").await.text().await.unwrap();
    assert!(!invalid(&page, "file") && invalid(&page, "list"), "what was pasted is at fault");
    let sample = browser.page("/imports/sample/people.csv").await;
    assert_eq!(sample.headers()["content-type"], "text/csv; charset=utf-8");
    assert!(sample.text().await.unwrap().contains("account,name,department,roles,courses"));

    let teacher = portal.browser_of(&portal.world.teacher("li", &[]).await).await;
    let id = place.rsplit('/').next().unwrap();
    assert_eq!(teacher.page(&format!("/imports/{id}/result.csv")).await.status(), 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_is_known_by_its_device_and_address() {
    let portal = Portal::college().await;
    portal.world.person("li.hua").add().await;
    let browser = portal.browser();
    let fields = [("login", "li.hua"), ("password", TestWorld::PASSWORD)];
    let firefox = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0";
    let answer = browser.form("/api/session/sign-in", "/sign-in", &fields).header("user-agent", firefox).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let page = browser.page("/account").await.text().await.unwrap();
    assert!(page.contains("Firefox, Windows") && page.contains("127.0.0.1") && page.contains("This session"), "{page}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_announcement_stands_on_every_page_and_at_the_door() {
    let portal = Portal::college().await;
    let operator = portal.world.operator("ops").await;
    let body = serde_json::json!({"zh": "周六停机", "en": "Down on Saturday", "level": "maintenance", "to": "2040-01-01T08:00"});
    let answer = portal.api(&operator).await.post("/announcements").json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let browser = portal.browser_of(&operator).await;
    for (browser, path) in [(&browser, "/"), (&browser, "/labs"), (&portal.browser(), "/sign-in")] {
        assert!(browser.page(path).await.text().await.unwrap().contains("Down on Saturday"), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_somebody_who_may_not_import_is_not_decoded() {
    let portal = Portal::college().await;
    let people = portal.people().await;
    let browser = portal.browser_of(&people.teacher).await;
    // No encoding that is known.
    let mut body = b"--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\npeople\r\n".to_vec();
    body.extend(b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.csv\"\r\n\r\n\xff\xff\xff\r\n--x--\r\n");
    let ask = browser.client.post(portal.url("/imports/upload")).header("accept", "text/html").header("sec-fetch-site", "same-origin");
    let sent = ask.header("content-type", "multipart/form-data; boundary=x").body(body).send().await.unwrap();
    assert_eq!(sent.status(), 303);
    let refused = "SELECT COUNT(*) FROM audit_events WHERE action = 'import.preview' AND outcome = 'refused'";
    assert_eq!(storage::testing::number(&portal.world.services.db, refused).await, 1);
}
