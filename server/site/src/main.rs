//! Builds what a browser needs into one folder: the wasm of `app`, its script, the style sheet and `public/`.
//! Each file carries its content's hash in its name and has a brotli copy beside it; `assets.txt` names them for the
//! server. Nothing is done twice: a second run with nothing changed only asks cargo.

mod budget;
mod command;
mod files;
mod stamp;
mod style;
mod tree;
mod wasm;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use command::{Command, Options};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // Without the backtrace: whoever builds the site wants the sentence.
        Err(error) => {
            eprintln!("site: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    match command::parse(std::env::args().skip(1))? {
        Command::Build(options) => build(&options),
        Command::Budget { options, limits } => budget::check(&options.out, limits),
        Command::WasmTree(options) => tree::check(&options),
        Command::Help => {
            say(command::HELP);
            Ok(())
        }
    }
}

fn build(options: &Options) -> Result<()> {
    let root = wasm::workspace_root()?;
    say(&format!("site: compiling app for the browser (profile {})", options.profile));
    let compiled = wasm::compile(&root, &options.profile, options.design)?;

    let style = style::bundle(&root.join("style/main.css"))?;
    let public = files::read_tree(&root.join("public"))?;
    let wasm_bytes = std::fs::read(&compiled).with_context(|| format!("cannot read {}", compiled.display()))?;
    let stamp = stamp::of(&options.profile, &wasm_bytes, &style, &public);
    if stamp::matches(&options.out, &stamp) {
        say(&format!("site: {} is up to date", options.out.display()));
        return Ok(());
    }

    say("site: cutting out the lazy pages, writing the script that binds the wasm");
    let bound = wasm::bind(&wasm_bytes, &root.join("target/wasm-build/bound"))?;
    say("site: compressing");
    let site = files::Site { bound, style: style.into_bytes(), public };
    let sizes = files::write(&options.out, &site, options.quality())?;
    // Last, so that an interrupted build is not taken for a whole one.
    stamp::save(&options.out, &stamp)?;
    for size in &sizes {
        say(&format!("  {:<44} {:>9} B  brotli {:>9} B", size.path, size.plain, size.packed));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the output of a command line tool")]
fn say(line: &str) {
    println!("{line}");
}
