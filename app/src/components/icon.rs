//! Icons: drawn once per page in a sprite, used by name. To add one: a `<symbol>` in `icons.svg` and a line here.

use leptos::prelude::*;

macro_rules! glyphs {
    ($($name:ident => $id:literal),* $(,)?) => {
        /// The drawings of the sprite.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Glyph { $($name),* }

        impl Glyph {
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Fragment of the symbol in the sprite.
            pub const fn href(self) -> &'static str {
                match self { $(Self::$name => concat!("#i-", $id)),* }
            }
        }
    };
}

glyphs! {
    Ask => "ask", Batch => "batch", Bell => "bell", Bill => "bill", Book => "book", Brand => "brand", Code => "code",
    Cross => "cross", Ddp => "ddp", Down => "down", Export => "export", Find => "find", Gauge => "gauge",
    Globe => "globe", Key => "key", Lab => "lab", Left => "left", List => "list", More => "more", Node => "node",
    People => "people", Plus => "plus", Power => "power", Queue => "queue", Report => "report", Retry => "retry",
    Right => "right", Screen => "screen", Serve => "serve", Shelf => "shelf", Shield => "shield", Stamp => "stamp",
    Table => "table", Theme => "theme", Tick => "tick", Today => "today", Up => "up",
    StatusBad => "st-bad", StatusBusy => "st-busy", StatusHeld => "st-held", StatusIdle => "st-idle",
    StatusLive => "st-live", StatusOff => "st-off", StatusOk => "st-ok", StatusWait => "st-wait",
    StatusWarn => "st-warn",
}

/// One icon, silent to screen readers: the word beside it speaks. `small` is 16 px instead of 20.
#[component]
pub fn Icon(glyph: Glyph, #[prop(optional)] small: bool) -> impl IntoView {
    view! {
        <svg class=if small { "icon s" } else { "icon" } viewBox="0 0 20 20" aria-hidden="true">
            <use_ href=glyph.href()></use_>
        </svg>
    }
}

/// The drawings themselves. Only the server's document writes it, outside what the browser takes over.
#[component]
pub fn IconSprite() -> impl IntoView {
    view! { <div hidden aria-hidden="true" inner_html=include_str!("icons.svg")></div> }
}

#[cfg(test)]
mod tests {
    use super::Glyph;

    #[test]
    fn every_glyph_is_drawn() {
        let sprite = include_str!("icons.svg");
        for glyph in Glyph::ALL {
            let symbol = format!("id=\"{}\"", glyph.href().trim_start_matches('#'));
            assert!(sprite.contains(&symbol), "{symbol} is missing from icons.svg");
        }
        assert_eq!(sprite.matches("<symbol").count(), Glyph::ALL.len(), "a symbol nobody can name");
    }
}
