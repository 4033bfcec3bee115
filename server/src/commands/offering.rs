//! `lectern offering check`: what the portal would say of YAML files, without a portal. Exit 1 when one of them is not good.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context as _, Result};
use app::{error_text, language::Language};
use domain::{Error, FieldError, Problem, time::Timestamp};
use services::{catalogue, offerings::yaml, ports::Clock as _};

use crate::outside::SystemClock;

pub fn check(files: &[PathBuf]) -> Result<ExitCode> {
    let mut good = true;
    let now = SystemClock.now();
    for file in files {
        let (name, text) = read(file)?;
        match verdict(&name, &text, now) {
            Ok(line) => super::say(&line),
            Err(lines) => {
                good = false;
                for line in lines {
                    super::say(&line);
                }
            }
        }
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read(file: &Path) -> Result<(String, String)> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).context("standard input cannot be read")?;
        return Ok(("-".into(), text));
    }
    let name = file.display().to_string();
    let text = std::fs::read_to_string(file).with_context(|| format!("{name} cannot be read"))?;
    Ok((name, text))
}

/// `vscode.yaml: vscode, ¥1.52 / hour`, or a line for each problem.
fn verdict(name: &str, text: &str, now: Timestamp) -> Result<String, Vec<String>> {
    let offering = yaml::parse(text).map_err(|error| match error {
        Error::Invalid(problems) => problems.iter().map(|problem| line(name, problem)).collect(),
        other => vec![format!("{name}: {}", error_text::error_text(Language::en, &other))],
    })?;
    let price = match catalogue::price_book(now).estimate(&offering.defaults(), 60, now) {
        Ok(estimate) => format!("{} / hour", estimate.per_hour),
        Err(error) => error_text::error_text(Language::en, &error),
    };
    Ok(format!("{name}: {}, {price}", offering.slug))
}

/// `vscode.yaml: parameters.2.max: … Example: kind: …`
fn line(name: &str, FieldError { field, problem }: &FieldError) -> String {
    let told = error_text::field_problem_text(Language::en, problem);
    match problem {
        // The sentence holds its example already.
        Problem::BadFormat { .. } => format!("{name}: {field}: {told}"),
        Problem::UnknownField => format!("{name}: {field}: {told} docs/offering.schema.json lists what there is."),
        _ => format!("{name}: {field}: {told} Example: {}", yaml::example(field)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_795_000_000);
    const GOOD: &str = include_str!("../../services/offerings/vscode.yaml");

    #[test]
    fn a_good_file_has_a_line_with_its_price() {
        assert_eq!(verdict("vscode.yaml", GOOD, NOW), Ok("vscode.yaml: vscode, ¥1.52 / hour".into()));
    }

    #[test]
    fn what_is_wrong_is_said_with_file_field_and_example() {
        let bad = |from: &str, to: &str| verdict("x.yaml", &GOOD.replacen(from, to, 1), NOW).expect_err("not good").join("\n");
        let all = [
            bad("slug: vscode", "slug: VS Code"),
            bad("port: 8080", "port: many"),
            bad("card: a100-80g-1g.10gb", "card: h200"),
            bad("workload: code_editor", "workload: hovercraft"),
            bad("icon: code", "colour: red"),
            bad("duration: {", "duration: {{"),
            bad("default: \"8\"", "default: \"9\""),
            bad("integer: { min: 2, max: 16", "integer: { min: 2, max: lots"),
            bad("default: 90, min: 30", "default: 10, min: 30"),
            bad("    label: { zh: CPU, en: CPU }", "    label: { zh: CPU }"),
        ];
        insta::assert_snapshot!(all.join("\n"));
    }
}
