//! Escapes text for the places where Leptos writes it into the server's document unescaped: `<title>`, `<textarea>` and `<script>`. In the
//! browser Leptos sets DOM properties and text nodes, which need no escaping, so these functions return the text unchanged there.
//! `server/tests/hostile/unescaped.rs` finds every other use of such a place.

use std::borrow::Cow;

/// `text` as the content of an element: `&`, `<` and `>` as character references.
#[cfg(feature = "ssr")]
pub fn escaped(text: &str) -> Cow<'_, str> {
    html_escape::encode_text(text)
}

#[cfg(not(feature = "ssr"))]
pub const fn escaped(text: &str) -> Cow<'_, str> {
    Cow::Borrowed(text)
}

/// `text` as the content of a `<textarea>`. The HTML parser drops a leading newline, so a text that begins with one gets a second one.
pub fn textarea(text: &str) -> String {
    let newline = if cfg!(feature = "ssr") && text.starts_with(['\n', '\r']) { "\n" } else { "" };
    format!("{newline}{}", escaped(text))
}

/// `text` as a string literal inside a `<script>`; a `</script>` in it cannot end the script.
pub fn script_string(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('<', "\\u003c")
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_element() {
        assert_eq!(escaped("a</title><meta> & b"), "a&lt;/title&gt;&lt;meta&gt; &amp; b");
        assert_eq!(textarea("1 a</textarea><form>"), "1 a&lt;/textarea&gt;&lt;form&gt;");
        assert_eq!(script_string("a\"</script>\\"), r#""a\"\u003c/script>\\""#);
    }

    #[test]
    fn a_first_newline_of_a_textarea_stays() {
        assert_eq!(textarea("\nfirst"), "\n\nfirst");
        assert_eq!(textarea("\r\nfirst"), "\n\r\nfirst");
        assert_eq!(textarea("first\n"), "first\n");
    }
}
