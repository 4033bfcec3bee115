//! Cleans pasted text. A text from elsewhere may hold the sequence that ends a paste, and commands after it: no control character of it is sent.

/// The bytes for a text. `bracketed`: whether the program asked to be told that it is pasted.
pub fn pasted(text: &str, bracketed: bool) -> Vec<u8> {
    let mut clean = String::with_capacity(text.len());
    let mut before = ' ';
    for character in text.chars() {
        match character {
            // One line end, however it is written: Enter.
            '\n' if before == '\r' => {}
            '\r' | '\n' => clean.push('\r'),
            '\t' => clean.push('\t'),
            // Also ESC, and the one character that stands for `ESC [`.
            control if control.is_control() => {}
            other => clean.push(other),
        }
        before = character;
    }
    if bracketed && !clean.is_empty() { format!("\x1b[200~{clean}\x1b[201~").into_bytes() } else { clean.into_bytes() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_paste_cannot_be_pasted() {
        assert_eq!(pasted("a\x1b[201~rm -rf ~\n", true), b"\x1b[200~a[201~rm -rf ~\r\x1b[201~");
        // Nor when taking one away makes another.
        assert_eq!(pasted("\x1b\x1b[201~[201~x\u{9b}201~", true), b"\x1b[200~[201~[201~x201~\x1b[201~");
    }

    #[test]
    fn line_ends_are_enter_and_text_stays() {
        assert_eq!(pasted("一\r\n二\n\n三\t\0", false), "一\r二\r\r三\t".as_bytes());
        assert_eq!(pasted("", true), b"");
    }
}
