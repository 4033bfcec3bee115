//! The socket of the terminal: who gets one, from where, and what passes over it. The programs in the lab are played by the test.

use domain::{
    ids::LabId,
    terminal::{Attached, FromBrowser, Hello, Notice, ToBrowser},
};
use futures::{SinkExt as _, StreamExt as _};
use serde_json::json;
use services::{
    Settings,
    jobs::reconcile,
    testing::{FakeProgram, TestWorld},
};
use storage::testing::TestDatabase;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::mpsc,
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest as _},
};

use crate::support::{People, Portal};

type Socket = WebSocketStream<TcpStream>;

/// A running lab of the teacher's.
struct Scene {
    portal: Portal,
    people: People,
    lab: String,
    programs: mpsc::Receiver<FakeProgram>,
}

async fn scene() -> Scene {
    let settings = Settings { simulated_cluster: true, labs_url: Some("http://{lab}.localhost:3001".into()), ..Settings::default() };
    let portal = Portal::of(TestWorld::college_with(TestDatabase::sqlite().await, settings).await).await;
    let people = portal.people().await;
    let body = json!({"offering": "jupyterlab-slice", "course": "CV2402", "parameters": {}, "duration_minutes": 60});
    let order = portal.api(&people.teacher).await.order("terminal", &body).await;
    let lab = order["labs"][0].as_str().unwrap_or_else(|| panic!("a lab: {order}")).to_owned();
    for _ in 0..50 {
        if reconcile::due(&portal.world.services).await.unwrap() == 0 {
            break;
        }
    }
    let programs = portal.world.cluster.host(lab.parse::<LabId>().unwrap());
    Scene { portal, people, lab, programs }
}

impl Scene {
    /// Opens the socket with this cookie as a page at `origin` does.
    async fn open(&self, cookie: &str, origin: &str) -> Result<Socket, u16> {
        let address = self.portal.base.strip_prefix("http://").unwrap();
        let mut request = format!("ws://{address}/labs/{}/terminal/socket", self.lab).into_client_request().unwrap();
        request.headers_mut().insert("cookie", cookie.parse().unwrap());
        request.headers_mut().insert("origin", origin.parse().unwrap());
        match client_async(request, TcpStream::connect(address).await.unwrap()).await {
            Ok((socket, _)) => Ok(socket),
            Err(Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(other) => panic!("{other}"),
        }
    }

    async fn started(&mut self) -> (FakeProgram, FakeProgram) {
        let shell = self.programs.recv().await.unwrap();
        (shell, self.programs.recv().await.unwrap())
    }
}

async fn say(socket: &mut Socket, message: &FromBrowser<'_>) {
    socket.send(Message::binary(message.write())).await.unwrap();
}

fn hello(token: Option<String>, seen: Option<u64>) -> FromBrowser<'static> {
    FromBrowser::Hello(Hello { columns: 100, rows: 30, token, seen, reason: None })
}

/// The next message that is no ping.
async fn hear(socket: &mut Socket) -> Vec<u8> {
    loop {
        match socket.next().await.unwrap().unwrap() {
            Message::Binary(bytes) => return bytes.to_vec(),
            Message::Ping(_) => {}
            other => panic!("{other:?}"),
        }
    }
}

async fn attached(socket: &mut Socket) -> Attached {
    match ToBrowser::read(&hear(socket).await) {
        Some(ToBrowser::Attached(attached)) => attached,
        _ => panic!("the first word is another one"),
    }
}

async fn output(socket: &mut Socket, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        match ToBrowser::read(&hear(socket).await) {
            Some(ToBrowser::Data(data)) => text.extend_from_slice(data),
            _ => panic!("the output ends before {end:?}"),
        }
    }
    String::from_utf8(text).unwrap()
}

