//! The server that is measured: the release binary as a process of its own, with its own data folder, on loopback.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;
use tokio::process::Command;

use crate::{
    process::{Memory, Process, free_port, run},
    settings::Settings,
};

/// How to start it.
#[derive(Debug, Clone)]
pub struct Start {
    pub data: PathBuf,
    /// A file in the data folder unless this names another database.
    pub database: Option<String>,
    /// The simulator in the server's own process unless this names a cluster's kubeconfig.
    pub kubeconfig: Option<PathBuf>,
    /// Pods of the simulator in the process start at once.
    pub fast: bool,
    pub history: bool,
    /// Lines of the section `[log]`.
    pub log: &'static str,
}

impl Start {
    pub fn on(data: &Path) -> Self {
        Self { data: data.to_owned(), database: None, kubeconfig: None, fast: false, history: false, log: "filter = \"warn\"" }
    }
}

#[derive(Debug)]
pub struct Portal {
    process: Process,
    binary: PathBuf,
    start: Start,
    /// `http://127.0.0.1:PORT`
    pub base: String,
    /// From the start of the process until `/readyz` said so.
    pub ready_after: Duration,
}

impl Portal {
    /// With demonstration accounts where the data folder is new.
    pub async fn start(settings: &Settings, start: Start) -> Result<Self> {
        std::fs::create_dir_all(&start.data)?;
        let config = start.data.join("bench.toml");
        let log = settings.log.as_deref().unwrap_or(start.log);
        std::fs::write(&config, format!("[log]\n{}\n[cluster]\nsimulator_fast = {}\n[labs]\nlisten = \"127.0.0.1:0\"\n", log, start.fast))?;
        let base = format!("http://127.0.0.1:{}", free_port()?);
        let mut command = Command::new(&settings.binary);
        command.arg("serve").arg("--config").arg(&config).arg("--data").arg(&start.data).arg("--demo");
        command.args(["--listen", base.trim_start_matches("http://"), "--demo-history", if start.history { "1" } else { "0" }]);
        if let Some(database) = &start.database {
            command.args(["--database", database]);
        }
        if let Some(kubeconfig) = &start.kubeconfig {
            command.arg("--cluster").arg(format!("kubeconfig:{}", kubeconfig.display()));
        }
        if let Some(site) = &settings.site {
            command.arg("--site-root").arg(site);
        }
        let mut process = Process::start(&mut command, &start.data.join("server.log"))?;
        let ready_after = process.ready(&format!("{base}/readyz"), Duration::from_mins(5)).await?;
        Ok(Self { process, binary: settings.binary.clone(), start, base, ready_after })
    }

    pub fn memory(&self) -> Result<Memory> {
        self.process.memory()
    }

    pub fn said(&self) -> String {
        self.process.said()
    }

    pub async fn stop(self) -> Result<()> {
        self.process.stop().await
    }

    /// Runs `lectern …` on this server's data.
    pub async fn command(&self, words: &[&str]) -> Result<String> {
        let mut command = Command::new(&self.binary);
        command.args(words).arg("--data").arg(&self.start.data);
        if let Some(database) = &self.start.database {
            command.args(["--database", database]);
        }
        Ok(run(&mut command).await?.trim().to_owned())
    }

    /// A program that may do what this demonstration account may.
    pub async fn api(&self, login: &str) -> Result<Api> {
        let mut words = vec!["token", "create", "--user", login];
        for scope in domain::access::Scope::ALL {
            words.extend(["--scope", scope.as_str()]);
        }
        let token = self.command(&words).await?;
        Ok(Api { client: reqwest::Client::new(), base: format!("{}/api/v1", self.base), token })
    }

    /// The kubeconfig of the simulator in this server's process.
    pub fn kubeconfig(&self) -> PathBuf {
        self.start.kubeconfig.clone().unwrap_or_else(|| self.start.data.join("simulator/kubeconfig"))
    }

    /// The password that a demonstration account was given.
    pub fn password(&self, login: &str) -> Result<String> {
        let file = self.start.data.join("demo-accounts.txt");
        let text = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        let words = |line: &str| line.split_whitespace().map(ToOwned::to_owned).collect::<Vec<_>>();
        let found = text.lines().map(words).find(|words| words.first().is_some_and(|name| name == login));
        found.and_then(|words| words.get(1).cloned()).with_context(|| format!("no demonstration account {login}"))
    }

    /// Signs a demonstration account in with its password, as its browser does; returns the cookie.
    pub async fn sign_in(&self, login: &str) -> Result<String> {
        let form = [("login", login), ("password", &self.password(login)?)];
        let request = reqwest::Client::new().post(format!("{}/api/session/sign-in", self.base));
        let answer = request.header("accept", "application/json").header("sec-fetch-site", "same-origin").form(&form).send().await?;
        let cookies = answer.headers().get_all("set-cookie").iter().filter_map(|cookie| cookie.to_str().ok());
        let cookie = cookies.filter_map(|cookie| cookie.split(';').next()).find(|cookie| cookie.starts_with("lectern=")).map(ToOwned::to_owned);
        let status = answer.status();
        cookie.with_context(|| format!("{login} was not signed in: {status}"))
    }

    /// How many labs are in this state, as the server's own figures say.
    pub async fn labs(&self, state: &str) -> Result<usize> {
        let text = reqwest::get(format!("{}/metrics", self.base)).await?.text().await?;
        let name = format!("lectern_labs{{state=\"{state}\"}} ");
        Ok(text.lines().find_map(|line| line.strip_prefix(&name)).map_or(Ok(0), str::parse)?)
    }
}

/// A program with a token.
#[derive(Debug, Clone)]
pub struct Api {
    client: reqwest::Client,
    base: String,
    token: String,
}

impl Api {
    pub async fn get(&self, path: &str) -> Result<Value> {
        good(self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.token)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        good(self.client.post(format!("{}{path}", self.base)).bearer_auth(&self.token).json(body)).await
    }

    pub async fn order(&self, key: &str, body: &Value) -> Result<Value> {
        let request = self.client.post(format!("{}/orders", self.base)).bearer_auth(&self.token);
        good(request.header("idempotency-key", key).json(body)).await
    }

    /// Every item of a list, page by page.
    pub async fn all(&self, path: &str) -> Result<Vec<Value>> {
        let (mut items, mut after) = (Vec::new(), None::<String>);
        loop {
            let more = after.map_or_else(String::new, |after| format!("&after={after}"));
            let mut page = self.get(&format!("{path}?limit=200{more}")).await?;
            items.extend(page["items"].as_array_mut().map(std::mem::take).unwrap_or_default());
            after = page["next"].as_str().map(ToOwned::to_owned);
            if after.is_none() {
                return Ok(items);
            }
        }
    }
}

async fn good(request: reqwest::RequestBuilder) -> Result<Value> {
    let answer = request.send().await?;
    let (status, url) = (answer.status(), answer.url().path().to_owned());
    let text = answer.text().await?;
    if !status.is_success() {
        bail!("{url} answered {status}: {text}");
    }
    Ok(serde_json::from_str(&text)?)
}

/// The text of a field. Errors: there is none.
pub fn text<'v>(value: &'v Value, field: &str) -> Result<&'v str> {
    value[field].as_str().with_context(|| format!("no {field} in {value}"))
}
