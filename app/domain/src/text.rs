//! Texts as they are compared: one rule for all that is stored to be searched and all that is searched for.

use unicode_normalization::UnicodeNormalization as _;

/// In one width and one composition (NFKC): `ＡＩ２４` is `AI24`, `e` with a separate accent is `é`.
pub fn narrow(text: &str) -> String {
    text.nfkc().collect()
}

/// The same without case, as searches compare: `Österberg` is `österberg`, `АННА` is `анна`, `Straße` is `strasse`.
pub fn fold(text: &str) -> String {
    // Upper case first: some letters have two lower cases, which are one in upper case.
    text.nfkc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfkc().collect()
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
