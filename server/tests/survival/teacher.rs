//! A teacher at work over the API, who writes down every answer that was heard: what was acknowledged must be there whatever dies.
//! An answer that was not heard is asked for again, with the same key, as a good client does.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    chance::Chance,
    college::{College, Member},
    process::Place,
};

/// Labs that each keeps at most, so that all fit into the cluster.
const LABS: usize = 2;

/// A change that was acknowledged: the audit record must have exactly one of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Heard {
    pub action: &'static str,
    /// Id of the order or lab.
    pub object: String,
    /// Id of the request. `None` for an order: the answer that was heard may be the repetition of one that was lost.
    pub request: Option<String>,
}

pub struct Sent {
    pub body: Value,
    /// Status and body, once they were heard.
    pub answer: Option<(u16, String)>,
}

pub struct Teacher {
    client: Client,
    member: Member,
    manager: Member,
    base: String,
    chance: Chance,
    number: u64,
    /// By key.
    pub sent: BTreeMap<String, Sent>,
    pub heard: BTreeSet<Heard>,
    /// Orders that are undecided or wait for cards, as far as it is known.
    open: Vec<String>,
    labs: Vec<String>,
    /// Ids of the requests that were answered "try again later".
    pub put_off: Vec<String>,
}

/// No answer that counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The server is not there.
    Gone,
    /// It says that it cannot now.
    Later,
}

/// Teachers at work, each in a task of their own.
pub struct AtWork(Vec<JoinHandle<Teacher>>);

pub fn all_at_work(teachers: Vec<Teacher>, enough: &CancellationToken) -> AtWork {
    let begin = |mut teacher: Teacher| {
        let enough = enough.clone();
        tokio::spawn(async move {
            teacher.work(&enough).await;
            teacher
        })
    };
    AtWork(teachers.into_iter().map(begin).collect())
}

impl AtWork {
    /// Once all have noticed that the server is gone, or that it is enough.
    pub async fn ended(self) -> Vec<Teacher> {
        let mut teachers = Vec::with_capacity(self.0.len());
        for teacher in self.0 {
            teachers.push(teacher.await.expect("every answer was as it should be"));
        }
        teachers
    }
}

impl Teacher {
    pub fn all(place: &Place, college: &College, seed: u64) -> Vec<Self> {
        (0..).zip(&college.teachers).map(|(at, member)| Self::new(place, member, &college.manager, Chance::of(seed, at))).collect()
    }

    fn new(place: &Place, member: &Member, manager: &Member, chance: Chance) -> Self {
        Self {
            client: Client::new(),
            member: member.clone(),
            manager: manager.clone(),
            base: place.url("/api/v1"),
            chance,
            number: 0,
            sent: BTreeMap::new(),
            heard: BTreeSet::new(),
            open: Vec::new(),
            labs: Vec::new(),
            put_off: Vec::new(),
        }
    }

