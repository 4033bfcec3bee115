//! The command line: three commands and five options are not worth a parser library.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

pub const HELP: &str = "\
Builds the browser's half of Lectern.

  site [--out DIR] [--profile NAME] [--no-design]
                                         build into DIR (target/site); profile `wasm-dev` (the default) compiles
                                         quickly, `wasm` is small and is what is shipped;
                                         --no-design leaves the page of all components out, as in what is shipped
  site budget --max-kb N --max-lazy-kb M [--out DIR]
                                         fail when what every page loads is over N kB (1000 B) of brotli, or what
                                         the pages of one part load besides is over M kB
  site wasm-tree [--profile NAME] [--no-design]
                                         fail when a server crate is among the browser's dependencies, or linked into
                                         the wasm of this profile";

#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    Build(Options),
    Budget { options: Options, limits: Limits },
    WasmTree(Options),
    Help,
}

/// In kB (1000 B) of brotli.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What every page loads.
    pub always: u64,
    /// What the pages of one part load besides.
    pub lazy: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    pub out: PathBuf,
    /// A cargo profile.
    pub profile: String,
    /// With the page of all components.
    pub design: bool,
}

impl Options {
    /// Brotli quality: the best quality takes seconds and is for shipped builds.
    pub fn quality(&self) -> u32 {
        if self.profile == "wasm" { 11 } else { 5 }
    }
}

pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Command> {
    let mut arguments = arguments.peekable();
    let verb = arguments.next_if(|argument| !argument.starts_with('-'));
    let mut options = Options { out: PathBuf::from("target/site"), profile: "wasm-dev".to_owned(), design: true };
    let (mut always, mut lazy) = (None, None);
    while let Some(flag) = arguments.next() {
        let mut value = || arguments.next().with_context(|| format!("{flag} needs a value"));
        match flag.as_str() {
            "--out" => options.out = PathBuf::from(value()?),
            "--profile" => options.profile = value()?,
            "--no-design" => options.design = false,
            "--max-kb" => always = Some(value()?.parse().context("--max-kb takes a whole number")?),
            "--max-lazy-kb" => lazy = Some(value()?.parse().context("--max-lazy-kb takes a whole number")?),
            "--help" | "-h" => return Ok(Command::Help),
            other => bail!("unknown option {other}; see site --help"),
        }
    }
    match verb.as_deref() {
        None | Some("build") => Ok(Command::Build(options)),
        Some("budget") => {
            let limits = Limits { always: always.context("budget needs --max-kb N")?, lazy: lazy.context("budget needs --max-lazy-kb M")? };
            Ok(Command::Budget { options, limits })
        }
        Some("wasm-tree") => Ok(Command::WasmTree(options)),
        Some(other) => bail!("unknown command {other}; see site --help"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn commands_have_their_defaults() {
        let options = |out: &str, profile: &str| Options { out: out.into(), profile: profile.into(), design: true };
        assert_eq!(read("").unwrap(), Command::Build(options("target/site", "wasm-dev")));
        assert_eq!(read("--out x --profile dev").unwrap(), Command::Build(options("x", "dev")));
        assert_eq!(
            read("budget --max-kb 300 --max-lazy-kb 90").unwrap(),
            Command::Budget { options: options("target/site", "wasm-dev"), limits: Limits { always: 300, lazy: 90 } }
        );
        assert_eq!(read("--no-design").unwrap(), Command::Build(Options { design: false, ..options("target/site", "wasm-dev") }));
        assert_eq!(read("wasm-tree").unwrap(), Command::WasmTree(options("target/site", "wasm-dev")));
    }

    #[test]
    fn what_is_not_known_is_named() {
        assert!(read("--colour").unwrap_err().to_string().contains("--colour"));
        assert!(read("bake").unwrap_err().to_string().contains("bake"));
        assert!(read("budget").unwrap_err().to_string().contains("--max-kb"));
        assert!(read("budget --max-kb 1").unwrap_err().to_string().contains("--max-lazy-kb"));
        assert!(read("--out").unwrap_err().to_string().contains("--out"));
    }
}
