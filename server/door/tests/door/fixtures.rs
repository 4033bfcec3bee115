//! A door on a real port, before labs whose pods are ports of this machine. Nothing here measures time: each test waits for an event that
//! must happen.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use domain::{
    Error,
    ids::{LabId, UserId},
    labs::{LabState, host},
    secret::Secret,
    shares::ViewOnly,
    time::Timestamp,
    visits::UseKind,
};
use door::{
    Counts, Door, DoorSettings,
    ports::{Dial, Pass, Passes, SharedPass},
};
use futures::future::BoxFuture;
use listener::{Limits, Listener};
use services::{
    ports::{ClusterError, Connection, PodTarget},
    visits::{EnterError, Entered, Look, Waiting},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// A test that hangs fails after this time.
const PATIENCE: Duration = Duration::from_mins(2);

pub const PORTAL: &str = "http://127.0.0.1:3000";
pub const TICKET: &str = "ticket-of-lab-7";
pub const COOKIE: &str = "cookie-of-lab-7";
/// Good for the host of port 9000 alone.
pub const PORT_COOKIE: &str = "of-port-9000";
pub const TOKEN: &str = "lct_of-the-owner";
/// The time that waiting pages count from.
pub const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);
/// A token without the scope, and one of somebody who may not know the lab.
pub const NARROW: &str = "lct_without-the-scope";
pub const FOREIGN: &str = "lct_of-somebody-else";

/// Ends the test if an event does not come.
pub async fn in_time<T>(doing: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, doing).await.expect("it happens in time")
}

