//! Readers of text in the server's half, one by one; those of the domain are in `app/domain/tests/hostile`.

use app::{
    audit::{api::Query, filters},
    language,
    preferences::{Preferences, Theme, safe_back, set_cookie},
};
use domain::Error;
use http::HeaderValue;
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
    sample::select,
    test_runner::RngSeed,
};
use serde_json::Value;
use server::config::{Config, Source};
use services::{audit, billing, imports, offerings::yaml, orders::IdempotencyKey};
use storage::audit::read::Cursor;

/// The same cases in every run; `LECTERN_SEED` gives others.
fn config() -> ProptestConfig {
    let seed = std::env::var("LECTERN_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(2_047);
    println!("LECTERN_SEED={seed}");
    ProptestConfig { cases: 256, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..ProptestConfig::default() }
}

/// A good text with a splinter in it, or any text.
fn near(good: &'static [&'static str]) -> impl Strategy<Value = String> {
    let spoilt = (select(good), any::<prop::sample::Index>(), 0..3_u8, any::<String>()).prop_map(|(text, at, how, splinter)| {
        let characters: Vec<char> = text.chars().collect();
        let (before, after) = characters.split_at(at.index(characters.len() + 1));
        let after = &after[after.len().min(how.into())..];
        let splinter: String = if how == 2 { String::new() } else { splinter.chars().take(6).collect() };
        format!("{}{splinter}{}", before.iter().collect::<String>(), after.iter().collect::<String>())
    });
    prop_oneof![5 => spoilt, 1 => select(good).prop_map(str::to_owned), 2 => any::<String>()]
}

/// What a refusal names; panics where it names nothing.
#[track_caller]
fn fields(error: &Error) -> Vec<&str> {
    let Error::Invalid(problems) = error else { panic!("it names no field: {error:?}") };
    assert!(!problems.is_empty(), "it names no field");
    problems.iter().map(|each| each.field.as_str()).collect()
}

const OFFERING: &str = "slug: inference\nname: { zh: 推理服务, en: Inference }\nsummary: { zh: 一, en: One }\nicon: book\nworkload: notebook\n\
    base: { image: a/b:1, port: 8888, card: a100-80g, cards_per_node: 1, nodes: 1, cpu_cores: 8, memory_gib: 32, storage_gib: 20 }\n\
    duration: { default: 90, min: 30, max: 720 }\nparameters:\n  - key: lesson\n    label: { zh: 课, en: Lesson }\n    target: { environment: LESSON }\n    \
    kind: { text: { max_length: 20 } }\n    optional: true\n";

