//! Nothing of the server may reach the browser: neither its secrets nor its weight.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::{command::Options, say, wasm};

/// Crates that mean a mistake in a feature list. To forbid another one, add it here.
const FORBIDDEN: [&str; 23] = [
    "argon2",
    "axum",
    "chrono",
    "cluster",
    "hyper",
    "icu_calendar",
    "icu_datetime",
    "icu_experimental",
    "kube",
    "leptos_axum",
    "mio",
    "openidconnect",
    "rand",
    "reqwest",
    "rustls",
    "server",
    "services",
    "simulator",
    "sqlx",
    "storage",
    "tokio",
    "tower",
    "tower-http",
];

/// Crates that leptos itself names (for its configuration file, for cookies) and that the linker throws out again, with
/// what their code would leave in the wasm: symbols and the paths of panics.
const UNLINKED: [(&str, &[&str]); 2] =
    [("regex", &["regex_automata", "regex_syntax", "regex-automata-", "regex-syntax-"]), ("time", &["_ZN4time", "/time-0."])];

/// Compiles the wasm as the site has it, which costs nothing after a build with the same options.
pub fn check(options: &Options) -> Result<()> {
    let root = wasm::workspace_root()?;
    let output = wasm::cargo()
        .current_dir(&root)
        .args(["tree", "-p", "app", "--target", "wasm32-unknown-unknown", "--no-default-features", "--features", "hydrate"])
        // Normal edges only: what a macro needs to run on the build machine does not travel.
        .args(["-e", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"])
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo tree failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let tree = String::from_utf8(output.stdout)?;
    let found = forbidden(&tree);
    if !found.is_empty() {
        bail!(
            "server crates in the browser's tree: {}; `cargo tree -p app --target wasm32-unknown-unknown \
             --no-default-features --features hydrate -e normal -i NAME` says why",
            found.join(", ")
        );
    }
    check_linked(&wasm::compile(&root, &options.profile, options.design)?)?;
    let count = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect::<BTreeSet<_>>().len();
    say(&format!("site: {count} crates in the browser's tree, none of the server's"));
    Ok(())
}

/// Looks into the compiled file, which still has its names.
fn check_linked(compiled: &Path) -> Result<()> {
    let bytes = fs::read(compiled).with_context(|| format!("cannot read {}", compiled.display()))?;
    for (name, traces) in UNLINKED {
        if let Some(trace) = traces.iter().find(|trace| contains(&bytes, trace.as_bytes())) {
            bail!("{name} is linked into the browser's wasm ({trace} is in it)");
        }
    }
    Ok(())
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

/// The forbidden crates that a list of `name vX.Y.Z` lines holds.
fn forbidden(tree: &str) -> Vec<&'static str> {
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    FORBIDDEN.into_iter().filter(|crate_name| names.contains(crate_name)).collect()
}

#[cfg(test)]
mod tests {
    use super::{contains, forbidden};

    #[test]
    fn a_server_crate_is_found_by_its_whole_name() {
        assert_eq!(forbidden("app v0.1.0\nserde v1.0.1\nsqlx v0.9.0 (*)\n"), ["sqlx"]);
        assert!(forbidden("app v0.1.0\nserver_fn v0.8.1\ntower-service v0.3.3\nany_spawner v0.3.0\n").is_empty());
    }

    #[test]
    fn a_trace_is_found_anywhere_in_the_file() {
        assert!(contains(b"\0asm...regex_automata::", b"regex_automata"));
        assert!(!contains(b"\0asm", b"regex_automata"));
    }
}
