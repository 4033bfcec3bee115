//! Nothing of the server may reach the browser: neither its secrets nor its weight.

use anyhow::{Context as _, Result, bail};

use crate::{say, wasm};

/// Crates that mean a mistake in a feature list. To forbid another one, add it here.
const FORBIDDEN: [&str; 24] = [
    "argon2", "axum", "chrono", "cluster", "hyper", "icu_calendar", "icu_datetime", "icu_experimental", "kube", "leptos_axum",
    "mio", "openidconnect", "rand", "regex", "reqwest", "rustls", "server", "services", "simulator", "sqlx", "storage",
    "time", "tokio", "tower-http",
];

pub fn check() -> Result<()> {
    let output = wasm::cargo()
        .current_dir(wasm::workspace_root()?)
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
        bail!("server crates in the browser's wasm: {}; `cargo tree -p app --target wasm32-unknown-unknown --no-default-features --features hydrate -e normal -i NAME` says why", found.join(", "));
    }
    let count = tree.lines().map(|line| line.trim_end_matches(" (*)")).collect::<std::collections::BTreeSet<_>>().len();
    say(&format!("site: {count} crates in the browser's tree, none of the server's"));
    Ok(())
}

/// The forbidden crates that a list of `name vX.Y.Z` lines holds.
fn forbidden(tree: &str) -> Vec<&'static str> {
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split_whitespace().next()).collect();
    FORBIDDEN.into_iter().filter(|crate_name| names.contains(crate_name)).collect()
}

#[cfg(test)]
mod tests {
    use super::forbidden;

    #[test]
    fn a_server_crate_is_found_by_its_whole_name() {
        assert_eq!(forbidden("app v0.1.0\nserde v1.0.1\nsqlx v0.9.0 (*)\n"), ["sqlx"]);
        assert!(forbidden("app v0.1.0\nserver_fn v0.8.1\ntime-core v0.1.0\nany_spawner v0.3.0\n").is_empty());
    }
}
