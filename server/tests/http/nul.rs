//! The character NUL in a body, with any `Content-Type`.

use services::testing::TestWorld;
use storage::testing::for_each_engine;

use crate::support::Portal;

const TYPES: [&str; 7] = [
    "application/x-www-form-urlencoded",
    "Application/X-WWW-Form-Urlencoded",
    "APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8",
    "text/plain",
    "application/octet-stream",
    "application/json",
    "multipart/form-data; boundary=x",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_with_a_nul_is_refused_whatever_its_type_says() {
    for_each_engine("a_form_with_a_nul_is_refused_whatever_its_type_says", async |database| {
        let portal = Portal::of(TestWorld::college_on(database).await).await;
        let people = portal.people().await;
        let browser = portal.browser_of(&people.administrator).await;
        for path in ["/api/session/sign-in", "/api/announcements/create", "/preferences", "/sign-out"] {
            for body in ["login=a%00b&password=x&zh=%00", "login=a\0b&password=x&zh=\0"] {
                let send = async |media: Option<&str>| {
                    let request = browser.client.post(portal.url(path)).header("sec-fetch-site", "same-origin").header("accept", "application/json");
                    let request = if let Some(media) = media { request.header("content-type", media) } else { request };
                    let answer = request.body(body).send().await.unwrap();
                    (answer.status().as_u16(), answer.text().await.unwrap())
                };
                for media in TYPES.into_iter().map(Some).chain([None]) {
                    let (status, text) = send(media).await;
                    assert!(status == 400 && text.contains("NUL"), "{path} as {media:?}: {status} {text}");
                }
            }
        }
        // A file may be UTF-16, so it is checked when it is decoded; the form's other fields are text.
        for field in ["name=\"kind\"\r\n\r\npe\0ople", "name=\"list\"\r\n\r\na\0b", "name=\"file\"; filename=\"a.csv\"\r\n\r\nlogin,name\na\0b,c\n"] {
            let kind = "--x\r\nContent-Disposition: form-data; name=\"kind\"\r\n\r\npeople\r\n";
            let body = format!("{kind}--x\r\nContent-Disposition: form-data; {field}\r\n--x--\r\n");
            let request = browser.client.post(portal.url("/imports/upload")).header("sec-fetch-site", "same-origin");
            let answer = request.header("content-type", "multipart/form-data; boundary=x").body(body).send().await.unwrap();
            assert!(answer.status().as_u16() < 500, "{field}");
            let to = answer.headers().get("location").map(|to| to.to_str().unwrap().to_owned()).unwrap_or_default();
            assert!(answer.status() == 400 || to == "/imports", "{field}: {} {to}", answer.status());
        }
    })
    .await;
}
