//! A notice: what happened, what was kept, what to do. Amber and red only when somebody must act.

use leptos::prelude::*;

use super::{Glyph, Icon};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoticeKind {
    #[default]
    Info,
    Warn,
    Bad,
}

/// `title` in bold, children after it. `Bad` is announced at once by screen readers, the others politely.
#[component]
pub fn Notice(
    #[prop(optional)] kind: NoticeKind,
    #[prop(into)] title: String,
    #[prop(into, optional)] id: Option<String>,
    #[prop(optional)] children: Option<Children>,
) -> impl IntoView {
    let (name, glyph, role) = match kind {
        NoticeKind::Info => (None, Glyph::Bell, "status"),
        NoticeKind::Warn => (Some("warn"), Glyph::StatusWarn, "status"),
        NoticeKind::Bad => (Some("bad"), Glyph::StatusBad, "alert"),
    };
    view! {
        <div class="note" data-kind=name role=role id=id>
            <Icon glyph/>
            <div><b>{title}</b>" "{children.map(|children| children())}</div>
        </div>
    }
    .into_any()
}