async fn notice(socket: &mut Socket) -> Notice {
    loop {
        if let Some(ToBrowser::Notice(notice)) = ToBrowser::read(&hear(socket).await) {
            return notice;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_and_output_pass_and_a_reload_finds_the_shell() {
    let mut scene = scene().await;
    let cookie = scene.portal.session_of(scene.people.teacher.actor.user, "lectern").await;
    let own = scene.portal.base.clone();
    let mut socket = scene.open(&cookie, &own).await.expect("the owner may");
    say(&mut socket, &hello(None, None)).await;
    let (mut shell, mut keeper) = scene.started().await;
    assert_eq!(shell.sizes.recv().await.map(|size| (size.columns, size.rows)), Some((100, 30)));
    let token = attached(&mut socket).await.token;
    shell.stdout.write_all("lab$ 深".as_bytes()).await.unwrap();
    assert_eq!(output(&mut socket, "深").await, "lab$ 深");
    say(&mut socket, &FromBrowser::Size { columns: 80, rows: 24 }).await;
    say(&mut socket, &FromBrowser::Data(b"ls\r")).await;
    let mut keys = [0; 3];
    shell.stdin.read_exact(&mut keys).await.unwrap();
    assert_eq!(&keys, b"ls\r");
    assert_eq!(shell.sizes.recv().await.map(|size| size.columns), Some(80));
    // The tab is loaded anew, and somebody else has the token.
    drop(socket);
    let others = scene.portal.session_of(scene.people.manager.actor.user, "lectern").await;
    let mut other = scene.open(&others, &own).await.expect("managers may");
    say(&mut other, &hello(Some(token.clone()), None)).await;
    assert_eq!(notice(&mut other).await, Notice::NewShell);
    let theirs = scene.started().await;
    let mut again = scene.open(&cookie, &own).await.expect("the owner may");
    say(&mut again, &hello(Some(token), None)).await;
    let back = attached(&mut again).await;
    assert_eq!((back.from, back.live), (0, 8));
    assert_eq!(output(&mut again, "深").await, "lab$ 深");
    // The shell ends; the portal says so and closes.
    let FakeProgram { exit, stdout, .. } = shell;
    exit.send(0).unwrap();
    drop(stdout);
    assert_eq!(notice(&mut again).await, Notice::Ended);
    assert!(matches!(again.next().await, Some(Ok(Message::Close(_)))));
    assert_eq!(keeper.stdin.read(&mut keys).await.unwrap(), 0);
    drop(theirs);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_sites_and_people_get_no_socket() {
    let scene = scene().await;
    let own = scene.portal.base.clone();
    let teacher = scene.portal.session_of(scene.people.teacher.actor.user, "lectern").await;
    for origin in ["http://evil.example", "null", "http://lab-1-0123456789.localhost:3001"] {
        assert_eq!(scene.open(&teacher, origin).await.err(), Some(403), "{origin}");
    }
    let administrator = scene.portal.session_of(scene.people.administrator.actor.user, "lectern").await;
    assert_eq!(scene.open(&administrator, &own).await.err(), Some(404));
    let nobody = scene.open("lectern=none", &own).await.err();
    assert!(matches!(nobody, Some(303 | 401)), "{nobody:?}");
    // Whoever may read about the lab and not enter it is told so.
    let auditor = scene.portal.session_of(scene.people.auditor.actor.user, "lectern").await;
    let mut socket = scene.open(&auditor, &own).await.expect("they may read");
    say(&mut socket, &hello(None, None)).await;
    assert_eq!(notice(&mut socket).await, Notice::Forbidden);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_ends_the_shell() {
    let mut scene = scene().await;
    let own = scene.portal.base.clone();
    let cookie = scene.portal.session_of(scene.people.teacher.actor.user, "lectern").await;
    let mut socket = scene.open(&cookie, &own).await.expect("the owner may");
    say(&mut socket, &hello(None, None)).await;
    let (_shell, mut keeper) = scene.started().await;
    attached(&mut socket).await;
    let id = cookie.strip_prefix("lectern=").unwrap();
    services::sessions::delete(&scene.portal.world.services, &services::digest::hex_sha256(id)).await.unwrap();
    services::visits::round(&scene.portal.world.services).await.unwrap();
    assert_eq!(notice(&mut socket).await, Notice::AccessOver);
    assert_eq!(keeper.stdin.read(&mut [0]).await.unwrap(), 0, "the keeper hangs the shell up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_has_the_terminal_for_those_who_may_enter() {
    let scene = scene().await;
    let path = format!("/labs/{}/terminal", scene.lab);
    for (person, shown) in [
        (&scene.people.teacher, "class=\"terminal "),
        (&scene.people.manager, "class=\"terminal "),
        (&scene.people.operator, "id=\"reason\""),
        (&scene.people.auditor, "You cannot use this terminal"),
    ] {
        let page = scene.portal.browser_of(person).await.page(&path).await;
        assert_eq!(page.status(), 200);
        let html = page.text().await.unwrap();
        assert!(html.contains(shown), "{shown} is not in {html}");
    }
    assert_eq!(scene.portal.browser_of(&scene.people.administrator).await.page(&path).await.status(), 404);
    let html = scene.portal.browser_of(&scene.people.teacher).await.page(&format!("/labs/{}", scene.lab)).await.text().await.unwrap();
    assert!(html.contains(&format!("href=\"{path}\"")), "the lab's page leads there");
}
