//! What every answer must be, whatever was asked; and that nothing fell over behind the answers.

use std::{
    fmt::Debug,
    panic,
    sync::{Mutex, Once},
};

use server::rest::problem;
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context, layer::SubscriberExt as _, util::SubscriberInitExt as _};

use crate::{
    html,
    nasty::HEADER,
    wire::{Answer, Ask},
};

/// Panics of the product, errors that it logged, and log lines with a field whose length the client controls.
static FAULTS: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn fault(text: String) {
    FAULTS.lock().expect("nobody panics while they hold it").push(text);
}

/// Most bytes of a field in a log line; paths are cut at 200 characters.
const LONGEST_FIELD: usize = 2_000;
/// Targets of the product's own log lines.
const OURS: [&str; 5] = ["server", "services", "storage", "app", "listener"];

struct Errors;

impl<S: Subscriber> Layer<S> for Errors {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        #[derive(Default)]
        struct Text {
            message: String,
            long: Option<&'static str>,
        }
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
                let shown = format!("{value:?}");
                if shown.len() > LONGEST_FIELD {
                    self.long = Some(field.name());
                }
                if field.name() == "message" {
                    self.message = shown;
                }
            }
        }
        let (level, target) = (*event.metadata().level(), event.metadata().target());
        if level > Level::INFO || !OURS.iter().any(|name| target.starts_with(name)) {
            return;
        }
        let mut text = Text::default();
        event.record(&mut text);
        if let Some(field) = text.long {
            fault(format!("{target} logged all of a long text as {field}"));
        }
        if level == Level::ERROR {
            fault(format!("logged as an error: {}", text.message));
        }
    }
}

/// Begins to listen. Every test says this first.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        tracing_subscriber::registry().with(Errors).init();
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // A failing test is no fault of the product's.
            if info.location().is_some_and(|at| !at.file().contains("tests/")) {
                fault(format!("panicked: {info}"));
            }
            before(info);
        }));
    });
}

/// What was asked and what is wrong with the answers.
#[derive(Default)]
pub struct Judge {
    wrong: Vec<String>,
    statuses: std::collections::BTreeMap<u16, u32>,
}

impl Judge {
    /// Of an answer to anything.
    pub fn any(&mut self, ask: &Ask, answer: Option<&Answer>) {
        let Some(answer) = answer else { return self.blame(ask, "no answer at all") };
        *self.statuses.entry(answer.status).or_default() += 1;
        if answer.status >= 500 {
            self.blame(ask, &format!("{}: {}", answer.status, answer.text().chars().take(300).collect::<String>()));
        }
        if !answer.is_ours() {
            // What is no HTTP at all is refused by the HTTP library, briefly.
            if !(400..500).contains(&answer.status) || !answer.body.is_empty() {
                self.blame(ask, &format!("{} by somebody else than the router", answer.status));
            }
            return;
        }
        if answer.headers.iter().any(|(name, _)| name == HEADER) {
            self.blame(ask, "a header of the request's making");
        }
        let body = answer.text();
        let is_page = answer.header("content-type").is_none_or(|media| media.contains("html"));
        for fault in is_page.then(|| html::faults(&body)).into_iter().flatten().take(3) {
            self.blame(ask, &fault);
        }
        if answer.header("x-content-type-options") != Some("nosniff") {
            self.blame(ask, "without the headers that every answer has");
        }
        // Who asks for a file that is not there is no reader.
        if answer.status >= 400 && answer.body.is_empty() && ask.method != "HEAD" && !ask.target.starts_with(b"/pkg/") {
            self.blame(ask, &format!("{} without a word", answer.status));
        }
    }

    /// Of an answer of the API: a problem document wherever it is no success.
    pub fn api(&mut self, ask: &Ask, answer: Option<&Answer>) {
        self.any(ask, answer);
        let Some(answer) = answer.filter(|answer| answer.is_ours() && answer.status >= 400 && ask.method != "HEAD") else { return };
        if answer.header("content-type") != Some(problem::MEDIA_TYPE) {
            return self.blame(ask, &format!("{} as {:?}: {}", answer.status, answer.header("content-type"), answer.text()));
        }
        let Ok(document) = serde_json::from_slice::<serde_json::Value>(&answer.body) else { return self.blame(ask, "no JSON") };
        let text = |member: &str| document[member].as_str().unwrap_or_default();
        let known = problem::codes().contains(&text("code")) && text("type") == format!("urn:lectern:problem:{}", text("code"));
        if !known || text("title").is_empty() || text("detail").len() < 10 || document["status"] != answer.status {
            self.blame(ask, &format!("no good problem document: {document}"));
        }
        let errors = document["errors"].as_array();
        if text("code") == "invalid"
            && errors.is_none_or(|errors| errors.is_empty() || errors.iter().any(|each| each["field"] == "" || each["detail"] == ""))
        {
            self.blame(ask, &format!("a field without a name or a word: {document}"));
        }
    }

    pub fn blame(&mut self, ask: &Ask, what: &str) {
        self.wrong.push(format!("{what}\n  {}", ask.shown()));
    }

    /// How many answers had this status.
    pub fn count(&self, status: u16) -> u32 {
        self.statuses.get(&status).copied().unwrap_or_default()
    }

    /// Ends the test: prints what was answered, fails with all that was wrong.
    pub fn end(self, what: &str) {
        println!("{what}: {:?}", self.statuses);
        let faults = std::mem::take(&mut *FAULTS.lock().expect("nobody panics while they hold it"));
        let all: Vec<_> = self.wrong.iter().chain(&faults).take(30).map(String::as_str).collect();
        assert!(all.is_empty(), "{} wrong answers, {} faults; the first:\n{}", self.wrong.len(), faults.len(), all.join("\n"));
        assert!(self.statuses.values().sum::<u32>() > 0, "something was asked");
    }
}
