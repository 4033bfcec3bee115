//! Patterns for LIKE with `ESCAPE '!'`: what was typed stands for itself.

/// Fits every text, compared in lower case, that contains this one.
pub fn contains(text: &str) -> String {
    format!("%{}%", text.to_lowercase().replace('!', "!!").replace('%', "!%").replace('_', "!_"))
}

#[cfg(test)]
mod tests {
    use super::contains;

    #[test]
    fn what_was_typed_stands_for_itself() {
        assert_eq!(contains("50%_A!"), "%50!%!_a!!%");
    }
}