/// JSON of any shape, with the names that an offering has.
fn documents() -> impl Strategy<Value = Value> {
    const NAMES: &[&str] = &[
        "slug",
        "name",
        "zh",
        "en",
        "base",
        "image",
        "port",
        "card",
        "parameters",
        "kind",
        "integer",
        "min",
        "duration",
        "audience",
        "id",
        "version",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(select(NAMES).prop_map(str::to_owned), inner, 0..6).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_offering_is_read_from_yaml_or_what_is_wrong_is_named(text in near(&[OFFERING, "slug: &a [*a]", "a: !!binary x", "? [a]\n: b", "---\n---\n"])) {
        match yaml::parse(&text) {
            Ok(offering) => prop_assert!(offering.check().is_ok()),
            Err(error) => prop_assert!(fields(&error).iter().all(|field| !field.contains('\n')), "{:?}", error),
        }
    }

    #[test]
    fn an_offering_is_read_from_json_or_what_is_wrong_is_named(document in documents()) {
        match yaml::from_json(document.clone()) {
            Ok(offering) => prop_assert!(offering.check().is_ok()),
            Err(Error::Malformed { .. }) => prop_assert!(!document.is_object()),
            Err(error) => _ = fields(&error),
        }
    }

    #[test]
    fn bytes_become_text_or_the_list_is_named(bytes in vec(any::<u8>(), 0..400), text in any::<String>()) {
        match imports::decode(&bytes) {
            Ok(read) => prop_assert!(read.len() <= 4 * bytes.len()),
            Err(error) => prop_assert_eq!(fields(&error), ["list"]),
        }
        // No text holds a NUL, and a text that begins like a workbook is refused as one.
        prop_assume!(!text.contains('\0') && !text.starts_with("PK\u{3}\u{4}"));
        prop_assert_eq!(imports::decode(text.as_bytes()).expect("UTF-8"), text.strip_prefix('\u{feff}').unwrap_or(&text));
    }

    #[test]
    fn an_idempotency_key_is_short_and_visible(text in near(&["8e03978e-40d5-43e8-bc93-6894a57f9324", "lesson-3-group-1"])) {
        match IdempotencyKey::parse(&text) {
            Ok(key) => prop_assert!(key.as_str().len() <= 100 && key.as_str().bytes().all(|byte| byte.is_ascii_graphic())),
            Err(error) => prop_assert_eq!(fields(&error), ["idempotency_key"]),
        }
    }

    #[test]
    fn a_cursor_reads_back_as_itself(text in near(&["1795212189250000.01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e", "-9223372036854775808.01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e"])) {
        if let Some(cursor) = Cursor::parse(&text) {
            let written = cursor.to_string();
            prop_assert_eq!(Cursor::parse(&written).map(|cursor| cursor.to_string()), Some(written));
        }
    }

    #[test]
    fn a_search_is_read_or_its_field_is_named(texts in vec(near(&["li.hua", "order.", "refused", "web", "week", "2026-11-21", "2026-02-30", "深度 学习"]), 10)) {
        let mut texts = texts.into_iter();
        let query = Query::read(|name| if name == "view" || name == "after" { String::new() } else { texts.next().unwrap_or_default() });
        match filters::parse(&query) {
            // What is kept of it and read again is the same search.
            Ok(filter) => prop_assert_eq!(filters::parse(&filters::query_of(&filter)), Ok(filter)),
            Err(error) => prop_assert!(fields(&error).iter().all(|field| ["from", "to", "outcome", "via", "range"].contains(field)), "{:?}", error),
        }
    }

    #[test]
    fn a_format_is_known_by_its_name(text in near(&["jsonl", "csv", "xlsx"])) {
        if let Some(format) = audit::Format::parse(&text) {
            prop_assert_eq!(format.as_str(), text.as_str());
        }
        let _ = billing::Format::parse(&text);
    }

    #[test]
    fn cookies_and_languages_are_known_or_have_a_default(cookie in near(&["language=en; theme=dark", "language=zh-CN;theme=light;;=", "a=b; language"]), accept in near(&["en-GB,en;q=0.9,zh-CN;q=0.8", "zh;q=NaN", "en;q=1e400", ";;q=,"])) {
        let _ = Preferences::from_headers(&cookie, &accept);
        // What is sent back is one of a few words, which any header takes.
        for known in [language::parse(&cookie).map(|known| set_cookie(language::COOKIE, language::tag(known))), Theme::parse(&cookie).map(|known| set_cookie("theme", known.name()))].into_iter().flatten() {
            prop_assert!(HeaderValue::from_str(&known).is_ok());
        }
    }

    #[test]
    fn one_only_goes_back_to_this_site(text in near(&["/orders?state=queued", "//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"])) {
        let back = safe_back(&text);
        prop_assert!(back.starts_with('/') && !back.starts_with("//") && !back.starts_with("/\\"));
        prop_assert!(HeaderValue::from_str(back).is_ok(), "no header takes {:?}", back);
    }

    #[test]
    fn a_source_reads_back_as_itself(text in near(&["simulator", "kubeconfig:/etc/kube", "in-cluster", "kubeconfig:"])) {
        if let Ok(source) = text.parse::<Source>() {
            prop_assert_eq!(source.to_string(), text);
        }
    }

    #[test]
    fn a_configuration_is_read_or_refused_with_the_files_name(text in near(&[include_str!("../../../docs/lectern.toml"), "[oidc]\nissuer = \"https://id\"\nclient_id = \"l\"\nname = \"C\"\n", "[server]\nlisten = \"127.0.0.1:1\"\n"])) {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("lectern.toml");
        std::fs::write(&file, text).expect("a file");
        match Config::read(Some(&file)) {
            Ok(config) => _ = config.check(),
            Err(error) => {
                let said = format!("{error:#}");
                prop_assert!(said.contains("lectern.toml"), "{}", said);
            }
        }
    }
}

/// Documents that unfold: a few lines would become gigabytes, or a nesting that no stack holds.
#[test]
fn a_small_file_stays_small() {
    let laughs: String =
        (0..9).fold(String::new(), |text, level| text + &format!("a{}: &a{} [{}]\n", level + 1, level + 1, vec![format!("*a{level}"); 9].join(",")));
    let bombs = [
        format!("a0: &a0 lol\n{laughs}"),
        "[".repeat(50_000),
        "- ".repeat(40_000),
        "{a: ".repeat(20_000),
        "&a ".repeat(30_000),
        "!!x ".repeat(20_000),
        "x".repeat(yaml::LONGEST + 1),
    ];
    for bomb in bombs {
        let error = yaml::parse(&bomb).expect_err("no offering");
        assert!(!fields(&error).is_empty());
    }
}
