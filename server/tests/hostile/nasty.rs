//! What is sent: texts, bytes and JSON that have broken servers before, drawn in an order that a seed fixes.

use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use serde_json::{Value, json};

/// Never in a page as it stands: neither as an element nor out of an attribute.
pub const ELEMENT: &str = "<lectern-probe>";
pub const ATTRIBUTE: &str = "\" lectern-probe=\"1";
/// Never among the headers of an answer.
pub const HEADER: &str = "x-lectern-probe";

/// Chance that can be repeated: the seed is printed with a failing test and taken from `LECTERN_SEED`.
pub struct Chance(StdRng);

impl Chance {
    pub fn new() -> Self {
        let seed = std::env::var("LECTERN_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(2_047);
        println!("LECTERN_SEED={seed}");
        Self(StdRng::seed_from_u64(seed))
    }
    pub fn one_of<'t, T>(&mut self, items: &'t [T]) -> &'t T {
        &items[self.0.random_range(0..items.len())]
    }
    /// Once in so many times.
    pub fn once_in(&mut self, times: u32) -> bool {
        self.0.random_range(0..times) == 0
    }
    pub fn bytes(&mut self, most: usize) -> Vec<u8> {
        (0..self.0.random_range(0..most)).map(|_| self.0.random()).collect()
    }

    /// A text from the list, or any bytes at all, as they stand in an address: percent-encoded, now and then not or wrongly.
    pub fn encoded(&mut self) -> String {
        if self.once_in(6) {
            return (*self.one_of(&BAD_ENCODINGS)).to_owned();
        }
        let bytes = if self.once_in(5) { self.bytes(24) } else { self.text().into_bytes() };
        encode(&bytes)
    }

    pub fn text(&mut self) -> String {
        match self.0.random_range(0..20_u8) {
            0 => "a".repeat(3_000),
            1 => "深".repeat(6_000),
            2 => "a b ".repeat(4_000),
            3 => "%".repeat(18_000),
            6 if self.once_in(4) => "b".repeat(58_000),
            4 => ELEMENT.to_owned(),
            5 => ATTRIBUTE.to_owned(),
            _ => (*self.one_of(&TEXTS)).to_owned(),
        }
    }

    /// A JSON value of any kind.
    pub fn value(&mut self) -> Value {
        match self.0.random_range(0..14_u8) {
            0 => Value::Null,
            1 => json!(true),
            2 => json!([]),
            3 => json!({}),
            4 => json!([{"id": self.text()}]),
            5 => json!({self.text(): self.text()}),
            6 => json!(*self.one_of(&[i64::MIN, i64::MAX, -1, 0, 1, 4_294_967_296])),
            7 => json!(*self.one_of(&[u64::MAX, 9_223_372_036_854_775_808])),
            8 => json!(*self.one_of(&[1e308, -0.0, 0.1, 1e-320])),
            9 => (0..100).fold(json!("deep"), |inner, _| json!([inner])),
            _ => json!(self.text()),
        }
    }
}

/// Each byte that is not plain as `%XX`.
pub fn encode(bytes: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    bytes.iter().map(|byte| if plain(*byte) { char::from(*byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

const BAD_ENCODINGS: [&str; 12] = [
    "%",
    "%z",
    "%zz",
    "%FF%FE",
    "%C0%AF",
    "%ED%A0%80",
    "%00",
    "a%00b",
    "%2500",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "..;/",
    "%0d%0ax-lectern-probe:%201",
];

const TEXTS: [&str; 48] = [
    "",
    " ",
    "\0",
    "a\0b",
    "\u{feff}",
    "\u{202e}",
    "\n",
    "\r\nx-lectern-probe: 1",
    "\t",
    "\\",
    "'",
    "\"",
    "`",
    "' OR '1'='1",
    "'; DROP TABLE orders;--",
    "<script>alert(1)</script>",
    "'><img src=x onerror=alert(1)>",
    "javascript:alert(1)",
    "{{7*7}}",
    "${7*7}",
    "%00",
    "%s%s%n",
    "../../etc/passwd",
    "//evil.example",
    "https://evil.example",
    "\" AND (",
    "NEAR(a b)",
    "a*",
    "a & | ! (b",
    "*:*",
    "-0",
    "+1",
    "-1",
    "0x10",
    "1e400",
    "NaN",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "340282366920938463463374607431768211456",
    "2026-02-30",
    "9999-12-31T23:59:59+99:99",
    "2026-11-21T14:03:09+9223372036854775807:00",
    "01988b5c-7f3e-7c1a-9d5e-2f4a6b8c0d1e",
    "９９",
    "😀",
    "e\u{301}",
    "=cmd|' /C calc'!A0",
];
