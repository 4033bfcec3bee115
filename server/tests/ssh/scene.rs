//! A college with one teacher, whose lab runs sshd on a server of its own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use domain::access::Scope;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use server::outside::SystemClock;
use services::{Caller, ports::Clock as _, testing::TestWorld};
use storage::testing::{TestDatabase, skip};
use tempfile::TempDir;

use crate::{
    client::{Client, search_path},
    place::{Server, closed_folder, until},
};

pub struct Scene {
    world: TestWorld,
    teacher: Caller,
    /// The teacher's token with every scope.
    api: String,
    server: Server,
    lab: String,
    pub name: String,
    pub client: Client,
    /// Of `lectern login`.
    pub token: String,
    // The last one to go.
    folder: TempDir,
}

impl Scene {
    /// A running lab. `None`, with the reason in the list of skips, where this machine has no OpenSSH.
    pub async fn start(test: &str) -> Option<Self> {
        if let Some(missing) = ["ssh", "scp", "ssh-keygen", "sshd", "rsync"].into_iter().find(|program| !is_here(program)) {
            skip(test, &format!("OpenSSH and rsync: {missing} is not installed"));
            return None;
        }
        let Some(folder) = closed_folder() else {
            skip(test, "OpenSSH: others may change every folder that could hold the labs, so sshd takes no keys there");
            return None;
        };
        // On the heap: the setup holds a whole world.
        Some(Box::pin(Self::within(folder)).await)
    }

    async fn within(folder: TempDir) -> Self {
        // Without it no client can be made.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let world = TestWorld::college_on(TestDatabase::sqlite().await).await;
        // The server has a key of its own, so the root of the labs' secrets is its own too.
        storage::testing::execute(&world.services.db, "DELETE FROM secrets").await.expect("deleted");
        // The server goes by the real clock.
        world.clock.set(SystemClock.now());
        let course = world.course("CV2402").budget(1_000_000).starts_per_day(1_000).add().await;
        let teacher = world.teacher("teacher", &[&course]).await;
        let token = async |name: &str, scopes: &[Scope]| {
            let scopes = scopes.iter().copied().collect();
            services::tokens::create_for(&world.services, &TestWorld::origin(), "teacher", name, scopes, 365).await.expect("a token")
        };
        let api = token("api", &Scope::ALL[..]).await;
        // As the documentation says.
        let for_ssh = token("ssh", &[Scope::LabsRead, Scope::LabsWrite][..]).await;
        let server = Server::start(&folder.path().join("data"), world.url()).await;
        let client = Client::at(folder.path().join("home"));
        let (lab, name) = (String::new(), String::new());
        let mut scene = Self { world, teacher, api, server, lab, name, client, token: for_ssh, folder };
        let key = scene.client.public_key("key");
        scene.add_key("key", &key).await;
        scene.order(&key).await;
        scene.until_it_is("running").await;
        let (url, user) = (scene.server.url.clone(), whoami());
        let (token, name) = (scene.token.clone(), scene.name.clone());
        scene.client.login(&url, &token, &user, &name).await;
        scene
    }

    /// Orders "Linux over SSH" with this key.
    async fn order(&mut self, key: &str) {
        let parameters = json!({"public_key": key, "card": "a100-80g-1g.10gb", "cards": 1, "cpu_cores": 1, "memory_gib": 4, "storage_gib": 10});
        let body = json!({"offering": "linux-ssh", "course": "CV2402", "parameters": parameters, "duration_minutes": 120});
        let order = self.answer(self.request(Method::POST, "/orders").header("idempotency-key", "ssh").json(&body)).await;
        order["labs"][0].as_str().unwrap_or_else(|| panic!("no lab: {order}")).clone_into(&mut self.lab);
        self.shown().await["name"].as_str().expect("a name").clone_into(&mut self.name);
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        reqwest::Client::new().request(method, format!("{}/api/v1{path}", self.server.url)).bearer_auth(&self.api)
    }

    async fn answer(&self, request: RequestBuilder) -> Value {
        let answer = request.send().await.expect("an answer");
        let (status, text) = (answer.status(), answer.text().await.expect("a body"));
        assert!(status.is_success(), "{status} {text}\n{}", self.server.said());
        serde_json::from_str(&text).unwrap_or_default()
    }

    /// The lab as the API shows it.
    async fn shown(&self) -> Value {
        self.answer(self.request(Method::GET, &format!("/labs/{}", self.lab))).await
    }

    pub async fn state(&self) -> String {
        self.shown().await["state"].as_str().expect("a state").to_owned()
    }

    pub async fn until_it_is(&self, wanted: &str) {
        until(&format!("the lab to be {wanted}"), async || {
            let state = self.state().await;
            assert_ne!(state, "failed", "{}\n{}", self.shown().await, self.server.said());
            (state == wanted).then_some(())
        })
        .await;
    }

    /// `start`, `stop` or `restart`.
    pub async fn act(&self, verb: &str) {
        self.answer(self.request(Method::POST, &format!("/labs/{}/{verb}", self.lab))).await;
    }

    pub async fn add_key(&self, name: &str, public_key: &str) {
        self.answer(self.request(Method::POST, "/ssh-keys").json(&json!({"name": name, "public_key": public_key}))).await;
    }

    pub async fn remove_key(&self, name: &str) {
        let keys = self.answer(self.request(Method::GET, "/ssh-keys")).await;
        let key = keys["items"].as_array().expect("keys").iter().find(|key| key["name"] == name).expect("the key");
        self.answer(self.request(Method::DELETE, &format!("/ssh-keys/{}", key["id"].as_str().expect("an id")))).await;
    }

    /// Revokes the token of `lectern login`, as another replica would.
    pub async fn revoke_token(&self) {
        self.world.clock.set(SystemClock.now());
        let tokens = services::tokens::list(&self.world.services, &self.teacher).await.expect("read");
        let token = tokens.into_iter().find(|token| token.name == "ssh").expect("the token");
        services::tokens::revoke(&self.world.services, &self.teacher, token.id).await.expect("revoked");
    }

    /// The lab's volume on this machine.
    pub fn volume(&self) -> PathBuf {
        self.data().join("labs").join(&self.name)
    }

    /// The keys that the lab's sshd takes now; empty while there is no file.
    pub fn keys(&self) -> String {
        let pods = fs::read_dir(self.data().join("lab-pods")).into_iter().flatten().flatten();
        let containers = pods.flat_map(|pod| fs::read_dir(pod.path().join("ssh")).into_iter().flatten().flatten());
        containers.map(|container| fs::read_to_string(container.path().join("authorized_keys")).unwrap_or_default()).collect()
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Ends the server and with it the lab.
    pub async fn stop(self) {
        let Self { world, server, folder, .. } = self;
        tokio::task::spawn_blocking(move || drop(server)).await.expect("it ends");
        world.services.db.close().await;
        folder.close().expect("the folder goes");
    }
}

/// sshd is in a folder that the search path of most people leaves out.
fn is_here(program: &str) -> bool {
    let path = format!("{}:/usr/local/sbin:/usr/sbin:/sbin", search_path());
    path.split(':').any(|folder| Path::new(folder).join(program).is_file())
}

/// The account that runs the tests, and so the lab.
fn whoami() -> String {
    let output = std::process::Command::new("id").arg("-un").output().expect("id runs");
    String::from_utf8(output.stdout).expect("a name").trim().to_owned()
}

/// The command lines of all processes, with spaces between the words.
pub fn process_lists() -> Vec<String> {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    let lines = processes.filter_map(|process| fs::read(process.path().join("cmdline")).ok()).filter(|line| !line.is_empty());
    lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " ")).collect()
}