/// Ends when the condition is met.
pub async fn until(mut met: impl FnMut() -> bool) {
    in_time(async {
        while !met() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await;
}

pub struct FakePass {
    pub lab: LabId,
    person: UserId,
    pub state: Mutex<LabState>,
    pub target: Mutex<Option<(PodTarget, u16)>>,
    pub view_only: Mutex<Option<ViewOnly>>,
    pub guest: AtomicBool,
    /// It is used without a browser.
    pub pageless: AtomicBool,
    pub ended: CancellationToken,
    pub gone: Mutex<CancellationToken>,
    pub bytes_in: AtomicU64,
    pub bytes_out: AtomicU64,
    pub used: Mutex<Vec<UseKind>>,
    /// The header of the lab's own secret for each pod, by uid.
    pub secrets: Mutex<HashMap<String, (String, String)>>,
}

impl Pass for FakePass {
    fn person(&self) -> UserId {
        self.person
    }
    fn lab(&self) -> LabId {
        self.lab
    }
    fn lab_name(&self) -> &'static str {
        "lab-7 <b>"
    }
    fn lab_state(&self) -> LabState {
        *self.state.lock().expect("no panic")
    }
    fn target(&self) -> Option<(PodTarget, u16)> {
        self.target.lock().expect("no panic").clone()
    }
    fn view_only(&self) -> Option<ViewOnly> {
        *self.view_only.lock().expect("no panic")
    }
    fn has_pages(&self) -> bool {
        !self.pageless.load(Ordering::SeqCst)
    }
    fn is_guest(&self) -> bool {
        self.guest.load(Ordering::SeqCst)
    }
    fn secret_header(&self, pod: &PodTarget) -> Option<(String, Secret)> {
        let secrets = self.secrets.lock().expect("no panic");
        secrets.get(&pod.uid).map(|(name, value)| (name.clone(), Secret::new(value.clone())))
    }
    fn ended(&self) -> &CancellationToken {
        &self.ended
    }
    fn pod_gone(&self) -> CancellationToken {
        self.gone.lock().expect("no panic").clone()
    }
    fn count(&self, bytes_in: u64, bytes_out: u64) {
        self.bytes_in.fetch_add(bytes_in, Ordering::SeqCst);
        self.bytes_out.fetch_add(bytes_out, Ordering::SeqCst);
    }
    fn used(&self, kind: UseKind) {
        self.used.lock().expect("no panic").push(kind);
    }
}

impl FakePass {
    /// From now on the lab is served by this pod.
    pub fn serve_by(&self, uid: &str) {
        let pod = PodTarget { namespace: "ai-cv2402".into(), name: "lab-7-0".into(), uid: uid.into() };
        *self.target.lock().expect("no panic") = Some((pod, 8_888));
    }
    /// The application in this pod takes this header.
    pub fn takes(&self, uid: &str, name: &str, value: &str) {
        self.secrets.lock().expect("no panic").insert(uid.into(), (name.into(), value.into()));
    }
    /// The lab is in this state, and no pod serves it.
    pub fn close(&self, state: LabState) {
        *self.state.lock().expect("no panic") = state;
        *self.target.lock().expect("no panic") = None;
        std::mem::take(&mut *self.gone.lock().expect("no panic")).cancel();
    }
}

/// A lab, its pass and the pods.
pub struct World {
    pub pass: Arc<FakePass>,
    used: AtomicBool,
    pub away: AtomicBool,
    /// How often a pass or a lab was asked for.
    pub admitted: AtomicUsize,
    pub named: AtomicUsize,
    /// The progress of the lab, and how often it was asked for.
    pub waiting: Mutex<Waiting>,
    pub waited: AtomicUsize,
    /// The owner whose link the browser with the cookie came by, once it has ended.
    pub ended_link: Mutex<Option<String>>,
    /// Addresses of pods by uid.
    pub pods: Mutex<HashMap<String, SocketAddr>>,
    /// Uids of the pods that were dialled.
    pub dialled: Mutex<Vec<String>>,
    pub dialled_ports: Mutex<Vec<u16>>,
}

impl Passes for World {
    fn enter<'a>(
        &'a self,
        label: &'a str,
        ticket: &'a str,
        origin: Option<&'a str>,
        _address: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Entered, EnterError>> {
        Box::pin(async move {
            if origin != Some(PORTAL) {
                return Err(EnterError::WrongOrigin);
            }
            if label != "lab-7" || ticket != TICKET || self.used.swap(true, Ordering::SeqCst) {
                return Err(EnterError::NoTicket);
            }
            Ok(Entered { cookie: Secret::new(COOKIE.to_owned()), next: "/lab/tree?a=1".to_owned() })
        })
    }

    fn admit<'a>(&'a self, label: &'a str, cookie: &'a str) -> BoxFuture<'a, Result<Option<SharedPass>, Error>> {
        Box::pin(async move {
            self.admitted.fetch_add(1, Ordering::SeqCst);
            if label == "lab-7" && cookie == COOKIE || label == "9000--lab-7" && cookie == PORT_COOKIE {
                return Ok(Some(Arc::clone(&self.pass) as SharedPass));
            }
            if self.away.load(Ordering::SeqCst) { Err(Error::Unavailable { retry_after_seconds: 5 }) } else { Ok(None) }
        })
    }

    fn enter_by_token<'a>(&'a self, label: &'a str, token: &'a str, _address: Option<&'a str>) -> BoxFuture<'a, Result<SharedPass, Error>> {
        Box::pin(async move {
            if self.away.load(Ordering::SeqCst) {
                return Err(Error::Unavailable { retry_after_seconds: 5 });
            }
            match token {
                TOKEN if label == "lab-7" && !self.pass.ended.is_cancelled() => Ok(Arc::clone(&self.pass) as SharedPass),
                NARROW => Err(Error::ScopeMissing { scope: "labs:write".into() }),
                FOREIGN => Err(Error::NotFound),
                _ => Err(Error::Unauthenticated),
            }
        })
    }

    fn lab_of<'a>(&'a self, label: &'a str) -> BoxFuture<'a, Result<Option<LabId>, Error>> {
        Box::pin(async move {
            self.named.fetch_add(1, Ordering::SeqCst);
            Ok(host::split_port(label).filter(|(_, own)| *own == "lab-7").map(|_| self.pass.lab))
        })
    }

    fn waiting(&self, look: Look) -> BoxFuture<'_, Result<(Arc<Waiting>, Timestamp), Error>> {
        assert_eq!(look.0, self.pass.lab);
        self.waited.fetch_add(1, Ordering::SeqCst);
        let waiting = self.waiting.lock().expect("no panic").clone();
        Box::pin(async move { Ok::<_, Error>((Arc::new(waiting), NOW)) })
    }

    fn ended_link<'a>(&'a self, label: &'a str, cookie: &'a str) -> BoxFuture<'a, Result<Option<String>, Error>> {
        let owner = self.ended_link.lock().expect("no panic").clone();
        Box::pin(async move { Ok::<_, Error>(owner.filter(|_| label == "lab-7" && cookie == COOKIE)) })
    }

    fn nonce(&self) -> String {
        "n0nce".to_owned()
    }
}

impl Dial for World {
    fn dial(&self, pod: PodTarget, port: u16) -> BoxFuture<'static, Result<Connection, ClusterError>> {
        self.dialled.lock().expect("no panic").push(pod.uid.clone());
        self.dialled_ports.lock().expect("no panic").push(port);
        let address = self.pods.lock().expect("no panic").get(&pod.uid).copied();
        Box::pin(async move {
            let gone = || ClusterError::Busy("nothing listens".to_owned());
            let stream = TcpStream::connect(address.ok_or_else(gone)?).await.map_err(|_| gone())?;
            Ok::<_, ClusterError>(Box::new(stream) as Connection)
        })
    }
}

/// The door, its world, and the port that browsers know.
pub struct Site {
    pub world: Arc<World>,
    pub port: u16,
    pub stopping: CancellationToken,
    pub counts: Arc<Counts>,
    serving: JoinHandle<()>,
}

impl Drop for Site {
    fn drop(&mut self) {
        self.stopping.cancel();
        self.serving.abort();
    }
}

