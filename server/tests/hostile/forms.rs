//! Routes that take forms without being server functions: the upload of lists, language and theme, signing out, links.

use crate::{
    judge::{Judge, listen},
    nasty::{Chance, encode},
    wire::Ask,
    world::World,
};

const BOUNDARY: &str = "lectern-boundary";

fn part(head: &str, body: &[u8]) -> Vec<u8> {
    [format!("--{BOUNDARY}\r\n{head}\r\n\r\n").as_bytes(), body, b"\r\n"].concat()
}

/// A form with a file as a browser sends it, spoilt somewhere.
fn upload(chance: &mut Chance) -> Vec<u8> {
    let kind = *chance.one_of(&["people", "courses", "", "others"]);
    let name = chance.text().replace(['\r', '\n', '"'], "");
    let file: Vec<u8> = match chance.one_of(&[0, 1, 2, 3, 4, 5, 6, 7]) {
        0 => "账号,姓名\n20260001,示范教师甲\n".into(),
        1 => format!("账号,姓名,部门,角色,课程\n{},{},{},教师,{}\n", chance.text(), chance.text(), chance.text(), chance.text()).into(),
        2 => format!("code,name,budget,cards\nCV1,{},{},{}\n", chance.text(), chance.text(), chance.text()).into(),
        // GB18030, UTF-16 and what is neither.
        3 => b"\xd5\xcb\xba\xc5,\xd0\xd5\xc3\xfb\nli.hua,\xc0\xee\xbb\xaa\n".to_vec(),
        4 => b"\xff\xfea\0,\0b\0\n\0".to_vec(),
        5 => format!("账号,姓名\n{}", "\"".repeat(100_000)).into(),
        6 => format!("账号,姓名\n{}", "a,b\n".repeat(1_001)).into(),
        _ => chance.bytes(2_000),
    };
    let mut body = part("content-disposition: form-data; name=\"kind\"", kind.as_bytes());
    body.extend(part(&format!("content-disposition: form-data; name=\"file\"; filename=\"{name}\"\r\ncontent-type: text/csv"), &file));
    match chance.one_of(&[0, 1, 2, 3, 4]) {
        0 => body.truncate(body.len() / 2),
        1 => body.extend(part("content-disposition: form-data", b"nameless")),
        2 => body.extend(part("", b"headless")),
        _ => {}
    }
    body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_upload_and_no_form_breaks_its_route() {
    listen();
    storage::testing::for_each_engine("no_upload_and_no_form_breaks_its_route", |database| async move {
        let world = World::on(database).await;
        let (mut chance, mut judge) = (Chance::new(), Judge::default());
        for _ in 0..60 {
            let media = if chance.once_in(8) { "multipart/form-data".to_owned() } else { format!("multipart/form-data; boundary={BOUNDARY}") };
            let mut asks = vec![Ask::new("POST", "/imports/upload").body(&media, upload(&mut chance))];
            let form = format!("back={}&language={}&theme={}", chance.encoded(), chance.encoded(), chance.encoded());
            asks.push(Ask::new("POST", "/preferences").body("application/x-www-form-urlencoded", form));
            asks.push(
                Ask::new("POST", "/preferences")
                    .body(chance.one_of::<&str>(&["application/json", "", "application/x-www-form-urlencoded"]), chance.bytes(300)),
            );
            asks.push(
                Ask::new("POST", format!("/imports/{}/links.csv", chance.encoded()))
                    .body("application/x-www-form-urlencoded", encode(chance.text().as_bytes())),
            );
            asks.push(Ask::new("POST", "/sign-out").body("text/plain", chance.bytes(100)));
            for ask in asks {
                let cookie = world.cookie(&world.people.administrator).await;
                let accept = *chance.one_of(&["text/html", "application/json", "*/*"]);
                let ask = ask.header("accept", accept).header("cookie", cookie).header("sec-fetch-site", "same-origin");
                let answer = ask.send(world.address).await;
                if let Some(location) = answer.as_ref().and_then(|answer| answer.header("location"))
                    && (!location.starts_with('/') || location.starts_with("//"))
                {
                    judge.blame(&ask, &format!("sent to {location}"));
                }
                judge.any(&ask, answer.as_ref());
            }
        }
        judge.end("forms");
    })
    .await;
}
