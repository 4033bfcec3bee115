//! Answers in the place of the lab: to those without a pass, and while the lab is not ready. Neither asks the database again and again:
//! an application that lost its lab polls many times a second.

use axum::response::Response;
use domain::{
    ids::LabId,
    labs::{LabState, host},
};
use http::{Method, StatusCode, request::Parts};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use crate::{
    Asked, Inner, guard,
    page::{self, Extras, Reader},
    ports::SharedPass,
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
        let lab = match self.passes.lab_of(&asked.site.label).await {
            Ok(Some(lab)) => lab,
            Ok(None) => return self.about(asked.reader, Matter::NotFound),
            Err(_) => return self.about(asked.reader, Matter::Unavailable),
        };
        let back = if parts.method == Method::GET { parts.uri.path_and_query().map_or("/", |path| path.as_str()) } else { "/" };
        match self.open_url(asked, lab, back) {
            Some(url) if parts.method == Method::GET => page::see_other(&url),
            url => self.say(asked.reader, Matter::NoPass, &open_link(language, url)),
        }
    }

    /// The page that says to open the lab, for one whose ticket is of no use.
    pub(crate) async fn without_ticket(&self, asked: &Asked, parts: &Parts) -> Response {
        match asked.reader {
            Reader::Person(language) => match self.passes.lab_of(&asked.site.label).await {
                Ok(Some(lab)) => self.say(asked.reader, Matter::NoTicket, &open_link(language, self.open_url(asked, lab, "/"))),
                Ok(None) => self.about(asked.reader, Matter::NotFound),
                Err(_) => self.about(asked.reader, Matter::Unavailable),
            },
            Reader::Program(_) => self.about(asked.reader, Matter::NoTicket),
            Reader::Onlooker => onlooker(&parts.method),
        }
    }

    /// People get a page that waits for the lab; programs are told to come again, never by a page or a redirect.
    pub(crate) fn not_ready(&self, reader: Reader, pass: &SharedPass) -> Response {
        let state = pass.lab_state();
        let matter = match state {
            LabState::Pending | LabState::Starting | LabState::Running => Matter::NotReady,
            LabState::Stopping | LabState::Stopped => Matter::Stopped,
            LabState::Failed => Matter::Failed,
            // Its pass ends within seconds.
            LabState::Destroying | LabState::Destroyed => return self.about(reader, Matter::NotFound),
        };
        let mut extras = Extras { waits_in: Some(state.as_str()), ..Extras::default() };
        if let Reader::Person(language) = reader {
            extras.facts.push((words::lab_term(language), pass.lab_name().to_owned()));
            extras.facts.push((words::state_term(language), words::state(state, language).to_owned()));
            if let Some(since) = pass.since() {
                let since = since.on_campus();
                extras.facts.push((words::since_term(language), format!("{} {}", since.date(), since.time())));
            }
            let link = match matter {
                Matter::Stopped => words::start(language),
                Matter::Failed => words::reason(language),
                _ => words::lab_page(language),
            };
            extras.links.extend(self.lab_page(link, pass.lab()));
        }
        self.say(reader, matter, &extras)
    }

    /// The application does not answer, or not as it should.
    pub(crate) fn no_answer(&self, reader: Reader, pass: &SharedPass) -> Response {
        let mut extras = Extras::default();
        if let Reader::Person(language) = reader {
            extras.facts.push((words::lab_term(language), pass.lab_name().to_owned()));
            // An empty address is that of the page itself.
            extras.links.push((words::try_again(language), String::new()));
            extras.links.extend(self.lab_page(words::lab_page(language), pass.lab()));
        }
        self.say(reader, Matter::NoAnswer, &extras)
    }

    /// How the lab is, for the waiting page. Asking is no use of the lab.
    pub(crate) async fn status(&self, asked: &Asked, parts: &Parts) -> Response {
        let reader = match asked.reader {
            Reader::Person(language) => Reader::Program(language),
            other => other,
        };
        if !matches!(parts.method, Method::GET | Method::HEAD) {
            return self.about(reader, Matter::Method);
        }
        match self.admit(asked, &parts.headers).await {
            Ok(Some(_)) if !guard::allows(parts, &asked.site.origin, false) => self.about(reader, Matter::CrossSite),
            Ok(Some(pass)) => {
                let (state, ready) = (pass.lab_state().as_str(), pass.target().is_some());
                page::json(StatusCode::OK, &format!(r#"{{"state":"{state}","ready":{ready}}}"#))
            }
            Ok(None) => self.about(reader, Matter::NoPass),
            Err(_) => self.about(reader, Matter::Unavailable),
        }
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

/// For a browser that fetches ahead there is nothing; a previewer learns no more than that it may not enter.
fn onlooker(method: &Method) -> Response {
    page::plain(if *method == Method::HEAD { StatusCode::UNAUTHORIZED } else { StatusCode::NO_CONTENT })
}

fn open_link(language: Language, url: Option<String>) -> Extras {
    Extras { links: url.map(|url| (words::open(language), url)).into_iter().collect(), ..Extras::default() }
}
