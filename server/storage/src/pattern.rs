//! Patterns for LIKE with `ESCAPE '!'`: what was typed stands for itself.

use domain::text::fold;

/// Characters of what was typed that count: no name is longer, and SQLite refuses a pattern of more than 50,000 bytes.
const LONGEST: usize = 500;

/// A pattern for every folded text (`folded.rs`) that contains this one.
pub fn contains(text: &str) -> String {
    let text: String = text.chars().take(LONGEST).collect();
    format!("%{}%", fold(&text).replace('!', "!!").replace('%', "!%").replace('_', "!_"))
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn what_was_typed_stands_for_itself() {
        assert_eq!(contains("50%_A!"), "%50!%!_a!!%");
        assert_eq!(contains("５０％＿Ａ！"), "%50!%!_a!!%", "in full width too");
        assert!(contains(&"_".repeat(60_000)).len() < 50_000 && contains(&"\u{fdfa}".repeat(60_000)).len() < 50_000);
    }
}
