//! The timeline of a lab's start on its waiting page: each step with its time and its usual time, as HTML for the page and as JSON for its
//! script.

use domain::{
    labs::start::{StartStep, StepTime},
    time::Timestamp,
};
use html_escape::encode_text;

use crate::{lab_words as words, words::Language};

/// A step as the page shows it. Its texts are our own and hold no character that HTML or JSON escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    kind: StartStep,
    mark: Mark,
    name: &'static str,
    /// `42 s · usually 30 s · longer than usual`
    about: String,
    language: Language,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    Done,
    Now,
    Late,
    Next,
}

impl Mark {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Now => "now",
            Self::Late => "late",
            Self::Next => "next",
        }
    }

    const fn text(self, language: Language) -> &'static str {
        match self {
            Self::Done => language.pick("已完成", "Done"),
            Self::Now | Self::Late => language.pick("进行中", "In progress"),
            Self::Next => language.pick("待进行", "To come"),
        }
    }

    const fn is_current(self) -> bool {
        matches!(self, Self::Now | Self::Late)
    }
}

pub fn steps(language: Language, times: &[StepTime], now: Timestamp) -> Vec<Step> {
    let step = |time: &StepTime| Step {
        kind: time.step,
        mark: mark(time, now),
        name: words::step(language, time.step),
        about: about(language, time, now),
        language,
    };
    times.iter().map(step).collect()
}

fn mark(time: &StepTime, now: Timestamp) -> Mark {
    match (time.from, time.until) {
        (Some(_), Some(_)) => Mark::Done,
        (Some(_), None) if time.is_late(now) => Mark::Late,
        (Some(_), None) => Mark::Now,
        (None, _) => Mark::Next,
    }
}

fn about(language: Language, time: &StepTime, now: Timestamp) -> String {
    let took = time.seconds(now).map_or_else(|| words::not_begun(language).to_owned(), |seconds| words::seconds(language, seconds));
    let usual = time.usual_seconds.map(|usual| words::usual(language, &words::seconds(language, usual.into())));
    let late = time.is_late(now).then(|| words::late(language).to_owned());
    [Some(took), usual, late].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The list, and a line that says which step it is to those who do not see it: it changes with the step, not with every second.
pub fn html(steps: &[Step]) -> String {
    let Some(first) = steps.first() else { return String::new() };
    let language = first.language;
    let rows: Vec<String> = steps.iter().map(row).collect();
    let current = steps.iter().find(|step| step.mark.is_current()).map_or("", |step| step.name);
    format!("<ol aria-label=\"{}\">{}</ol><p class=\"sr\" role=\"status\">{current}</p>", words::steps_title(language), rows.concat())
}

fn row(step: &Step) -> String {
    let current = if step.mark.is_current() { " aria-current=\"step\"" } else { "" };
    format!(
        "<li data-step=\"{}\" data-mark=\"{}\"{current}><span>{}</span><span class=\"sr\">{}</span><small>{}</small></li>",
        step.kind.as_str(),
        step.mark.as_str(),
        step.name,
        step.mark.text(step.language),
        encode_text(&step.about)
    )
}

/// For the page's script: an array.
pub fn json(steps: &[Step]) -> String {
    let object = |step: &Step| {
        format!(
            r#"{{"step":"{}","mark":"{}","name":"{}","text":"{}","about":"{}"}}"#,
            step.kind.as_str(),
            step.mark.as_str(),
            step.name,
            step.mark.text(step.language),
            step.about
        )
    };
    let all: Vec<String> = steps.iter().map(object).collect();
    format!("[{}]", all.join(","))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn times() -> [StepTime; 3] {
        let at = |seconds: i64| Some(Timestamp::from_seconds(1_700_000_000 + seconds));
        let step = |step, from, until, usual_seconds| StepTime { step, from, until, usual_seconds };
        [step(StartStep::Queue, at(0), at(3), None), step(StartStep::Pull, at(3), None, Some(30)), step(StartStep::Ready, None, None, Some(90))]
    }

    #[test]
    fn each_step_says_how_it_stands_in_both_languages() {
        let now = Timestamp::from_seconds(1_700_000_045);
        let shown = steps(Language::English, &times(), now);
        let parsed: Value = serde_json::from_str(&super::json(&shown)).unwrap();
        assert_eq!(
            parsed,
            json!([
                {"step": "queue", "mark": "done", "name": "Waiting for cards", "text": "Done", "about": "3 s"},
                {"step": "pull", "mark": "now", "name": "Pulling the image", "text": "In progress", "about": "42 s · usually 30 s"},
                {"step": "ready", "mark": "next", "name": "Application becomes ready", "text": "To come", "about": "not begun · usually 1 min 30 s"},
            ])
        );
        let page = html(&shown);
        assert!(page.contains("<li data-step=\"pull\" data-mark=\"now\" aria-current=\"step\"><span>Pulling the image</span>"), "{page}");
        assert!(page.ends_with("<p class=\"sr\" role=\"status\">Pulling the image</p>"), "{page}");
        let late = steps(Language::Chinese, &times(), now.plus_seconds(60));
        assert_eq!((late[1].mark, late[1].about.as_str()), (Mark::Late, "1 分 42 秒 · 通常 30 秒 · 比平时久"));
        assert!(html(&late).contains("已完成") && html(&late).contains("待进行"));
        assert_eq!(html(&[]), "");
    }
}
