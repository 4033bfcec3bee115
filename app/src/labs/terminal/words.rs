//! Texts for the state of the connection to a shell.

use domain::terminal::Notice;

use crate::{i18n::td_string, language::Language};

/// State of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Connecting,
    Connected,
    /// It was lost and is tried again.
    Again,
    /// The portal restarts, which ends all shells.
    Restarts,
    /// There is no shell for now; it is tried again.
    Waits(Notice),
    /// Nothing more happens by itself.
    Over(Notice),
}

pub fn state_text(language: Language, state: State) -> &'static str {
    match state {
        State::Connecting => td_string!(language, terminal.connecting),
        State::Connected => td_string!(language, terminal.connected),
        State::Again => td_string!(language, terminal.again),
        State::Restarts => td_string!(language, terminal.restarts),
        State::Waits(notice) | State::Over(notice) => notice_text(language, notice),
    }
}

pub fn notice_text(language: Language, notice: Notice) -> &'static str {
    match notice {
        Notice::Ended => td_string!(language, terminal.ended),
        Notice::AccessOver => td_string!(language, terminal.access_over),
        Notice::LabStopped => td_string!(language, terminal.lab_stopped),
        Notice::Lost => td_string!(language, terminal.lost),
        Notice::NewShell => td_string!(language, terminal.new_shell),
        Notice::Taken => td_string!(language, terminal.taken),
        Notice::InputDropped => td_string!(language, terminal.input_dropped),
        Notice::TooManyOfPerson => td_string!(language, terminal.too_many_of_person),
        Notice::TooManyInLab => td_string!(language, terminal.too_many_in_lab),
        Notice::NotRunning => td_string!(language, terminal.not_running),
        Notice::Stopped => td_string!(language, terminal.stopped),
        Notice::NoShell => td_string!(language, terminal.no_shell),
        Notice::NoRight => td_string!(language, terminal.no_right),
        Notice::Unavailable => td_string!(language, terminal.unavailable),
        Notice::ReasonWanted => td_string!(language, terminal.reason_wanted),
        Notice::Forbidden => td_string!(language, terminal.forbidden),
    }
}
