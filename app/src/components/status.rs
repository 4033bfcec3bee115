//! A state as a shape and a word, so that it survives greyscale, print and a beamer.

use leptos::prelude::*;

use super::{Glyph, Icon};

/// Which shape. Only `Warn` and `Bad` are coloured as signals: they mean that somebody must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StatusKind {
    /// Ready, passed, bound: disc with a tick.
    Ok,
    /// Running, in use: disc with a dot.
    Live,
    /// Starting, stopping: three-quarter ring.
    Busy,
    /// Waiting, pending approval: clock.
    Wait,
    /// Reserved, held: hatched square.
    Held,
    /// Free, not started: circle.
    Idle,
    /// Stopped, gone: square.
    Off,
    /// Needs a look: triangle.
    Warn,
    /// Failed, refused: octagon.
    Bad,
}

impl StatusKind {
    /// The value of `data-st` that the style sheet knows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Live => "live",
            Self::Busy => "busy",
            Self::Wait => "wait",
            Self::Held => "held",
            Self::Idle => "idle",
            Self::Off => "off",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }

    pub const fn glyph(self) -> Glyph {
        match self {
            Self::Ok => Glyph::StatusOk,
            Self::Live => Glyph::StatusLive,
            Self::Busy => Glyph::StatusBusy,
            Self::Wait => Glyph::StatusWait,
            Self::Held => Glyph::StatusHeld,
            Self::Idle => Glyph::StatusIdle,
            Self::Off => Glyph::StatusOff,
            Self::Warn => Glyph::StatusWarn,
            Self::Bad => Glyph::StatusBad,
        }
    }
}

/// `<Status kind=StatusKind::Live>"Running"</Status>`
#[component]
pub fn Status(kind: StatusKind, children: Children) -> impl IntoView {
    view! {
        <span class="pill" data-st=kind.name()>
            <Icon glyph=kind.glyph()/>
            {children()}
        </span>
    }
}
