//! The catalogue page under load, signed in; beside it a bare Leptos page of as many bytes, and the same page in Next.js.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use tokio::process::Command;

use crate::{
    load::{Load, Target},
    portal::{Portal, Start},
    process::{Process, free_port},
    report::Section,
    settings::Settings,
    stats::{bytes, median, time},
};

const CONNECTIONS: usize = 50;
const PATH: &str = "/catalogue";

pub async fn measure(settings: &Settings, section: &mut Section) -> Result<()> {
    let duration = settings.size(Duration::from_secs(8), Duration::from_secs(2));
    let runs = settings.size(3, 1);
    section.note(format!(
        "{CONNECTIONS} connections that ask again at once, {} s each time, the middle of {runs}, in turn with the others. Lectern's page is a teacher's, with session, \
         rights, offerings and quota from SQLite. The client runs on the same two cores.",
        duration.as_secs()
    ));
    let folder = settings.folder("catalogue")?;
    let portal = Portal::start(settings, Start::on(&folder)).await?;
    let lectern = Target::new(&portal.base, PATH, Some(&portal.sign_in("teacher").await?));
    let page = lectern.once().await?;
    let (bare, bare_process) = bare(settings, page.len()).await?;
    let next = match Next::start(settings, &page).await {
        Ok(next) => Some(next),
        Err(error) => {
            section.row("The same page in Next.js", "", format!("not measured: {error:#}").replace('\n', " "), "");
            None
        }
    };

    let (mut ours, mut bares, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..runs {
        ours.push(lectern.load(CONNECTIONS, duration).await?);
        bares.push(bare.load(CONNECTIONS, duration).await?);
        if let Some(next) = &next {
            theirs.push(next.load(duration).await?);
        }
    }
    let rate = |loads: &[Load]| median(loads.iter().map(|load| load.per_second));
    let p99 = |loads: &[Load]| median(loads.iter().map(|load| load.times.percentile(99)));
    let shown = |loads: &[Load]| format!("{:.0} requests a second, p99 {}, {} of HTML", rate(loads), time(p99(loads)), bytes(loads[0].bytes as u64));
    let (our_memory, bare_memory) = (portal.memory()?.peak, bare_process.memory()?.peak);
    section.row("Lectern, signed in", "", format!("{}, memory {}", shown(&ours), bytes(our_memory)), "");
    let part = rate(&ours) / rate(&bares);
    section.aim(
        "Bare Leptos page of as many bytes",
        "Lectern at least 70 % of it",
        format!("{}, memory {}", shown(&bares), bytes(bare_memory)),
        part >= 0.7,
    );
    section.row("Lectern of the bare page", "", format!("{:.0} %", part * 100.0), "");
    if let Some(next) = next {
        let times = rate(&ours) / rate(&theirs);
        let memory = bytes(next.memory()?);
        section.aim(
            "Next.js, the same page, two processes",
            "Lectern at least 10 times it",
            format!("{}, memory {memory}", shown(&theirs)),
            times >= 10.0,
        );
        section.row("Lectern of Next.js", "", format!("{times:.1} times"), "");
        next.stop().await?;
    }
    bare_process.stop().await?;
    portal.stop().await
}

/// This program again, as the bare page's server, with as many cards as it takes to be as long as Lectern's page.
async fn bare(settings: &Settings, length: usize) -> Result<(Target, Process)> {
    let base = format!("http://127.0.0.1:{}", free_port()?);
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["bare", base.trim_start_matches("http://")]);
    let mut process = Process::start(&mut command, &settings.work.join("bare.log"))?;
    process.ready(&format!("{base}/1"), Duration::from_secs(10)).await?;
    let of = async |cards: usize| Target::new(&base, &format!("/{cards}"), None).once().await.map(|page| page.len());
    let (one, hundred) = (of(1).await?, of(101).await?);
    let cards = length.saturating_sub(one) * 100 / (hundred - one) + 1;
    let got = of(cards).await?;
    ensure!(got.abs_diff(length) * 50 < length, "{got} bytes are not as many as {length}");
    Ok((Target::new(&base, &format!("/{cards}"), None), process))
}

/// Two processes of `next start`, since one uses one core.
struct Next {
    processes: Vec<Process>,
    targets: Vec<Target>,
}

