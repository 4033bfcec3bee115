//! Tabs and filters that live in the URL: plain links, so that they work without scripts and can be sent to a colleague.

use leptos::prelude::*;

/// One choice. Exactly one of a group is `current`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkItem {
    pub href: String,
    pub text: String,
    pub current: bool,
    /// How many are behind it, as text ("3", "10,000+").
    pub count: Option<String>,
}

impl LinkItem {
    pub fn new(href: impl Into<String>, text: impl Into<String>, current: bool) -> Self {
        Self { href: href.into(), text: text.into(), current, count: None }
    }

    #[must_use]
    pub fn with_count(mut self, count: impl Into<String>) -> Self {
        self.count = Some(count.into());
        self
    }

    fn view(self) -> impl IntoView {
        view! {
            <a href=self.href aria-current=self.current.then_some("page")>
                {self.text}
                {self.count.map(|count| view! { <span class="count">{count}</span> })}
            </a>
        }
    }
}

/// Tabs across the top of a page.
#[component]
pub fn Tabs(#[prop(into)] label: String, items: Vec<LinkItem>) -> impl IntoView {
    view! { <nav class="tabs" aria-label=label>{items.into_iter().map(LinkItem::view).collect_view()}</nav> }
}

/// A small set of choices in a well, for filters.
#[component]
pub fn Segmented(#[prop(into)] label: String, items: Vec<LinkItem>) -> impl IntoView {
    view! { <nav class="segmented" aria-label=label>{items.into_iter().map(LinkItem::view).collect_view()}</nav> }
}
