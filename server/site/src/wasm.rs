//! The wasm itself: cargo compiles it in a target folder of its own (so that it never waits for the server's build), the
//! wasm-split library cuts the lazy pages out of it, the wasm-bindgen library writes the script. Libraries and crates have
//! one version by Cargo.lock.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, anyhow, bail};
use wasm_bindgen_cli_support::Bindgen;

const TARGET: &str = "wasm32-unknown-unknown";

/// The folder of the workspace: two above this package when cargo runs the tool, else the current one.
pub fn workspace_root() -> Result<PathBuf> {
    match env::var_os("CARGO_MANIFEST_DIR") {
        Some(package) => Path::new(&package).ancestors().nth(2).map(Path::to_path_buf).context("the package has no workspace"),
        None => Ok(env::current_dir()?),
    }
}

pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Compiles `app` and gives the path of its wasm file. `design` adds the page of all components.
pub fn compile(root: &Path, profile: &str, design: bool) -> Result<PathBuf> {
    let target = root.join("target/wasm-build");
    let status = cargo()
        .current_dir(root)
        .args(["rustc", "--quiet", "-p", "app", "--lib", "--target", TARGET, "--no-default-features"])
        .args(["--features", if design { "hydrate,design" } else { "hydrate" }])
        .args(["--profile", profile])
        .arg("--target-dir")
        .arg(&target)
        // Where code and data refer to each other: without it nothing can be cut out.
        .args(["--crate-type", "cdylib", "--", "-Clink-args=--emit-relocs"])
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("app does not compile for the browser; if the target is missing: rustup target add {TARGET}");
    }
    // Cargo's profile `dev` writes into a folder with another name.
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target.join(TARGET).join(folder).join("app.wasm"))
}

/// What the browser loads, by name; files name each other.
pub struct Bound {
    /// The script and the wasm of the frame.
    pub script: Vec<u8>,
    pub wasm: Vec<u8>,
    /// Loads the files of lazy pages.
    pub loader: Vec<u8>,
    /// Wasm of lazy pages and of what several of them share, by file name.
    pub chunks: BTreeMap<String, Vec<u8>>,
    /// For each part of `app/src/lazy.rs` the files that it needs.
    pub parts: BTreeMap<String, Vec<String>>,
    /// Scripts of dependencies, by path below `snippets/`.
    pub snippets: BTreeMap<String, Vec<u8>>,
}

pub const SCRIPT: &str = "lectern.js";
pub const WASM: &str = "lectern.wasm";
pub const LOADER: &str = "lazy.js";

/// Cuts and binds through `folder`, which is emptied first. There is no `wasm-opt` after it: what it saves in plain bytes, brotli
/// had already saved, and the files that travel were measured to be larger with it under these settings.
pub fn bind(compiled: &[u8], folder: &Path) -> Result<Bound> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let cut = folder.join("cut");
    let main = folder.join("main.wasm");
    let link = format!("./{LOADER}");
    let script = format!("./{SCRIPT}");
    let mut options = wasm_split_cli_support::Options::new(compiled);
    options.output_dir = &cut;
    options.main_out_path = &main;
    options.link_name = &link;
    options.main_module = &script;
    let split = wasm_split_cli_support::transform(options).map_err(|error| anyhow!("wasm-split: {error:#}"))?;

    let bound = folder.join("bound");
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(&main)
        .out_name("lectern")
        .web(true)
        .map_err(|error| anyhow!("wasm-bindgen: {error}"))?
        .typescript(false)
        // The lazy files link to them.
        .keep_lld_exports(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(true);
    bindgen.generate(&bound).map_err(|error| anyhow!("wasm-bindgen: {error}"))?;

    let mut chunks = BTreeMap::new();
    for path in &split.split_modules {
        let name = path.file_name().context("a lazy file has a name")?.to_string_lossy().into_owned();
        chunks.insert(name, fs::read(path)?);
    }
    let parts = split.prefetch_map.into_iter().map(|(part, files)| (part, files.into_iter().map(|file| file + ".wasm").collect()));
    Ok(Bound {
        script: fs::read(bound.join(SCRIPT))?,
        wasm: fs::read(bound.join("lectern_bg.wasm"))?,
        loader: fs::read(cut.join(LOADER))?,
        chunks,
        parts: parts.collect(),
        snippets: super::files::read_tree(&bound.join("snippets"))?,
    })
}
