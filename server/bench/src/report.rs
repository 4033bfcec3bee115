//! The table: rows of what was asked, what it should be, what was measured and how that compares. Each section of docs/performance.md
//! stands between its own markers, so that one section can be measured again alone.

use std::{fmt::Write as _, path::Path, process::Command};

use anyhow::{Context as _, Result};

/// The rows of one section.
#[derive(Debug)]
pub struct Section {
    pub name: &'static str,
    title: &'static str,
    notes: Vec<String>,
    rows: Vec<[String; 4]>,
    /// Tables with columns of their own, after the rows.
    tables: Vec<String>,
}

impl Section {
    pub fn new(name: &'static str, title: &'static str) -> Self {
        Self { name, title, notes: Vec::new(), rows: Vec::new(), tables: Vec::new() }
    }

    /// How it was measured.
    pub fn note(&mut self, text: impl Into<String>) {
        self.notes.push(text.into());
    }

    pub fn row(&mut self, what: impl Into<String>, aim: impl Into<String>, measured: impl Into<String>, compared: impl Into<String>) {
        let row = [what.into(), aim.into(), measured.into(), compared.into()];
        eprintln!("  {}: {} {}", row[0], row[2], row[3]);
        self.rows.push(row);
    }

    /// A row with an aim that was reached, or not.
    pub fn aim(&mut self, what: impl Into<String>, aim: impl Into<String>, measured: impl Into<String>, reached: bool) {
        self.row(what, aim, measured, if reached { "reached" } else { "**missed**" });
    }

    pub fn table(&mut self, markdown: String) {
        self.tables.push(markdown);
    }

    pub fn markdown(&self, machine: &str) -> String {
        let mut text = format!("## {}\n\n{machine}\n", self.title);
        for note in &self.notes {
            let _ = write!(text, "\n{note}\n");
        }
        if !self.rows.is_empty() {
            text.push_str("\n| What | Aim | Measured | Compared |\n|---|---|---|---|\n");
            for row in &self.rows {
                let _ = writeln!(text, "| {} |", row.join(" | "));
            }
        }
        for table in &self.tables {
            let _ = write!(text, "\n{table}");
        }
        text
    }
}

/// Puts a section's text between its markers. Errors: the file has none.
pub fn put(file: &Path, name: &str, markdown: &str) -> Result<()> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    std::fs::write(file, splice(&text, name, markdown).with_context(|| format!("{} has no place for {name}", file.display()))?)?;
    Ok(())
}

fn splice(text: &str, name: &str, markdown: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- bench {name} -->\n"), format!("<!-- end {name} -->"));
    let (before, rest) = text.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}{markdown}{end}{after}"))
}

/// Date and machine, on one line: figures of different days or machines must not be compared.
pub fn machine(binary: &str) -> String {
    let said = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output().ok().filter(|output| output.status.success());
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let file = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let cpu = file("/proc/cpuinfo").lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name.to_owned()));
    let memory = file("/proc/meminfo").lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().split(' ').next()?.parse::<u64>().ok());
    format!(
        "Measured on {} at commit {}: {} cores ({}), {} GB, Linux {}, {binary}.",
        said("date", &["-u", "+%-d %B %Y"]),
        said("git", &["rev-parse", "--short", "HEAD"]),
        std::thread::available_parallelism().map_or(0, usize::from),
        cpu.unwrap_or_else(|| "unknown".into()),
        memory.unwrap_or_default() / 1_000_000,
        said("uname", &["-r"]),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_replaces_only_what_is_between_its_markers() {
        let text = "a\n<!-- bench x -->\nold\n<!-- end x -->\nb\n<!-- bench y -->\n<!-- end y -->\n";
        let new = splice(text, "x", "new\n").expect("a place");
        assert_eq!(new, "a\n<!-- bench x -->\nnew\n<!-- end x -->\nb\n<!-- bench y -->\n<!-- end y -->\n");
        assert_eq!(splice(&new, "y", "").as_deref(), Some(&*new));
        assert!(splice(text, "z", "").is_none());
    }

    #[test]
    fn a_missed_aim_is_said_in_its_row() {
        let mut section = Section::new("x", "Title");
        section.aim("click", "500 ms", "612 ms", false);
        let text = section.markdown("Measured today.");
        assert!(text.starts_with("## Title\n\nMeasured today.\n") && text.contains("| click | 500 ms | 612 ms | **missed** |"), "{text}");
    }
}