impl Next {
    async fn start(settings: &Settings, page: &[u8]) -> Result<Self> {
        let folder =
            std::env::var("BENCH_NEXT").ok().filter(|folder| !folder.is_empty()).context("BENCH_NEXT is not set: it could not be installed")?;
        let content = settings.work.join("content.json");
        let html = settings.work.join("catalogue.html");
        std::fs::write(&html, page)?;
        let converted =
            Command::new("node").arg(settings.root.join("server/bench/next/content.mjs")).stdin(std::fs::File::open(&html)?).output().await?;
        ensure!(converted.status.success(), "{}", String::from_utf8_lossy(&converted.stderr));
        std::fs::write(&content, converted.stdout)?;
        let mut next = Self { processes: Vec::new(), targets: Vec::new() };
        for number in 0..2 {
            let port = free_port()?.to_string();
            let mut command = Command::new("node");
            command.args(["node_modules/next/dist/bin/next", "start", "-H", "127.0.0.1", "-p", &port]).current_dir(&folder);
            command.env("NODE_ENV", "production").env("NEXT_TELEMETRY_DISABLED", "1").env("BENCH_CONTENT", &content);
            let mut process = Process::start(&mut command, &settings.work.join(format!("next-{number}.log")))?;
            let base = format!("http://127.0.0.1:{port}");
            process.ready(&base, Duration::from_secs(30)).await?;
            next.processes.push(process);
            next.targets.push(Target::new(&base, "/", None));
        }
        let theirs = next.targets[0].once().await?;
        let (ours, theirs) = (words(&String::from_utf8_lossy(page)), words(&String::from_utf8_lossy(&theirs)));
        ensure!(ours == theirs, "the texts differ:\n{}\n{}", first_difference(&ours, &theirs), first_difference(&theirs, &ours));
        Ok(next)
    }

    async fn load(&self, duration: Duration) -> Result<Load> {
        let half = CONNECTIONS / 2;
        let (one, other) = tokio::try_join!(self.targets[0].load(half, duration), self.targets[1].load(half, duration))?;
        Ok(one.with(other))
    }

    fn memory(&self) -> Result<u64> {
        self.processes.iter().map(|process| Ok(process.memory()?.peak)).sum()
    }

    async fn stop(self) -> Result<()> {
        for process in self.processes {
            process.stop().await?;
        }
        Ok(())
    }
}

/// What a reader reads of a page: its texts without scripts, tags and comments, spaces made equal.
fn words(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| body);
    let body = body.split_once('>').map_or(body, |(_, body)| body);
    let (mut text, mut rest) = (String::new(), body);
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        let hidden = ["script", "style", "template"].iter().find(|name| tag.starts_with(**name));
        if let Some(name) = hidden {
            rest = tag.split_once(&format!("</{name}>")).map_or("", |(_, rest)| rest);
        } else if let Some(comment) = tag.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
        } else {
            rest = tag.split_once('>').map_or("", |(_, rest)| rest);
            if !tag.starts_with('!') {
                text.push(' ');
            }
        }
    }
    for (entity, plain) in [("&#x27;", "'"), ("&#39;", "'"), ("&quot;", "\""), ("&lt;", "<"), ("&gt;", ">"), ("&nbsp;", " "), ("&amp;", "&")] {
        text = text.replace(entity, plain);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Forty characters from where it differs from the other.
fn first_difference(text: &str, other: &str) -> String {
    let same = text.chars().zip(other.chars()).take_while(|(a, b)| a == b).count();
    text.chars().skip(same.saturating_sub(10)).take(50).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_words_are_found_in_either_framework_s_html() {
        let leptos = "<html><body class=\"x\"><main><h1>Two<!> cards</h1><script>no</script><!----><p>1 &amp; 2</p></main></body></html>";
        let react = "<html><body><main><h1>Two<!-- --> cards</h1><p>1 &amp; 2</p></main><script>self.push(\"<p>\")</script></body></html>";
        assert_eq!(words(leptos), "Two cards 1 & 2");
        assert_eq!(words(leptos), words(react));
        assert_ne!(words(leptos), words(&react.replace("cards", "card")));
    }
}
