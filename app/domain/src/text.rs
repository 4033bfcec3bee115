//! Folding of texts for comparison: one rule for stored texts and for searches. The browser only previews, so its build has no Unicode
//! tables of compositions: it only makes full-width letters, digits and signs narrow, and the server decides.

#[cfg(not(target_arch = "wasm32"))]
use unicode_normalization::UnicodeNormalization as _;

/// Normal form NFKC, with one width and one composition: `ＡＩ２４` is `AI24`, `e` with a separate accent is `é`.
#[cfg(not(target_arch = "wasm32"))]
pub fn narrow(text: &str) -> String {
    text.nfkc().collect()
}

/// Full-width characters made narrow.
#[cfg(target_arch = "wasm32")]
pub fn narrow(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    text.chars().map(narrow).collect()
}

/// The same without case, for searches: `Österberg` is `österberg`, `АННА` is `анна`, `Straße` is `strasse`.
pub fn fold(text: &str) -> String {
    // Upper case first: some letters have two lower-case forms and only one upper-case form.
    let upper: String = narrow(text).chars().flat_map(char::to_uppercase).collect();
    narrow(&upper.chars().flat_map(char::to_lowercase).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn width_and_case_and_composition_do_not_count() {
        assert_eq!(narrow("Ａ１\u{3000}e\u{301}"), "A1 é");
        for (one, other) in [
            ("Österberg", "ÖSTERBERG"),
            ("O\u{308}sterberg", "österberg"),
            ("Анна", "АННА"),
            ("ＡＩ", "ai"),
            ("Straße", "STRASSE"),
            ("Ὀδυσσεύς", "ὈΔΥΣΣΕΎΣ"),
            ("ｶﾞ", "ガ"),
            ("％", "%"),
        ] {
            assert_eq!(fold(one), fold(other));
            assert_eq!(fold(&fold(one)), fold(one));
        }
        assert_ne!(fold("视觉"), fold("視覺"));
    }
}
