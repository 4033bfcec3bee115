//! The wasm itself: cargo compiles it in a target folder of its own (so that it never waits for the server's build), the
//! wasm-bindgen library writes the script. Library and crate have one version by Cargo.lock.

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

/// Compiles `app` and gives the path of its wasm file.
pub fn compile(root: &Path, profile: &str) -> Result<PathBuf> {
    let target = root.join("target/wasm-build");
    let status = cargo()
        .current_dir(root)
        .args(["build", "--quiet", "-p", "app", "--lib", "--target", TARGET, "--no-default-features", "--features", "hydrate"])
        .args(["--profile", profile])
        .arg("--target-dir")
        .arg(&target)
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("app does not compile for the browser; if the target is missing: rustup target add {TARGET}");
    }
    // Cargo's profile `dev` writes into a folder with another name.
    let folder = if profile == "dev" { "debug" } else { profile };
    Ok(target.join(TARGET).join(folder).join("app.wasm"))
}

/// What wasm-bindgen made.
pub struct Bound {
    pub script: Vec<u8>,
    pub wasm: Vec<u8>,
    /// Scripts of dependencies, by path below `snippets/`.
    pub snippets: BTreeMap<String, Vec<u8>>,
}

/// Binds the wasm in memory's stead through `folder`, which is emptied first.
pub fn bind(compiled: &Path, folder: &Path) -> Result<Bound> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let mut bindgen = Bindgen::new();
    bindgen
        .input_path(compiled)
        .out_name("lectern")
        .web(true)
        .map_err(|error| anyhow!("wasm-bindgen: {error}"))?
        .typescript(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(true);
    bindgen.generate(folder).map_err(|error| anyhow!("wasm-bindgen: {error}"))?;
    Ok(Bound {
        script: fs::read(folder.join("lectern.js"))?,
        wasm: fs::read(folder.join("lectern_bg.wasm"))?,
        snippets: super::files::read_tree(&folder.join("snippets"))?,
    })
}
