//! Parses pages with an HTML5 parser, as a browser does, with and without scripts.

use html5ever::{ParseOpts, parse_document, tendril::TendrilSink as _, tree_builder::TreeBuilderOpts};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

/// Part of the name of every element and attribute that the hostile text makes if it is not escaped.
const PROBE: &str = "lectern-probe";
/// Elements that must not be on any page.
const NEVER: [&str; 6] = ["base", "embed", "frame", "iframe", "object", "portal"];
/// Attributes that hold an address.
const ADDRESSES: [&str; 4] = ["action", "formaction", "href", "src"];

#[derive(Debug)]
pub struct Element {
    pub name: String,
    pub attributes: Vec<(String, String)>,
    /// The text directly inside the element.
    pub text: String,
}

impl Element {
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// What is wrong with this element; `None` if Lectern may have written it.
    fn fault(&self) -> Option<String> {
        let handler = |name: &str| name.starts_with("on");
        let foreign = |name: &str| name.contains(PROBE) || handler(name);
        if self.name.contains(PROBE) || NEVER.contains(&self.name.as_str()) || self.attributes.iter().any(|(name, _)| foreign(name)) {
            return Some(format!("a page holds {self:?}"));
        }
        if self.name == "meta" && self.attribute("http-equiv").is_some() {
            return Some(format!("a page holds {self:?}"));
        }
        let address = ADDRESSES.iter().filter_map(|name| self.attribute(name)).find(|address| !is_ours(address));
        address.map(|address| format!("<{}> leads to {address:?}", self.name))
    }
}

/// Addresses on this server, and files that the page itself contains.
fn is_ours(address: &str) -> bool {
    let local = (address.starts_with('/') && !address.starts_with("//") && !address.starts_with("/\\")) || address.starts_with(['#', '?']);
    local || address.is_empty() || address.starts_with("data:application/yaml")
}

/// Every element of the document, including those in its templates.
pub fn elements(html: &str, scripts: bool) -> Vec<Element> {
    let tree_builder = TreeBuilderOpts { scripting_enabled: scripts, ..TreeBuilderOpts::default() };
    let options = ParseOpts { tree_builder, ..ParseOpts::default() };
    let document = parse_document(RcDom::default(), options).one(html);
    let mut found = Vec::new();
    let mut waiting: Vec<Handle> = vec![document.document.clone()];
    while let Some(node) = waiting.pop() {
        waiting.extend(node.children.borrow().iter().cloned());
        if let NodeData::Element { name, attrs, template_contents, .. } = &node.data {
            waiting.extend(template_contents.borrow().clone());
            let attributes = attrs.borrow().iter().map(|attribute| (attribute.name.local.to_string(), attribute.value.to_string())).collect();
            let texts = node.children.borrow().iter().filter_map(text_of).collect();
            found.push(Element { name: name.local.to_string(), attributes, text: texts });
        }
    }
    found
}

fn text_of(node: &Handle) -> Option<String> {
    match &node.data {
        NodeData::Text { contents } => Some(contents.borrow().to_string()),
        _ => None,
    }
}

/// Elements and attributes that Lectern does not write, as parsed with and without scripts.
pub fn faults(html: &str) -> Vec<String> {
    [true, false].into_iter().flat_map(|scripts| elements(html, scripts)).filter_map(|element| element.fault()).collect()
}

#[test]
fn text_that_makes_elements_is_found() {
    let broken = [
        "<textarea>1 a</textarea><lectern-probe></textarea>",
        "<title></title><meta http-equiv=refresh content=0;url=//127.0.0.1:9></title>",
        "<input value=\"\" lectern-probe=\"1\">",
        "<p><img src=x onerror=alert(1)>",
        "<a href=\"javascript:alert(1)\">x</a>",
        "<form action=\"https://evil.example\"></form>",
        "<noscript><lectern-probe></noscript>",
        "<template><lectern-probe></template>",
        "<script>\"</script><lectern-probe>\"</script>",
    ];
    for html in broken {
        assert!(!faults(html).is_empty(), "{html}");
    }
    let whole = "<title>&lt;lectern-probe></title><textarea>&lt;/textarea>&lt;lectern-probe></textarea><p>\" lectern-probe=\"1</p>\
                 <input value='\" lectern-probe=\"1'><script>\"\\u003c/script>\\u003clectern-probe>\"</script>";
    assert_eq!(faults(whole), Vec::<String>::new());
    assert_eq!(elements("<textarea>\n\n&lt;x</textarea>", true).iter().find(|element| element.name == "textarea").unwrap().text, "\n<x");
}
