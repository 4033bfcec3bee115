//! Counts how deeply a YAML text is nested, without parsing it. The parser revisits every open bracket for each word that follows, so
//! 30,000 brackets cost it minutes; a text that is nested deeper than any offering is refused before it is parsed.

/// Levels that a text may have; an offering has six.
pub const DEEPEST: u32 = 32;

/// The first line that opens more than [`DEEPEST`] levels, counted from 1. Brackets in quoted texts and comments count too, since only the
/// parser can tell them apart; no offering needs that many.
pub fn too_deep(text: &str) -> Option<usize> {
    let mut brackets = 0_u32;
    for (number, line) in text.lines().enumerate() {
        if blocks(line) > DEEPEST {
            return Some(number + 1);
        }
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => brackets += 1,
                b']' | b'}' => brackets = brackets.saturating_sub(1),
                _ => {}
            }
            if brackets > DEEPEST {
                return Some(number + 1);
            }
        }
    }
    None
}

/// Lists and keys that one line opens without brackets: `- - ? - a`.
fn blocks(line: &str) -> u32 {
    let words = line.split([' ', '\t']).filter(|word| !word.is_empty());
    words.map_while(|word| matches!(word, "-" | "?" | ":").then_some(1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_nested_deeper_than_any_offering_is_found_without_reading_it() {
        let deep = [
            format!("slug: {}", "[".repeat(30_000)),
            format!("slug: {}", "{a: ".repeat(30_000)),
            format!("slug: {}", "[{".repeat(15_000)),
            format!("slug:\n{}a", "- ".repeat(30_000)),
            format!("{}a", "? ".repeat(30_000)),
            format!("slug: \"{}\"", "[".repeat(30_000)),
        ];
        for text in deep {
            assert!(too_deep(&text).is_some(), "{}", &text[..20]);
        }
        assert_eq!(too_deep(&format!("a: 1\nb: 2\nc: {}\nd: 4\n", "[".repeat(40))), Some(3));
    }

    #[test]
    fn what_is_closed_again_does_not_count() {
        assert_eq!(too_deep(&"a: [{b: [1]}]\n- x\n".repeat(1_000)), None);
        assert_eq!(too_deep(&format!("a: {}{}", "[".repeat(32), "]".repeat(32))), None);
    }
}
