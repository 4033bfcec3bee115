//! `make bench`: how fast Lectern is and how much memory it takes, beside its peers on the same machine in the same run. Figures go into
//! docs/performance.md. A new section is a file with `measure` and a line in [`run`].

mod bare;
mod catalogue;
mod clicks;
mod cluster;
mod database;
mod jupyterhub;
mod lab_site;
mod load;
mod pages;
mod portal;
mod process;
mod report;
mod settings;
mod starts;
mod startup;
mod stats;
mod term;
mod thousand;
mod world;

use std::{process::ExitCode, time::Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::runtime::Builder;

use crate::{report::Section, settings::Settings};

const SECTIONS: [(&str, &str); 6] = [
    ("starts", "Everybody starts a lab at once"),
    ("catalogue", "The catalogue under load"),
    ("pages", "Every page"),
    ("thousand", "A thousand labs on two hundred nodes"),
    ("startup", "Starting, and what is shipped"),
    ("door", "The way into labs"),
];

fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let words: Vec<_> = std::env::args().skip(1).collect();
    let done = match &words[..] {
        [bare, address] if bare == "bare" => block_on(Builder::new_multi_thread(), bare::serve(address)),
        // What is measured gets the cores, the client as little as it needs.
        _ => block_on(Builder::new_current_thread(), run()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn block_on(mut builder: Builder, work: impl Future<Output = Result<()>>) -> Result<()> {
    builder.enable_all().build()?.block_on(work)
}

async fn run() -> Result<()> {
    let settings = Settings::read()?;
    for name in &settings.only {
        ensure!(SECTIONS.iter().any(|(known, _)| known == name), "there is no section {name}: {}", SECTIONS.map(|(name, _)| name).join(", "));
    }
    // Made anew in each run.
    let _ = std::fs::remove_dir_all(settings.work.join("term"));
    let machine = report::machine(if settings.site.is_some() { "release build, site in a folder" } else { "release build with the site inside" });
    let started = Instant::now();
    for (name, title) in SECTIONS {
        if !settings.only.is_empty() && !settings.only.iter().any(|wanted| wanted == name) {
            continue;
        }
        eprintln!("== {name} (after {} s)", started.elapsed().as_secs());
        let mut section = Section::new(name, title);
        match name {
            "starts" => starts::measure(&settings, &mut section).await,
            "catalogue" => catalogue::measure(&settings, &mut section).await,
            "pages" => pages::measure(&settings, &mut section).await,
            "thousand" => thousand::measure(&settings, &mut section).await,
            "door" => lab_site::measure(&settings, &mut section).await,
            _ => startup::measure(&settings, &mut section).await,
        }
        .with_context(|| name)?;
        let markdown = section.markdown(&machine);
        say(&markdown);
        if !settings.quick && settings.log.is_none() {
            report::put(&settings.root.join("docs/performance.md"), section.name, &markdown)?;
        }
    }
    eprintln!("bench: done after {} s", started.elapsed().as_secs());
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the output of a command line tool")]
fn say(markdown: &str) {
    println!("{markdown}");
}
