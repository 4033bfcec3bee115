//! The two languages say the same: every key in both, with the same places to fill in. And every key is shown somewhere.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

type Texts = BTreeMap<String, serde_json::Map<String, serde_json::Value>>;

fn texts(language: &str) -> Texts {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("locales").join(language);
    let files = fs::read_dir(&folder).expect("the folder of a language").map(|entry| entry.expect("an entry").path());
    files
        .map(|path: PathBuf| {
            let text = fs::read_to_string(&path).expect("readable");
            let map = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path.file_stem().expect("a name").to_string_lossy().into_owned(), map)
        })
        .collect()
}

/// The names in `{{ ... }}` and the tags in `<...>`.
fn places(text: &str) -> BTreeSet<String> {
    text.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()).map(|name| name.trim().to_owned()).collect()
}

#[test]
fn both_languages_have_the_same_keys_and_places() {
    let (chinese, english) = (texts("zh-CN"), texts("en"));
    let mut wrong = Vec::new();
    for namespace in chinese.keys().chain(english.keys()).collect::<BTreeSet<_>>() {
        let (Some(zh), Some(en)) = (chinese.get(namespace), english.get(namespace)) else {
            wrong.push(format!("{namespace}: only in one language"));
            continue;
        };
        for key in zh.keys().chain(en.keys()).collect::<BTreeSet<_>>() {
            match (zh.get(key).and_then(|text| text.as_str()), en.get(key).and_then(|text| text.as_str())) {
                (Some(zh), Some(en)) if zh.trim().is_empty() || en.trim().is_empty() => wrong.push(format!("{namespace}.{key}: empty")),
                (Some(zh), Some(en)) if places(zh) != places(en) => wrong.push(format!("{namespace}.{key}: other places to fill in")),
                (Some(_), Some(_)) => {}
                _ => wrong.push(format!("{namespace}.{key}: not a text in both languages")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All source below a folder as one text.
fn source(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("a folder of sources").map(|entry| entry.expect("an entry").path());
    entries
        .map(|path| match path.extension() {
            _ if path.is_dir() => source(&path),
            Some(extension) if extension == "rs" => fs::read_to_string(&path).expect("readable"),
            _ => String::new(),
        })
        .collect()
}

#[test]
fn every_text_is_shown_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = source(&root.join("src")) + &source(&root.join("../server/src"));
    // `namespace.key`, as the macros name them.
    let named: BTreeSet<&str> = source.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).collect();
    let unused: Vec<_> = texts("en")
        .into_iter()
        .flat_map(|(namespace, map)| map.into_iter().map(move |(key, _)| format!("{namespace}.{key}")))
        .filter(|key| !named.contains(key.as_str()))
        .collect();
    assert!(unused.is_empty(), "no page shows these: use them or take them out of both languages\n{}", unused.join("\n"));
}

#[test]
fn a_place_is_found_by_its_name() {
    assert_eq!(places("{{ item }}: {{asked}} of {{ left }}"), BTreeSet::from(["item".into(), "asked".into(), "left".into()]));
    assert!(places("no place").is_empty());
}
