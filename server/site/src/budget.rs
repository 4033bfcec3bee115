//! What a first visit costs: script, wasm and style sheet as they travel, and what each part's pages add.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::{command::Limits, files::MANIFEST, say};

/// Fails when what every page loads, or what one part adds, is over its limit.
pub fn check(out: &Path, limits: Limits) -> Result<()> {
    let manifest = fs::read_to_string(out.join(MANIFEST)).with_context(|| format!("no site in {}: run `cargo run -p site` first", out.display()))?;
    let mut always = 0;
    let mut lazy = BTreeMap::<&str, u64>::new();
    for line in manifest.lines() {
        let parts: Vec<_> = line.split(' ').collect();
        match parts[..] {
            ["lazy", part, path] => *lazy.entry(part).or_default() += size(out, path)?,
            [kind, path] => {
                let size = size(out, path)?;
                say(&format!("  {kind:<10} {size:>9} B"));
                always += size;
            }
            _ => bail!("{MANIFEST} has a line of another kind: {line}"),
        }
    }
    say(&format!("  {:<10} {always:>9} B of {} B", "every page", limits.always * 1000));
    for (part, size) in &lazy {
        say(&format!("  {part:<10} {size:>9} B more, of {} B", limits.lazy * 1000));
    }
    if always > limits.always * 1000 {
        bail!("what every page loads is {} B over its budget of {} kB", always - limits.always * 1000, limits.always);
    }
    if let Some((part, size)) = lazy.iter().find(|(_, size)| **size > limits.lazy * 1000) {
        bail!("the pages of {part} load {} B over the budget of {} kB for a part", size - limits.lazy * 1000, limits.lazy);
    }
    Ok(())
}

/// Bytes that travel: of the brotli copy where there is one.
fn size(out: &Path, path: &str) -> Result<u64> {
    let file = out.join(path.trim_start_matches('/'));
    let packed = out.join(format!("{}.br", path.trim_start_matches('/')));
    let found = fs::metadata(&packed).or_else(|_| fs::metadata(&file)).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(found.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_over_its_budget_fails() -> Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join(MANIFEST), "script /a.js\nwasm /b.wasm\nlazy billing /c.wasm\nlazy billing /d.wasm\n")?;
        for (name, size) in [("a.js.br", 600), ("b.wasm.br", 1400), ("c.wasm.br", 700), ("d.wasm", 300)] {
            fs::write(folder.path().join(name), vec![0; size])?;
        }
        let over = |always, lazy| check(folder.path(), Limits { always, lazy }).map_err(|error| error.to_string());
        assert_eq!(over(2, 1), Ok(()));
        assert!(over(1, 1).unwrap_err().contains("1000 B over"));
        assert!(over(2, 0).unwrap_err().contains("billing load 1000 B over"));
        assert!(check(&folder.path().join("absent"), Limits { always: 1, lazy: 1 }).is_err());
        Ok(())
    }
}
