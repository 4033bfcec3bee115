//! The frame of the pages that the server writes by itself: a card with the product's name, in the reader's language and theme. It needs
//! nothing of the application that draws all other pages.

use app::{
    html_text::escaped,
    language::{self, Language},
    layout::assets,
};

/// The parts of a page.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    pub language: Language,
    pub theme: &'a str,
    /// By which the page's policy knows its style; `None` where the policy allows the portal's own.
    pub nonce: Option<&'a str>,
}

impl Frame<'_> {
    /// The page. `inside`: HTML below the title in the card; `after`: HTML behind it.
    pub fn html(&self, title: &str, inside: &str, after: &str) -> String {
        let Self { language, theme, nonce } = self;
        let (tag, style, title) = (language::tag(*language), assets::installed().style, escaped(title));
        let nonce = nonce.map(|nonce| format!(" nonce=\"{nonce}\"")).unwrap_or_default();
        format!(
            "<!DOCTYPE html><html lang=\"{tag}\" data-theme=\"{theme}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>{title} · Lectern</title>\
             <link rel=\"stylesheet\"{nonce} href=\"{style}\"><link rel=\"icon\" href=\"/favicon.svg\" type=\"image/svg+xml\"></head>\
             <body><main class=\"landing\"><div class=\"card\"><p class=\"brand\"><img src=\"/favicon.svg\" alt=\"\">Lectern</p><h1>{title}</h1>{inside}\
             </div></main>{after}</body></html>"
        )
    }
}

/// Terms and texts.
pub fn facts(facts: &[(&str, String)]) -> String {
    let mut html = String::from("<dl class=\"facts\">");
    for (term, text) in facts {
        let (term, text) = (escaped(term), escaped(text));
        html.extend(["<dt>", term.as_ref(), "</dt><dd>", text.as_ref(), "</dd>"]);
    }
    html.push_str("</dl>");
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_page_ends_its_place() {
        let frame = Frame { language: Language::en, theme: "dark", nonce: Some("abc") };
        let facts = facts(&[("Owner", "</dd><script>".to_owned())]);
        let html = frame.html("</title><script>", &facts, "");
        assert!(html.contains("data-theme=\"dark\"") && html.contains("rel=\"stylesheet\" nonce=\"abc\" "), "{html}");
        assert!(!html.contains("<script>") && html.contains("&lt;/dd&gt;&lt;script&gt;"), "{html}");
        let plain = Frame { nonce: None, ..frame }.html("a", "", "");
        assert!(plain.contains("rel=\"stylesheet\" href="), "{plain}");
    }
}
