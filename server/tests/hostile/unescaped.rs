//! Finds the places where text gets into a document without Leptos escaping it. Each allowed place is a line here and escapes the text
//! itself; the test searches the source for any other.

use std::path::{Path, PathBuf};

/// What the source must not say, the files that may, and why those are safe.
const PLACES: [(&str, &[&str], &str); 20] = [
    ("<textarea", &["app/src/components/field.rs", "app/src/labs/terminal/page.rs"], "`TextArea` escapes its text; the terminal's input is empty"),
    ("html::textarea(", &[], "`TextArea` is the way"),
    ("html::title", &[], "`DocumentTitle` is the way"),
    ("html::script", &[], "Leptos does not escape the text inside"),
    ("html::style", &[], "Leptos does not escape the text inside"),
    ("html::noscript", &[], "Leptos does not escape the text inside"),
    ("<Title", &["app/src/components/document_title.rs"], "`DocumentTitle` escapes its text"),
    ("<title", &["app/src/components/bar_chart.rs", "server/src/landing.rs"], "Leptos escapes that of a drawing; escaped by hand"),
    ("inner_html", &["app/src/components/icon.rs", "app/src/layout/document.rs"], "files of our own; names of files as `script_string`"),
    ("outer_html", &[], "unescaped by its nature"),
    ("insert_adjacent_html", &[], "unescaped by its nature"),
    ("<script", &["app/src/layout/document.rs", "server/src/open.rs"], "names of files as `script_string`; nothing of outside"),
    ("<Script", &[], "Leptos does not escape the text inside"),
    ("<style", &[], "Leptos does not escape the text inside"),
    ("<Style", &[], "Leptos does not escape the text inside"),
    ("<noscript", &[], "Leptos does not escape the text inside"),
    ("<Html ", &[], "leptos_meta puts its attributes in by text search"),
    ("<Body ", &[], "leptos_meta puts its attributes in by text search"),
    ("custom_attribute(", &["app/src/components/dialog.rs"], "a name of our own; Leptos does not escape names"),
    ("Html(", &["server/src/error_page.rs", "server/src/open.rs"], "they escape every text that is not their own"),
];
const FOLDERS: [&str; 2] = ["app/src", "server/src"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/");
            found.push((name, product(&std::fs::read_to_string(&path).unwrap())));
        }
    }
}

/// The source without tests and comments.
fn product(source: &str) -> String {
    let source = source.split("\n#[cfg(test)]").next().unwrap_or_default();
    source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_unescaped_place_is_one_that_escapes() {
    let mut files = Vec::new();
    for folder in FOLDERS {
        sources(&root().join(folder), &mut files);
    }
    assert!(files.len() > 200, "the sources were found");
    let mut wrong = Vec::new();
    for (mark, allowed, why) in PLACES {
        let using: Vec<_> = files.iter().filter(|(_, source)| source.contains(mark)).map(|(name, _)| name.as_str()).collect();
        wrong.extend(using.iter().filter(|name| !allowed.contains(name)).map(|name| format!("{name} says `{mark}`: {why}")));
        wrong.extend(allowed.iter().filter(|name| !using.contains(name)).map(|name| format!("{name} does not say `{mark}` any more")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
