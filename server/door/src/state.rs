//! Answers in the place of the lab: to those without a pass, and while the lab is not ready. Neither asks the database again and again:
//! an application that lost its lab polls many times a second.

use std::sync::Arc;

use axum::response::Response;
use domain::{
    ids::LabId,
    labs::{LabState, host},
    time::Timestamp,
};
use http::{Method, StatusCode, request::Parts};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use services::visits::Waiting;

use crate::{
    Asked, Inner, cookie,
    counts::TO_PORTAL,
    guard, lab_words,
    page::{self, Extras, Reader},
    ports::SharedPass,
    timeline,
    words::{self, Language, Matter},
};

/// Path that the waiting page polls.
pub const STATUS: &str = "/.lectern/status";

impl Inner {
    /// Sends people to the portal, which gives passes. Nothing happens for a program, nor for one who only looks.
    pub(crate) async fn without_pass(&self, asked: &Asked, parts: &Parts) -> Response {
        let language = match asked.reader {
            Reader::Person(language) => language,
            Reader::Program(_) => return self.about(asked.reader, Matter::NoPass),
            Reader::Onlooker => return onlooker(&parts.method),
        };
        if let Some(owner) = self.ended_link(asked, parts).await {
            let links = self.portal.iter().map(|portal| (words::portal(language), portal.clone())).collect();
            let extras = Extras { text: Some(words::ask_for_link(language, &owner)), links, ..Extras::default() };
            return self.say(asked.reader, Matter::LinkEnded, &extras);
        }
        let lab = match self.passes.lab_of(&asked.site.label).await {
            Ok(Some(lab)) => lab,
            Ok(None) => return self.no_lab(asked.reader),
            Err(_) => return self.about(asked.reader, Matter::Unavailable),
        };
        let back = if parts.method == Method::GET { parts.uri.path_and_query().map_or("/", |path| path.as_str()) } else { "/" };
        match self.open_url(asked, lab, back) {
            Some(url) if parts.method == Method::GET => {
                self.counts.outcome(TO_PORTAL);
                page::see_other(&url)
            }
            url => self.say(asked.reader, Matter::NoPass, &open_link(language, url)),
        }
    }

    /// The page that says to open the lab, for one whose ticket is of no use.
    pub(crate) async fn without_ticket(&self, asked: &Asked, parts: &Parts) -> Response {
        match asked.reader {
            Reader::Person(language) => match self.passes.lab_of(&asked.site.label).await {
                Ok(Some(lab)) => self.say(asked.reader, Matter::NoTicket, &open_link(language, self.open_url(asked, lab, "/"))),
                Ok(None) => self.no_lab(asked.reader),
                Err(_) => self.about(asked.reader, Matter::Unavailable),
            },
            Reader::Program(_) => self.about(asked.reader, Matter::NoTicket),
            Reader::Onlooker => onlooker(&parts.method),
        }
    }

    /// No lab has this host.
    fn no_lab(&self, reader: Reader) -> Response {
        let mut extras = Extras::default();
        if let Reader::Person(language) = reader {
            extras.links.extend(self.portal.iter().map(|portal| (words::portal(language), portal.clone())));
        }
        self.say(reader, Matter::NotFound, &extras)
    }

    /// People get a page that waits for the lab; programs are told to come again, never by a page or a redirect, and nothing is read for them.
    pub(crate) async fn not_ready(&self, reader: Reader, pass: &SharedPass) -> Response {
        let state = pass.lab_state();
        let matter = match state {
            LabState::Pending | LabState::Starting | LabState::Running => Matter::NotReady,
            LabState::Stopping | LabState::Stopped => Matter::Stopped,
            LabState::Failed => Matter::Failed,
            // Its pass ends within seconds.
            LabState::Destroying | LabState::Destroyed => return self.about(reader, Matter::NotFound),
        };
        let waits = Extras { waits_in: Some(state.as_str()), ..Extras::default() };
        let Reader::Person(language) = reader else { return self.say(reader, matter, &waits) };
        // The page says what it knows without these facts too.
        let seen = self.passes.waiting((pass.lab(), state, pass.observed_at())).await;
        let (waiting, now) = seen.unwrap_or_else(|_| (Arc::new(Waiting::default()), Timestamp::from_seconds(0)));
        let matter = match waiting.ends_at {
            Some(end) if matter == Matter::Stopped && end <= now => Matter::TimeOver,
            _ => matter,
        };
        let steps = if matter == Matter::NotReady { timeline::steps(language, &waiting.steps, now) } else { Vec::new() };
        let text = match waiting.failure.as_deref() {
            _ if pass.is_guest() && matter != Matter::NotReady => Some(words::guest(language)),
            // Its files are not kept.
            Some("VolumeLost") => Some(words::without_files(language)),
            _ => None,
        };
        let link = match matter {
            _ if pass.is_guest() => None,
            Matter::Stopped => Some(words::start(language)),
            Matter::TimeOver => Some(words::extend(language)),
            Matter::Failed => Some(words::reason(language)),
            _ => Some(words::lab_page(language)),
        };
        let place = if matter == Matter::TimeOver { "#extend" } else { "" };
        let links = link.and_then(|link| self.lab_page(link, pass.lab())).map(|(link, to)| (link, to + place)).into_iter().collect();
        let facts = facts(language, pass, (matter, state), &waiting);
        self.say(reader, matter, &Extras { facts, text: text.map(ToOwned::to_owned), steps, links, ..waits })
    }

