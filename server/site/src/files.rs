//! The folder that the server serves: hashed names under `pkg/`, `public/` beside it, brotli copies, `assets.txt`.
//! Scripts and wasm refer to each other by name, so the hash of them all names the folder that they are in.

use std::{collections::BTreeMap, fmt::Write as _, fs, io::Write as _, path::Path};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use crate::wasm::{Bound, LOADER, SCRIPT, WASM};

/// Lines `script PATH`, `loader PATH`, `wasm PATH`, `style PATH`: what every page needs; `lazy PART PATH` for each file
/// that the pages of a part need as well.
pub const MANIFEST: &str = "assets.txt";

pub struct Site {
    pub bound: Bound,
    pub style: Vec<u8>,
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

/// Replaces the site in `out`. Gives the sizes of what pages load.
pub fn write(out: &Path, site: &Site, quality: u32) -> Result<Vec<Size>> {
    if out.exists() {
        fs::remove_dir_all(out).with_context(|| format!("cannot empty {}", out.display()))?;
    }
    let bound = &site.bound;
    let folder = format!("pkg/{}", fingerprint(bound));
    let style = format!("pkg/lectern.{}.css", short(Sha256::new().chain_update(&site.style)));
    let mut manifest = String::new();
    let mut sizes = Vec::new();
    for (kind, path, bytes) in [
        ("script", format!("{folder}/{SCRIPT}"), &bound.script),
        ("loader", format!("{folder}/{LOADER}"), &bound.loader),
        ("wasm", format!("{folder}/{WASM}"), &bound.wasm),
        ("style", style, &site.style),
    ] {
        let packed = put(out, &path, bytes, quality)?;
        writeln!(manifest, "{kind} /{path}")?;
        sizes.push(Size { path, plain: bytes.len(), packed });
    }
    for (name, bytes) in &bound.chunks {
        let path = format!("{folder}/{name}");
        let packed = put(out, &path, bytes, quality)?;
        sizes.push(Size { path, plain: bytes.len(), packed });
    }
    for (part, files) in &bound.parts {
        for file in files {
            writeln!(manifest, "lazy {part} /{folder}/{file}")?;
        }
    }
    for (name, bytes) in &bound.snippets {
        put(out, &format!("{folder}/snippets/{name}"), bytes, quality)?;
    }
    for (name, bytes) in &site.public {
        put(out, name, bytes, quality)?;
    }
    fs::write(out.join(MANIFEST), manifest)?;
    Ok(sizes)
}

/// Of all that refers to each other.
fn fingerprint(bound: &Bound) -> String {
    let mut hash = Sha256::new();
    let parts = [&bound.script, &bound.loader, &bound.wasm].into_iter().chain(bound.chunks.values());
    for part in parts {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    short(hash)
}

/// Eight bytes tell versions of one file apart; nobody forges them.
fn short(hash: Sha256) -> String {
    hex(&hash.finalize()[..8])
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
        let bound = Bound {
            script: b"export default 1;".to_vec(),
            wasm: vec![0; 4096],
            loader: b"export const load = 1;".to_vec(),
            chunks: BTreeMap::from([("billing.wasm".to_owned(), vec![1; 2048])]),
            parts: BTreeMap::from([("billing".to_owned(), vec!["billing.wasm".to_owned()])]),
            snippets: BTreeMap::new(),
        };
        let public = BTreeMap::from([("favicon.svg".to_owned(), b"<svg/>".repeat(50))]);
        Site { bound, style: style.as_bytes().to_vec(), public }
    }

    fn manifest(out: &Path, site: &Site) -> Result<Vec<String>> {
        write(out, site, 4)?;
        Ok(fs::read_to_string(out.join(MANIFEST))?.lines().map(str::to_owned).collect())
    }

    #[test]
    fn names_follow_the_content_and_old_files_go() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let out = folder.path().join("site");
        let first = manifest(&out, &site("a{}"))?;
        let second = manifest(&out, &site("b{}"))?;
        assert_eq!(first[..3], second[..3]);
        assert_ne!(first[3], second[3], "the style sheet changed");
        assert!(first[4].starts_with("lazy billing /pkg/") && first[4].ends_with("/billing.wasm"), "{first:?}");

        let mut changed = site("b{}");
        changed.bound.chunks.insert("billing.wasm".to_owned(), vec![2; 2048]);
        let third = manifest(&out, &changed)?;
        assert_ne!(second[0], third[0], "files that refer to each other move together");
        assert_eq!(second[3], third[3]);
        assert_eq!(fs::read_dir(out.join("pkg"))?.filter_map(Result::ok).filter(|entry| entry.path().is_dir()).count(), 1);
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
