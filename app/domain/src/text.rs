//! Texts as they are compared: one rule for all that is stored to be searched and all that is searched for. The browser only previews, so
//! its half has no tables of compositions: there full-width letters, digits and signs become narrow, and the server decides.

#[cfg(not(target_arch = "wasm32"))]
use unicode_normalization::UnicodeNormalization as _;

/// In one width and one composition (NFKC): `ＡＩ２４` is `AI24`, `e` with a separate accent is `é`.
#[cfg(not(target_arch = "wasm32"))]
pub fn narrow(text: &str) -> String {
    text.nfkc().collect()
}

/// In one width.
#[cfg(target_arch = "wasm32")]
pub fn narrow(text: &str) -> String {
    let narrow = |c: char| match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    text.chars().map(narrow).collect()
}

/// The same without case, as searches compare: `Österberg` is `österberg`, `АННА` is `анна`, `Straße` is `strasse`.
pub fn fold(text: &str) -> String {
    // Upper case first: some letters have two lower cases, which are one in upper case.
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