    /// The application does not answer, or not as it should; or nothing leads to it, which `matter` says.
    pub(crate) fn no_answer(&self, asked: &Asked, pass: &SharedPass, matter: Matter) -> Response {
        let mut extras = Extras::default();
        if let Reader::Person(language) = asked.reader {
            extras.facts.push((words::lab_term(language), pass.lab_name().to_owned()));
            if let Some((port @ 1.., _)) = host::split_port(&asked.site.label) {
                extras.facts.push((words::port_term(language), port.to_string()));
                extras.text = matches!(matter, Matter::NoConnection | Matter::NoAnswer).then(|| words::no_server(language, port));
            }
            // An empty address is that of the page itself.
            extras.links.push((words::try_again(language), String::new()));
            if !pass.is_guest() {
                extras.links.extend(self.lab_page(words::lab_page(language), pass.lab()));
            }
        }
        self.say(asked.reader, matter, &extras)
    }

    /// A lab that is used without a browser: nothing is asked of it.
    pub(crate) fn no_page(&self, reader: Reader, pass: &SharedPass) -> Response {
        let mut extras = Extras::default();
        if let Reader::Person(language) = reader {
            extras.facts.push((words::lab_term(language), pass.lab_name().to_owned()));
            if !pass.is_guest() {
                extras.links.extend(self.lab_page(words::lab_page(language), pass.lab()));
            }
        }
        self.say(reader, Matter::NoPage, &extras)
    }

    /// How the lab is, for the waiting page. Asking is no use of the lab.
    pub(crate) async fn status(&self, asked: &Asked, parts: &Parts) -> Response {
        let (reader, language) = match asked.reader {
            Reader::Person(language) | Reader::Program(language) => (Reader::Program(language), Some(language)),
            Reader::Onlooker => (Reader::Onlooker, None),
        };
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return self.about(reader, Matter::Method);
        }
        match self.admit(asked, &parts.headers).await {
            Ok(Some(_)) if !guard::allows(parts, &asked.site.origin, false) => self.about(reader, Matter::CrossSite),
            Ok(Some(pass)) => {
                let (state, ready) = (pass.lab_state(), pass.target().is_some());
                let steps = match language {
                    Some(language) if !ready => self.steps(language, &pass, state).await,
                    _ => String::new(),
                };
                page::json(StatusCode::OK, &format!(r#"{{"state":"{}","ready":{ready}{steps}}}"#, state.as_str()))
            }
            Ok(None) => self.about(reader, Matter::NoPass),
            Err(_) => self.about(reader, Matter::Unavailable),
        }
    }

    /// The steps of the start as a further member of the status; nothing if they are not known at the moment.
    async fn steps(&self, language: Language, pass: &SharedPass, state: LabState) -> String {
        match self.passes.waiting((pass.lab(), state, pass.observed_at())).await {
            Ok((waiting, now)) if !waiting.steps.is_empty() => {
                format!(r#","steps":{}"#, timeline::json(&timeline::steps(language, &waiting.steps, now)))
            }
            _ => String::new(),
        }
    }

    /// The owner of the lab, if one of the browser's cookies was a pass by a link that has ended.
    async fn ended_link(&self, asked: &Asked, parts: &Parts) -> Option<String> {
        for cookie in cookie::candidates(&parts.headers, self.sites.is_https()) {
            if let Ok(Some(owner)) = self.passes.ended_link(&asked.site.label, &cookie).await {
                return Some(owner);
            }
        }
        None
    }

    /// A link to the lab's page on the portal.
    fn lab_page(&self, text: &'static str, lab: LabId) -> Option<(&'static str, String)> {
        let portal = self.portal.as_ref()?;
        Some((text, format!("{portal}/labs/{lab}")))
    }

    /// The portal's page that opens the asked port of a lab at `next`.
    fn open_url(&self, asked: &Asked, lab: LabId, next: &str) -> Option<String> {
        let portal = self.portal.as_ref()?;
        let port = match host::split_port(&asked.site.label) {
            None | Some((0, _)) => String::new(),
            Some((port, _)) => format!("&port={port}"),
        };
        Some(format!("{portal}/labs/{lab}/open?next={}{port}", utf8_percent_encode(next, NON_ALPHANUMERIC)))
    }
}

/// Facts about a lab that is not ready.
fn facts(language: Language, pass: &SharedPass, (matter, state): (Matter, LabState), waiting: &Waiting) -> Vec<(&'static str, String)> {
    let time = |at: Timestamp| {
        let at = at.on_campus();
        format!("{} {}", at.date(), at.time())
    };
    let mut facts =
        vec![(words::lab_term(language), pass.lab_name().to_owned()), (words::state_term(language), words::state(state, language).to_owned())];
    facts.extend(waiting.since.map(|since| (words::since_term(language), time(since))));
    if matter == Matter::TimeOver {
        facts.extend(waiting.ends_at.map(|end| (words::over_term(language), time(end))));
    }
    if let Some(reason) = &waiting.failure {
        facts.push((words::reason_term(language), lab_words::failure(language, reason).to_owned()));
    }
    facts
}

/// For a browser that fetches ahead there is nothing; a previewer learns no more than that it may not enter.
fn onlooker(method: &Method) -> Response {
    page::plain(if *method == Method::HEAD { StatusCode::UNAUTHORIZED } else { StatusCode::NO_CONTENT })
}

fn open_link(language: Language, url: Option<String>) -> Extras {
    Extras { links: url.map(|url| (words::open(language), url)).into_iter().collect(), ..Extras::default() }
}
