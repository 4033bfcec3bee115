//! What a first visit costs: script, wasm and style sheet as they travel.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, bail};

use crate::{files::MANIFEST, say};

/// Fails when the three files are over `max_kb` (1000 B each) of brotli.
pub fn check(out: &Path, max_kb: u64) -> Result<()> {
    let manifest = fs::read_to_string(out.join(MANIFEST)).with_context(|| format!("no site in {}: run `cargo run -p site` first", out.display()))?;
    let mut total = 0;
    for line in manifest.lines() {
        let (kind, path) = line.split_once(' ').with_context(|| format!("{MANIFEST} has a line of another kind: {line}"))?;
        let packed = out.join(format!("{}.br", path.trim_start_matches('/')));
        let size = fs::metadata(&packed).with_context(|| format!("cannot read {}", packed.display()))?.len();
        say(&format!("  {kind:<8} {size:>9} B"));
        total += size;
    }
    say(&format!("  {:<8} {total:>9} B of {} B", "total", max_kb * 1000));
    if total > max_kb * 1000 {
        bail!("the browser's bundle is {} B over its budget of {max_kb} kB", total - max_kb * 1000);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_over_its_budget_fails() -> Result<()> {
        let folder = tempfile::tempdir()?;
        fs::write(folder.path().join(MANIFEST), "script /a.js\nwasm /b.wasm\n")?;
        fs::write(folder.path().join("a.js.br"), vec![0; 600])?;
        fs::write(folder.path().join("b.wasm.br"), vec![0; 1400])?;
        check(folder.path(), 2)?;
        assert!(check(folder.path(), 1).unwrap_err().to_string().contains("1000 B over"));
        assert!(check(&folder.path().join("absent"), 1).is_err());
        Ok(())
    }
}
