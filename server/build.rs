//! With the feature `embed`: writes the table of the built site's files, which `src/site/inside.rs` includes.

use std::{
    collections::BTreeMap,
    env,
    error::Error,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LECTERN_EMBED");
    if env::var_os("CARGO_FEATURE_EMBED").is_none() {
        return Ok(());
    }
    let site = env::var_os("LECTERN_EMBED").map_or_else(|| Path::new(&package()).join("../target/site"), PathBuf::from);
    let site = site.canonicalize().map_err(|error| format!("no site to embed in {} ({error}): `make site` builds it", site.display()))?;
    println!("cargo::rerun-if-changed={}", site.display());
    let mut found = BTreeMap::new();
    collect(&site, "", &mut found)?;
    let mut table = "&[\n".to_owned();
    for (path, file) in found.iter().filter(|(path, _)| Path::new(path).extension().is_none_or(|extension| extension != "br")) {
        let packed = match found.get(&format!("{path}.br")) {
            Some(packed) => format!("Some(include_bytes!({:?}))", packed.display().to_string()),
            None => "None".to_owned(),
        };
        let file = file.display().to_string();
        writeln!(table, "    File {{ path: {path:?}, plain: include_bytes!({file:?}), packed: {packed} }},")?;
    }
    table.push_str("]\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("site.rs"), table)?;
    Ok(())
}

fn package() -> String {
    env::var("CARGO_MANIFEST_DIR").unwrap_or_default()
}

/// Files below `folder` by their path with `/`; hidden ones are the site tool's own.
fn collect(folder: &Path, prefix: &str, found: &mut BTreeMap<String, PathBuf>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            continue;
        }
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{path}/"), found)?;
        } else {
            found.insert(path, entry.path());
        }
    }
    Ok(())
}
