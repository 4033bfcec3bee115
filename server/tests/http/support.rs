//! A portal for a test: the real router behind a real port, a database and a cluster of its own, a clock turned by hand.

use std::{
    fmt::Write as _,
    io,
    path::Path,
    sync::{Arc, Mutex, Once},
};

use domain::{access::Scope, ids::UserId};
use reqwest::{Client, RequestBuilder, Response, header::HeaderMap, redirect::Policy};
use serde_json::Value;
use server::{config::Config, state::AppState};
use services::{Caller, testing::TestWorld};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

pub struct Portal {
    pub world: TestWorld,
    /// `http://127.0.0.1:PORT`
    pub base: String,
    stopping: CancellationToken,
    serving: JoinHandle<()>,
}

impl Drop for Portal {
    fn drop(&mut self) {
        self.stopping.cancel();
        self.serving.abort();
    }
}

/// People of every role; the teachers teach `CV2402`.
pub struct People {
    pub teacher: Caller,
    pub colleague: Caller,
    pub manager: Caller,
    pub auditor: Caller,
    pub operator: Caller,
    pub administrator: Caller,
}

impl Portal {
    pub async fn of(world: TestWorld) -> Self {
        Self::configured(world, |_| {}).await
    }

    pub async fn college() -> Self {
        Self::of(TestWorld::college().await).await
    }

    pub async fn configured(world: TestWorld, change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::for_testing(Path::new("unused"));
        change(&mut config);
        let stopping = CancellationToken::new();
        let state = AppState::new(world.services.clone(), config, stopping.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = tokio::spawn(async move {
            let served = server::commands::serve::serve(listener, state, std::future::pending()).await;
            served.expect("serving");
        });
        Self { world, base, stopping, serving }
    }

    /// Everybody, and the cluster's cards known.
    pub async fn people(&self) -> People {
        services::jobs::watch::take(&self.world.services, &[services::ports::Change::Nodes]).await.expect("nodes are counted");
        let course = self.world.course("CV2402").add().await;
        People {
            teacher: self.world.teacher("teacher", &[&course]).await,
            colleague: self.world.teacher("colleague", &[&course]).await,
            manager: self.world.manager("manager").await,
            auditor: self.world.auditor("auditor").await,
            operator: self.world.operator("operator").await,
            administrator: self.world.administrator("administrator").await,
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// A browser that nobody has signed in with.
    pub fn browser(&self) -> Browser {
        Browser { client: client(None), base: self.base.clone() }
    }

    /// A browser in which this person is signed in; by a session made directly, since signing in is limited and slow on purpose.
    pub async fn browser_of(&self, person: &Caller) -> Browser {
        let cookie = self.session_of(person.actor.user, "lectern").await;
        Browser { client: client(Some(&cookie)), base: self.base.clone() }
    }

    pub async fn session_of(&self, user: UserId, name: &str) -> String {
        let id = tower_sessions::session::Id::default().to_string();
        let hash = services::digest::hex_sha256(&id);
        let data = format!("{{\"user\":\"{user}\",\"credentials_version\":1}}");
        let until = self.world.services.clock.now().plus_seconds(3_600);
        let made = services::sessions::create(&self.world.services, &hash, Some(user), &data, until).await;
        assert!(made.expect("a session row"), "the id is new");
        format!("{name}={id}")
    }

    pub async fn token(&self, person: &Caller, scopes: &[Scope]) -> Api {
        let origin = TestWorld::origin();
        let scopes = scopes.iter().copied().collect();
        let secret = services::tokens::create_for(&self.world.services, &origin, &person.actor.login, "test", scopes, 90).await.expect("a token");
        Api { client: client(None), base: format!("{}/api/v1", self.base), secret: Some(secret) }
    }

    /// A token with every scope.
    pub async fn api(&self, person: &Caller) -> Api {
        self.token(person, &Scope::ALL).await
    }

    pub fn api_without_token(&self) -> Api {
        Api { client: client(None), base: format!("{}/api/v1", self.base), secret: None }
    }
}

fn client(cookie: Option<&str>) -> Client {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // What goes wrong is shown with the test that fails.
        let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
        let _ = tracing_subscriber::fmt().with_env_filter(filter).with_test_writer().try_init();
    });
    let mut headers = HeaderMap::new();
    if let Some(cookie) = cookie {
        headers.insert("cookie", cookie.parse().expect("a cookie"));
    }
    // A fixed cookie goes with every request; otherwise the browser keeps what it is given.
    Client::builder().redirect(Policy::none()).cookie_store(cookie.is_none()).default_headers(headers).build().expect("a client")
}

/// Asks as a browser does: pages by links, forms without scripts, or the scripts of a page.
#[derive(Clone)]
pub struct Browser {
    pub client: Client,
    pub base: String,
}

impl Browser {
    pub async fn page(&self, path: &str) -> Response {
        self.client.get(format!("{}{path}", self.base)).header("accept", "text/html").header("accept-language", "en").send().await.expect("an answer")
    }