    /// Works until the server goes away, or until it is enough.
    async fn work(&mut self, enough: &CancellationToken) {
        // No connection of an earlier server.
        self.client = Client::new();
        while !enough.is_cancelled() {
            match self.step().await {
                Ok(()) => {}
                Err(Cut::Gone) => return,
                Err(Cut::Later) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// One thing, whatever is on hand.
    async fn step(&mut self) -> Result<(), Cut> {
        if let Some(key) = self.sent.iter().find(|(_, sent)| sent.answer.is_none()).map(|(key, _)| key.clone()) {
            return self.send(&key).await;
        }
        if !self.open.is_empty() && self.chance.percent(60) {
            return self.decide().await;
        }
        if !self.labs.is_empty() && (self.labs.len() + self.open.len() >= LABS || self.chance.percent(50)) {
            return self.use_lab().await;
        }
        if self.sent.len() > 3 && self.chance.percent(20) {
            return self.repeat().await;
        }
        self.order().await
    }

    /// Clears everything away: orders that wait are cancelled, labs destroyed.
    pub async fn tidy(&mut self) -> Result<(), Cut> {
        let unanswered = |teacher: &Self| teacher.sent.iter().find(|(_, sent)| sent.answer.is_none()).map(|(key, _)| key.clone());
        while let Some(key) = unanswered(self) {
            match self.send(&key).await {
                // Refused for good.
                Err(Cut::Later) if !self.sent.contains_key(&key) => {}
                other => other?,
            }
        }
        for order in std::mem::take(&mut self.open) {
            let seen = self.read(&format!("/orders/{order}")).await?;
            match seen["state"].as_str() {
                Some("pending_approval" | "queued") => {
                    self.change("order.cancel", &order, self.post(&format!("/orders/{order}/cancel"))).await?;
                }
                _ => self.labs.extend(labs_of(&seen)),
            }
        }
        for lab in std::mem::take(&mut self.labs) {
            if !matches!(self.read(&format!("/labs/{lab}")).await?["state"].as_str(), Some("destroying" | "destroyed")) {
                self.change("lab.destroy", &lab, self.post(&format!("/labs/{lab}/destroy"))).await?;
            }
        }
        Ok(())
    }

    async fn order(&mut self) -> Result<(), Cut> {
        self.number += 1;
        // A slice is approved by the policy, two cards wait for a manager.
        let (offering, parameters) = if self.chance.percent(65) {
            ("jupyterlab-slice", json!({}))
        } else {
            ("jupyterlab-2xa100-1tb", json!({"cards": 2, "cpu_cores": 8, "memory_gib": 64, "storage_gib": 128}))
        };
        let body =
            json!({"offering": offering, "course": self.member.course, "parameters": parameters, "duration_minutes": 60 + self.chance.below(60)});
        let key = format!("{}-{:05}", self.member.caller.actor.login, self.number);
        self.sent.insert(key.clone(), Sent { body, answer: None });
        self.send(&key).await
    }

    /// Sends what this key stands for; the first answer is kept, every later one must be the same.
    async fn send(&mut self, key: &str) -> Result<(), Cut> {
        let sent = &self.sent[key];
        let request = self.post("/orders").header("idempotency-key", key).json(&sent.body);
        let (status, _, text) = self.ask(request).await?;
        if status == 422 && text.contains("\"over_quota\"") && self.sent[key].answer.is_none() {
            // Labs that are on their way out still count, and the background work does not get far between two kills.
            self.sent.remove(key);
            return Err(Cut::Later);
        }
        assert_eq!(status, 201, "{text}");
        let answer = (status.as_u16(), text);
        if let Some(first) = &self.sent[key].answer {
            assert_eq!(&answer, first, "a retry of {key} is answered otherwise");
            return Ok(());
        }
        let order: Value = serde_json::from_str(&answer.1).unwrap();
        let id = order["id"].as_str().unwrap().to_owned();
        let labs = labs_of(&order);
        if labs.is_empty() {
            self.open.push(id.clone());
        } else {
            self.labs.extend(labs);
        }
        self.heard.insert(Heard { action: "order.submit", object: id, request: None });
        self.sent.get_mut(key).unwrap().answer = Some(answer);
        Ok(())
    }

    /// Asks again for what was answered already.
    async fn repeat(&mut self) -> Result<(), Cut> {
        let keys: Vec<_> = self.sent.keys().cloned().collect();
        let key = self.chance.one_of(&keys).clone();
        self.send(&key).await
    }

    async fn decide(&mut self) -> Result<(), Cut> {
        let at = usize::try_from(self.chance.below(self.open.len() as u64)).unwrap();
        let id = self.open[at].clone();
        let order = self.read(&format!("/orders/{id}")).await?;
        let labs = labs_of(&order);
        match order["state"].as_str().unwrap() {
            "pending_approval" => match self.chance.below(10) {
                0..7 => {
                    let approve = self.with(&self.manager.token, &format!("/orders/{id}/approve")).json(&json!({"version": order["version"]}));
                    self.change("order.approve", &id, approve).await?;
                    return Ok(());
                }
                7..9 => self.change("order.cancel", &id, self.post(&format!("/orders/{id}/cancel"))).await?,
                _ => {
                    let reject = self.with(&self.manager.token, &format!("/orders/{id}/reject")).json(&json!({"reason": "Not this week"}));
                    self.change("order.reject", &id, reject).await?
                }
            },
            "queued" => self.change("order.cancel", &id, self.post(&format!("/orders/{id}/cancel"))).await?,
            _ => {
                self.labs.extend(labs);
                true
            }
        }
        .then(|| self.open.remove(at));
        Ok(())
    }

    async fn use_lab(&mut self) -> Result<(), Cut> {
        let at = usize::try_from(self.chance.below(self.labs.len() as u64)).unwrap();
        let id = self.labs[at].clone();
        let lab = self.read(&format!("/labs/{id}")).await?;
        let verb = match lab["state"].as_str().unwrap() {
            "destroying" | "destroyed" => {
                self.labs.remove(at);
                return Ok(());
            }
            "stopping" | "stopped" | "failed" if self.chance.percent(60) => "start",
            "pending" | "starting" | "running" if self.chance.percent(60) => "stop",
            _ => "destroy",
        };
        let action = match verb {
            "start" => "lab.start",
            "stop" => "lab.stop",
            _ => "lab.destroy",
        };
        self.change(action, &id, self.post(&format!("/labs/{id}/{verb}"))).await?;
        Ok(())
    }

    /// Whether it was done. What the cluster did at the same time may stand against it, which is no failure.
    async fn change(&mut self, action: &'static str, object: &str, request: RequestBuilder) -> Result<bool, Cut> {
        let (status, request, text) = self.ask(request).await?;
        if status == StatusCode::OK {
            self.heard.insert(Heard { action, object: object.to_owned(), request: Some(request) });
            return Ok(true);
        }
        assert!(matches!(status.as_u16(), 409 | 422), "{action}: {status} {text}");
        Ok(false)
    }

    async fn read(&mut self, path: &str) -> Result<Value, Cut> {
        let request = self.client.get(format!("{}{path}", self.base)).bearer_auth(&self.member.token);
        let (status, _, text) = self.ask(request).await?;
        assert_eq!(status, 200, "{path}: {text}");
        Ok(serde_json::from_str(&text).unwrap())
    }

    /// Status, id of the request and body. An answer counts only when all of it was heard.
    async fn ask(&mut self, request: RequestBuilder) -> Result<(StatusCode, String, String), Cut> {
        let answer = request.timeout(Duration::from_secs(40)).send().await.map_err(|_| Cut::Gone)?;
        let status = answer.status();
        let id = answer.headers().get("x-request-id").and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
        let text = answer.text().await.map_err(|_| Cut::Gone)?;
        if status == StatusCode::SERVICE_UNAVAILABLE {
            self.put_off.push(id);
            return Err(Cut::Later);
        }
        Ok((status, id, text))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.with(&self.member.token, path)
    }

    fn with(&self, token: &str, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.base)).bearer_auth(token)
    }
}

fn labs_of(order: &Value) -> Vec<String> {
    order["labs"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect()
}
