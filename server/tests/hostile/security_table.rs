//! Checks the table in `docs/security.md`, which gives the state of every row of OWASP ASVS 5.0 level 2: it finds rows that are missing or
//! duplicate, unknown states, and tests that do not exist.

use std::{collections::BTreeSet, fs, path::Path};

const TABLE: &str = "docs/security.md";
const ROWS: usize = 253;
const STATES: [&str; 5] = ["tested", "by design", "partly", "not yet", "n/a"];

struct Row {
    number: String,
    state: String,
    shown_by: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn rows() -> Vec<Row> {
    let text = fs::read_to_string(root().join(TABLE)).unwrap();
    let cells = text.lines().map(|line| line.split('|').map(str::trim).collect::<Vec<_>>());
    let rows = cells.filter(|cells| cells.len() == 6 && cells[1].split('.').all(|part| part.parse::<u32>().is_ok()));
    rows.map(|cells| Row { number: cells[1].into(), state: cells[3].into(), shown_by: cells[4].into() }).collect()
}

/// References to Lectern's files in backticks, with the function after `::`.
fn references(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|quoted| quoted.contains('/')).map(|quoted| quoted.split_once("::").map_or((quoted, None), |(file, name)| (file, Some(name))))
}

#[test]
fn every_row_of_level_2_is_there_once_with_a_state() {
    let rows = rows();
    let numbers: BTreeSet<_> = rows.iter().map(|row| row.number.as_str()).collect();
    assert_eq!((rows.len(), numbers.len()), (ROWS, ROWS));
    for Row { number, state, shown_by } in &rows {
        assert!(STATES.contains(&state.as_str()), "{number}: {state} is no state");
        assert!(state != "tested" || references(shown_by).next().is_some(), "{number} names no test");
        assert!(!matches!(state.as_str(), "partly" | "n/a") || !shown_by.is_empty(), "{number} does not say why");
    }
}

#[test]
fn every_test_that_is_named_exists() {
    let mut missing = Vec::new();
    for Row { number, shown_by, .. } in rows() {
        for (file, name) in references(&shown_by) {
            let source = fs::read_to_string(root().join(file)).ok();
            let found = source.is_some_and(|source| name.is_none_or(|name| source.contains(&format!("fn {name}("))));
            if !found {
                missing.push(format!("{number}: {file} {}", name.unwrap_or_default()));
            }
        }
    }
    assert_eq!(missing, [""; 0]);
}

#[test]
fn a_summary_counts_the_rows() {
    let text = fs::read_to_string(root().join(TABLE)).unwrap();
    for state in STATES {
        let count = rows().iter().filter(|row| row.state == state).count();
        assert!(text.contains(&format!("| {state} | {count} |")), "{state}: {count}");
    }
}
