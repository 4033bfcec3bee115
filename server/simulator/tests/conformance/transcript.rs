//! Cases as transcripts. A line `$ …` is run by a shell and must print what stands below it; `$~ …` is run again until it does. Above the
//! commands may stand files: `file NAME`, then its lines, each after `| `. What differs each time reads `NAMESPACE`, `TIME`, `VERSION`.

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use crate::clusters::{Cluster, has_kubectl};

/// Nothing here takes as long, unless it never comes.
const PATIENCE: Duration = Duration::from_mins(1);

enum Part {
    /// Comments, files and empty lines, as they stand.
    Text(String),
    Command {
        line: String,
        is_repeated: bool,
        printed: String,
    },
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance/cases")
}

/// The names of all cases, in order.
pub fn all() -> Vec<String> {
    let entries = std::fs::read_dir(folder()).expect("the cases");
    let mut names: Vec<_> = entries.map(|entry| entry.expect("a case").path().file_stem().expect("a name").to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn read(text: &str) -> Vec<Part> {
    let mut parts = Vec::<Part>::new();
    for line in text.lines() {
        let command = line.strip_prefix("$~ ").map(|line| (line, true)).or_else(|| line.strip_prefix("$ ").map(|line| (line, false)));
        match (command, parts.last_mut()) {
            (Some((line, is_repeated)), _) => parts.push(Part::Command { line: line.to_owned(), is_repeated, printed: String::new() }),
            (None, Some(Part::Command { printed, .. })) if !line.starts_with('#') && !line.is_empty() => printed.extend([line, "\n"]),
            (None, Some(Part::Text(text))) => text.extend([line, "\n"]),
            (None, _) => parts.push(Part::Text(format!("{line}\n"))),
        }
    }
    parts
}

fn write_files(cluster: &Cluster, text: &str) {
    let mut name = None;
    let mut content = String::new();
    for line in text.lines().chain(["file"]) {
        if let Some(next) = line.strip_prefix("file") {
            if let Some(name) = name.take() {
                std::fs::write(cluster.folder.path().join(name), std::mem::take(&mut content)).expect("a file");
            }
            name = Some(next.trim().to_owned()).filter(|name| !name.is_empty());
        } else if let Some(line) = line.strip_prefix("| ") {
            content.extend([&*line.replace("NAMESPACE", &cluster.namespace), "\n"]);
        }
    }
}

/// Without what is another each time.
fn steady(cluster: &Cluster, printed: &str) -> String {
    let mut text = printed.replace(&cluster.namespace, "NAMESPACE");
    for (from, word) in [(instant as fn(&str) -> Option<usize>, "TIME"), (version, "VERSION")] {
        let mut at = 0;
        while at < text.len() {
            if text.is_char_boundary(at)
                && let Some(length) = from(&text[at..])
            {
                text.replace_range(at..at + length, word);
                at += word.len();
            } else {
                at += 1;
            }
        }
    }
    lines(&text)
}

/// The lines of an answer as a case holds them.
fn lines(text: &str) -> String {
    // A line that is empty would end the block.
    let shown = |line: &str| if line.trim_end().is_empty() { ".".to_owned() } else { line.trim_end().to_owned() };
    // Servers from 1.33 on warn about a kind that older ones, and the simulator, serve without a warning.
    let lines = text.lines().filter(|line| !line.starts_with("Warning: v1 Endpoints is deprecated"));
    lines.fold(String::new(), |all, line| all + &shown(line) + "\n")
}

/// The length of `2026-11-22T10:36:12Z` at the beginning.
fn instant(text: &str) -> Option<usize> {
    const FORM: &[u8] = b"dddd-dd-ddTdd:dd:ddZ";
    let bytes = text.as_bytes().get(..FORM.len())?;
    let fits = bytes.iter().zip(FORM).all(|(byte, form)| if *form == b'd' { byte.is_ascii_digit() } else { byte == form });
    fits.then_some(FORM.len())
}

/// The length of `rv=4711` at the beginning: a version that a case asked for.
fn version(text: &str) -> Option<usize> {
    let rest = text.strip_prefix("rv=")?;
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    (digits > 0).then_some("rv=".len() + digits)
}

/// Runs a case and holds what is printed against what it says.
pub async fn shows(cluster: &Cluster, case: &str) {
    let place = if cluster.is_real { "on_a_real_control_plane" } else { "on_the_simulator" };
    if !has_kubectl(&format!("{place}::{case}")) {
        return;
    }
    let path = folder().join(format!("{case}.txt"));
    let text = std::fs::read_to_string(&path).expect("the case");
    let is_recorded = cluster.is_real && std::env::var_os("LECTERN_CONFORMANCE_RECORD").is_some();
    let mut seen = String::new();
    for part in read(&text) {
        match part {
            Part::Text(text) => {
                write_files(cluster, &text);
                seen += &text;
            }
            Part::Command { line, is_repeated, printed } => {
                let begun = Instant::now();
                let patience = if is_recorded { Duration::from_secs(5) } else { PATIENCE };
                let mut answer = steady(cluster, &cluster.run(&line).await);
                while is_repeated && answer != printed && begun.elapsed() < patience {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    answer = steady(cluster, &cluster.run(&line).await);
                }
                seen.extend([if is_repeated { "$~ " } else { "$ " }, &line, "\n", &answer]);
            }
        }
    }
    cluster.clean().await;
    if is_recorded {
        std::fs::write(&path, seen).expect("the case");
    } else {
        assert!(seen == text, "{case} {place}:\n{}", difference(&text, &seen));
    }
}

/// Line by line: what the case says, and what was seen instead.
fn difference(wanted: &str, seen: &str) -> String {
    let (wanted, seen): (Vec<_>, Vec<_>) = (wanted.lines().collect(), seen.lines().collect());
    let mut shown = String::new();
    let (mut at, mut of) = (0, 0);
    while at < wanted.len() || of < seen.len() {
        if wanted.get(at) == seen.get(of) {
            if let Some(command) = wanted.get(at).filter(|line| line.starts_with('$')) {
                shown.extend(["  ", command, "\n"]);
            }
            (at, of) = (at + 1, of + 1);
            continue;
        }
        // Up to the next command, which is in both.
        while at < wanted.len() && !wanted[at].starts_with('$') {
            shown.extend(["- ", wanted[at], "\n"]);
            at += 1;
        }
        while of < seen.len() && !seen[of].starts_with('$') {
            shown.extend(["+ ", seen[of], "\n"]);
            of += 1;
        }
        if wanted.get(at) != seen.get(of) {
            shown += "  … and so on\n";
            break;
        }
    }
    shown
}

#[test]
fn the_warning_of_newer_servers_about_endpoints_is_no_part_of_an_answer() {
    let warning = "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice\n";
    let answer = "NAME   ENDPOINTS   AGE\nweb    <none>      1s\n";
    assert_eq!(lines(&format!("{warning}{answer}")), answer);
    assert_eq!(lines(&format!("{answer}{warning}\n")), format!("{answer}.\n"));
    let other = "Warning: resource namespaces/web is missing the annotation\n";
    assert_eq!(lines(other), other, "every other warning is a part of the answer");
}