    /// A form that the browser posts itself, from the page at `from`.
    pub fn form(&self, path: &str, from: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.client
            .post(format!("{}{path}", self.base))
            .header("accept", "text/html")
            .header("sec-fetch-site", "same-origin")
            .header("referer", format!("{}{from}", self.base))
            .form(fields)
    }

    /// A server function as the page's scripts call it.
    pub fn call(&self, path: &str, fields: &[(&str, &str)]) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.base)).header("accept", "application/json").header("sec-fetch-site", "same-origin").form(fields)
    }
}

/// A program with a token.
#[derive(Clone)]
pub struct Api {
    pub client: Client,
    pub base: String,
    pub secret: Option<String>,
}

impl Api {
    fn with_token(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.header("accept-language", "en");
        match &self.secret {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        }
    }
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.with_token(self.client.get(format!("{}{path}", self.base)))
    }
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.with_token(self.client.post(format!("{}{path}", self.base)))
    }
    pub fn put(&self, path: &str) -> RequestBuilder {
        self.with_token(self.client.put(format!("{}{path}", self.base)))
    }
    pub fn delete(&self, path: &str) -> RequestBuilder {
        self.with_token(self.client.delete(format!("{}{path}", self.base)))
    }
    /// What a GET answers, which must be 200.
    pub async fn read(&self, path: &str) -> Value {
        good(self.get(path).send().await.expect("an answer"), 200).await
    }
    /// What a POST without a body answers, which must be 200.
    pub async fn act(&self, path: &str) -> Value {
        good(self.post(path).send().await.expect("an answer"), 200).await
    }
    /// What a POST of this body answers, which must be 200.
    pub async fn say(&self, path: &str, body: &Value) -> Value {
        good(self.post(path).json(body).send().await.expect("an answer"), 200).await
    }
    /// Orders as the body says; the answer must be 201.
    pub async fn order(&self, key: &str, body: &Value) -> Value {
        good(self.post("/orders").header("idempotency-key", key).json(body).send().await.expect("an answer"), 201).await
    }
}

pub async fn good(response: Response, status: u16) -> Value {
    let (got, text) = (response.status(), response.text().await.expect("a body"));
    assert_eq!(got, status, "{text}");
    serde_json::from_str(&text).expect("JSON")
}

/// Status, the headers that matter and the body, for a snapshot. Ids and times that differ each time are replaced.
pub async fn shown(request: RequestBuilder) -> String {
    let response = request.send().await.expect("an answer");
    let mut text = format!("{}\n", response.status());
    for name in ["content-type", "content-language", "retry-after", "www-authenticate", "allow", "location"] {
        for value in response.headers().get_all(name) {
            let _ = writeln!(text, "{name}: {}", value.to_str().expect("text"));
        }
    }
    let body = response.text().await.expect("a body");
    match serde_json::from_str::<Value>(&body) {
        Ok(mut value) => {
            steady(&mut value);
            text.push_str(&serde_json::to_string_pretty(&value).expect("JSON"));
        }
        Err(_) => text.push_str(&body),
    }
    text
}

fn steady(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if name == "request_id" { *member = "[request]".into() } else { steady(member) }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(steady),
        Value::String(text) if uuid::Uuid::try_parse(text).is_ok() => *text = "[id]".into(),
        _ => {}
    }
}

/// The session cookie's `name=value` and its attributes.
pub fn set_cookie(response: &Response) -> Option<(String, Vec<String>)> {
    let cookies = response.headers().get_all("set-cookie").iter();
    let text = cookies.filter_map(|value| value.to_str().ok()).find(|text| text.starts_with("lectern=") || text.starts_with("__Host-lectern="))?;
    let mut parts = text.split("; ").map(ToOwned::to_owned);
    Some((parts.next()?, parts.collect()))
}

pub fn location(response: &Response) -> &str {
    response.headers().get("location").and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// The warnings and errors that this thread logs from now on. A test that reads them runs on one thread: `#[tokio::test]` without a flavour.
pub struct Log {
    written: Written,
    _guard: tracing::subscriber::DefaultGuard,
}

impl Log {
    pub fn begin() -> Self {
        let written = Written::default();
        let writer = written.clone();
        let format = tracing_subscriber::fmt().with_max_level(tracing::Level::WARN).with_ansi(false);
        let subscriber = format.with_writer(move || writer.clone()).finish();
        Self { written, _guard: tracing::subscriber::set_default(subscriber) }
    }

    /// Its lines so far.
    pub fn lines(&self) -> Vec<String> {
        let bytes = self.written.0.lock().expect("nobody panics while they hold it").clone();
        String::from_utf8(bytes).expect("text").lines().map(ToOwned::to_owned).collect()
    }
}

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics while they hold it").extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
