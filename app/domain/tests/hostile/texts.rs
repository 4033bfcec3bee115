//! Texts that break parsers: anything at all, what has broken others, and good texts with a splinter in them.

use proptest::{collection::vec, prelude::*, sample::select, test_runner::RngSeed};

/// Cases of each property.
const CASES: u32 = 256;

/// The same cases in every run, so that a failure stays one; `LECTERN_SEED` gives others and is printed with a failure.
pub fn config() -> ProptestConfig {
    let seed = std::env::var("LECTERN_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(2_047);
    println!("LECTERN_SEED={seed}");
    ProptestConfig { cases: CASES, rng_seed: RngSeed::Fixed(seed), failure_persistence: None, ..ProptestConfig::default() }
}

/// What has broken parsers before.
pub const NASTY: [&str; 58] = [
    "",
    " ",
    "\0",
    "a\0b",
    "\u{feff}",
    "\u{202e}abc",
    "\u{200b}",
    "\u{fffd}",
    "\n",
    "\r\n",
    "\t",
    "\\",
    "'",
    "\"",
    "`",
    ";--",
    "' OR '1'='1",
    "%00",
    "%s%n",
    "${jndi:ldap://x}",
    "$(id)",
    "{{7*7}}",
    "<script>alert(1)</script>",
    "../../etc/passwd",
    "..\\..\\x",
    "-0",
    "+0",
    "-1",
    "+1",
    "0x10",
    "1e400",
    "NaN",
    "inf",
    "1_000",
    "٣",
    "１２",
    "Ⅷ",
    "½",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "-170141183460469231731687303715884105728",
    "00000000000000000001",
    "1.-5",
    "1.+5",
    "1..2",
    ".",
    "-",
    "+",
    ":",
    "/",
    "=cmd|' /C calc'!A0",
    "😀",
    "e\u{301}",
    "ﬀ",
    "İ",
];

/// Any of these, and any text whatever.
pub fn nasty() -> BoxedStrategy<String> {
    prop_oneof![
        3 => any::<String>(),
        3 => select(&NASTY[..]).prop_map(str::to_owned),
        2 => "[-+0-9.,:/TZ %eE]{0,40}",
        2 => vec(select(&NASTY[..]), 0..6).prop_map(|parts| parts.concat()),
        1 => (select(&NASTY[..]), 1_000..20_000_usize).prop_map(|(text, times)| text.repeat(times / text.len().max(1))),
    ]
    .boxed()
}

/// A good text of these with something taken away, put in or doubled; now and then one that is left alone, now and then [`nasty`].
pub fn near(good: &'static [&'static str]) -> BoxedStrategy<String> {
    let spoilt = (select(good), any::<prop::sample::Index>(), 0..4_u8, nasty()).prop_map(|(text, at, how, splinter)| {
        let characters: Vec<char> = text.chars().collect();
        let at = at.index(characters.len() + 1);
        let (before, after) = characters.split_at(at);
        let (before, after): (String, String) = (before.iter().collect(), after.iter().collect());
        let splinter: String = splinter.chars().take(12).collect();
        match how {
            0 => format!("{before}{splinter}{after}"),
            1 => format!("{before}{}", after.chars().skip(1).collect::<String>()),
            2 => format!("{before}{splinter}{}", after.chars().skip(1).collect::<String>()),
            _ => format!("{before}{after}{after}"),
        }
    });
    prop_oneof![6 => spoilt, 1 => select(good).prop_map(str::to_owned), 3 => nasty()].boxed()
}

/// What a spreadsheet takes for the beginning of a cell: without its quotes.
pub fn unquoted(cell: &str) -> String {
    cell.strip_prefix('"').map_or_else(|| cell.to_owned(), |rest| rest.replace("\"\"", "\""))
}

/// What an error says is wrong, by field; panics for an error that names none.
#[track_caller]
pub fn fields(error: &domain::Error) -> Vec<&str> {
    let domain::Error::Invalid(problems) = error else { panic!("it names no field: {error:?}") };
    assert!(!problems.is_empty(), "it names no field");
    problems.iter().map(|each| each.field.as_str()).collect()
}

/// Every field that the error names is one of the form's.
#[track_caller]
pub fn names_only(error: &domain::Error, known: &[&str]) {
    for field in fields(error) {
        assert!(known.contains(&field), "{field:?} is no field of the form: {error:?}");
    }
}