impl Site {
    /// A lab that runs on `app`.
    pub async fn before(app: SocketAddr) -> Self {
        Self::with(app, |_| {}).await
    }

    pub async fn with(app: SocketAddr, change: impl FnOnce(&mut DoorSettings)) -> Self {
        let pass = Arc::new(FakePass {
            lab: LabId::from_uuid(Uuid::from_u128(7)),
            person: UserId::from_uuid(Uuid::from_u128(1)),
            state: Mutex::new(LabState::Running),
            target: Mutex::default(),
            view_only: Mutex::default(),
            guest: AtomicBool::new(false),
            pageless: AtomicBool::new(false),
            ended: CancellationToken::new(),
            gone: Mutex::default(),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            used: Mutex::default(),
            secrets: Mutex::default(),
        });
        pass.serve_by("pod-1");
        let world = Arc::new(World {
            pass,
            used: AtomicBool::new(false),
            away: AtomicBool::new(false),
            admitted: AtomicUsize::new(0),
            named: AtomicUsize::new(0),
            waiting: Mutex::default(),
            waited: AtomicUsize::new(0),
            ended_link: Mutex::default(),
            pods: Mutex::new([("pod-1".to_owned(), app)].into()),
            dialled: Mutex::default(),
            dialled_ports: Mutex::default(),
        });
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = socket.local_addr().expect("an address").port();
        let mut settings = DoorSettings {
            labs_url: format!("http://{{lab}}.localhost:{port}"),
            portal_url: Some(PORTAL.to_owned()),
            behind_proxy: false,
            per_lab: 64,
            per_person: 64,
        };
        change(&mut settings);
        let stopping = CancellationToken::new();
        let door = Door::with(Arc::clone(&world) as _, Arc::clone(&world) as _, settings, stopping.clone()).expect("an address of labs");
        let counts = door.counts();
        let listener = Listener::new(socket, Limits::default(), stopping.clone(), Duration::from_secs(1));
        let serving = tokio::spawn(async move {
            listener.serve(door).await;
        });
        Self { world, port, stopping, counts, serving }
    }

    /// The origin of the lab's site.
    pub fn origin(&self) -> String {
        format!("http://lab-7.localhost:{}", self.port)
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.expect("a connection")
    }

    /// The head of a request to the lab's host.
    pub fn head(&self, line: &str, headers: &[(&str, &str)]) -> String {
        let mut head = format!("{line} HTTP/1.1\r\nhost: lab-7.localhost:{}\r\n", self.port);
        for (name, value) in headers {
            head.extend([*name, ": ", *value, "\r\n"]);
        }
        head.push_str("\r\n");
        head
    }

    /// Asks on a connection of its own.
    pub async fn ask(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let length = body.len().to_string();
        let mut all = headers.to_vec();
        all.push(("connection", "close"));
        if !body.is_empty() {
            all.push(("content-length", length.as_str()));
        }
        self.ask_raw(&format!("{}{body}", self.head(line, &all))).await
    }

    /// Asks with the pass, as a program on the lab's own pages does.
    pub async fn use_lab(&self, line: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let cookie = format!("lectern-lab={COOKIE}");
        let mut all = vec![("cookie", cookie.as_str()), ("sec-fetch-site", "same-origin")];
        all.extend_from_slice(headers);
        self.ask(line, &all, body).await
    }

    pub async fn ask_raw(&self, request: &str) -> Answer {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.expect("sent");
        let mut answer = Vec::new();
        // A connection that breaks off ends the answer where it is.
        let _ = in_time(stream.read_to_end(&mut answer)).await;
        Answer(String::from_utf8_lossy(&answer).into_owned())
    }

    /// A socket that was upgraded, after its head.
    pub async fn upgraded(&self, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        let (cookie, origin) = (format!("lectern-lab={COOKIE}"), self.origin());
        let headers = [("cookie", cookie.as_str()), ("origin", origin.as_str()), ("connection", "Upgrade"), ("upgrade", "websocket")];
        stream.write_all(self.head(&format!("GET {path}"), &headers).as_bytes()).await.expect("sent");
        let head = read_until(&mut stream, "\r\n\r\n").await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        stream
    }
}

pub async fn read_until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    in_time(async {
        while !text.ends_with(end) {
            text.push(char::from(stream.read_u8().await.expect("more")));
        }
    })
    .await;
    text
}

/// Ends when the other side has closed the connection.
pub async fn closed(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is an end too.
    let _ = in_time(stream.read_to_end(&mut rest)).await;
}

/// An answer as it came.
#[derive(Debug)]
pub struct Answer(pub String);

impl Answer {
    pub fn status(&self) -> u16 {
        self.0.get(9..12).and_then(|status| status.parse().ok()).unwrap_or_default()
    }
    fn split(&self) -> (&str, &str) {
        self.0.split_once("\r\n\r\n").unwrap_or((&self.0, ""))
    }
    pub fn body(&self) -> &str {
        self.split().1
    }
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.split().0.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}
