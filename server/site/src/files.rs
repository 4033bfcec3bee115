//! The folder that the server serves: hashed names under `pkg/`, `public/` beside it, brotli copies, `assets.txt`.

use std::{collections::BTreeMap, fs, io::Write as _, path::Path};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

/// Lines `script PATH`, `wasm PATH`, `style PATH`: what the server puts into each page.
pub const MANIFEST: &str = "assets.txt";

pub struct Site {
    pub script: Vec<u8>,
    pub wasm: Vec<u8>,
    pub style: Vec<u8>,
    pub snippets: BTreeMap<String, Vec<u8>>,
    /// By path below the site's root.
    pub public: BTreeMap<String, Vec<u8>>,
}

/// One written file: bytes as they are and after brotli.
pub struct Size {
    pub path: String,
    pub plain: usize,
    pub packed: usize,
}

/// All files below `folder`, by path with `/`. An absent folder is empty.
pub fn read_tree(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut found = BTreeMap::new();
    if !folder.exists() {
        return Ok(found);
    }
    let mut waiting = vec![(folder.to_path_buf(), String::new())];
    while let Some((path, name)) = waiting.pop() {
        for entry in fs::read_dir(&path).with_context(|| format!("cannot read {}", path.display()))? {
            let entry = entry?;
            let own = entry.file_name().to_string_lossy().into_owned();
            if own.starts_with('.') {
                continue;
            }
            let name = if name.is_empty() { own } else { format!("{name}/{own}") };
            if entry.file_type()?.is_dir() {
                waiting.push((entry.path(), name));
            } else {
                found.insert(name, fs::read(entry.path())?);
            }
        }
    }
    Ok(found)
}

/// Replaces the site in `out`. Gives the sizes of what every page loads.
pub fn write(out: &Path, site: &Site, quality: u32) -> Result<Vec<Size>> {
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    let script = hashed("lectern", &site.script, "js");
    let wasm = hashed("lectern", &site.wasm, "wasm");
    let style = hashed("lectern", &site.style, "css");
    let mut sizes = Vec::new();
    for (path, bytes) in [(&script, &site.script), (&wasm, &site.wasm), (&style, &site.style)] {
        let packed = put(out, path, bytes, quality)?;
        sizes.push(Size { path: path.clone(), plain: bytes.len(), packed });
    }
    for (name, bytes) in &site.snippets {
        put(out, &format!("pkg/snippets/{name}"), bytes, quality)?;
    }
    for (name, bytes) in &site.public {
        put(out, name, bytes, quality)?;
    }
    fs::write(out.join(MANIFEST), format!("script /{script}\nwasm /{wasm}\nstyle /{style}\n"))?;
    Ok(sizes)
}

fn hashed(stem: &str, bytes: &[u8], extension: &str) -> String {
    let digest = Sha256::digest(bytes);
    // Eight bytes tell versions of one file apart; nobody forges them.
    format!("pkg/{stem}.{}.{extension}", hex(&digest[..8]))
}

pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(DIGITS[usize::from(digit)])).collect()
}

/// Writes one file and, if that makes it smaller, its brotli copy. Gives the bytes that travel.
fn put(out: &Path, path: &str, bytes: &[u8], quality: u32) -> Result<usize> {
    let target = out.join(path);
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&target, bytes).with_context(|| format!("cannot write {}", target.display()))?;
    let packed = pack(bytes, quality)?;
    if packed.len() >= bytes.len() {
        return Ok(bytes.len());
    }
    fs::write(out.join(format!("{path}.br")), &packed)?;
    Ok(packed.len())
}

fn pack(bytes: &[u8], quality: u32) -> Result<Vec<u8>> {
    const BUFFER: usize = 64 * 1024;
    // 16 MB, the largest window that every browser takes.
    const WINDOW_BITS: u32 = 24;
    let mut writer = brotli::CompressorWriter::new(Vec::new(), BUFFER, quality, WINDOW_BITS);
    writer.write_all(bytes)?;
    writer.flush()?;
    Ok(writer.into_inner())
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    fn site(style: &str) -> Site {
        Site {
            script: b"export default 1;".to_vec(),
            wasm: vec![0; 4096],
            style: style.as_bytes().to_vec(),
            snippets: BTreeMap::new(),
            public: BTreeMap::from([("favicon.svg".to_owned(), b"<svg/>".repeat(50))]),
        }
    }

    #[test]
    fn names_follow_the_content_and_old_files_go() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let out = folder.path().join("site");
        write(&out, &site("a{}"), 4)?;
        let first = fs::read_to_string(out.join(MANIFEST))?;
        write(&out, &site("b{}"), 4)?;
        let second = fs::read_to_string(out.join(MANIFEST))?;
        let line = |text: &str, index| text.lines().nth(index).map(str::to_owned);
        assert_eq!(line(&first, 0), line(&second, 0));
        assert_ne!(line(&first, 2), line(&second, 2));
        let sheets = fs::read_dir(out.join("pkg"))?
            .filter_map(Result::ok)
            .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "css"))
            .count();
        assert_eq!(sheets, 1);
        Ok(())
    }

    #[test]
    fn the_brotli_copy_unpacks_to_the_file() -> Result<()> {
        let folder = tempfile::tempdir()?;
        write(folder.path(), &site("a{}"), 11)?;
        let mut unpacked = Vec::new();
        brotli::Decompressor::new(fs::File::open(folder.path().join("favicon.svg.br"))?, 4096).read_to_end(&mut unpacked)?;
        assert_eq!(unpacked, fs::read(folder.path().join("favicon.svg"))?);
        Ok(())
    }
}
