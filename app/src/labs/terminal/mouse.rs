//! Mouse reports, for programs that ask for them.

use vt100::{MouseProtocolEncoding as Encoding, MouseProtocolMode as Mode};

/// An event of the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    Press,
    Release,
    /// Moved to another cell, with or without a button held.
    Move,
    /// The wheel; the button says which way.
    Wheel,
}

/// Buttons as they are reported: 0 left, 1 middle, 2 right, 3 none; of the wheel 0 up, 1 down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Report {
    pub act: Act,
    pub button: u8,
    /// Cell, from 0.
    pub column: u16,
    pub row: u16,
    pub ctrl: bool,
    pub alt: bool,
}

/// The bytes for it; `None` if the program did not ask for it.
pub fn bytes(report: Report, mode: Mode, encoding: Encoding) -> Option<Vec<u8>> {
    let Report { act, button, column, row, ctrl, alt } = report;
    let is_wanted = match mode {
        Mode::None => false,
        Mode::Press => matches!(act, Act::Press | Act::Wheel),
        Mode::PressRelease => act != Act::Move,
        Mode::ButtonMotion => act != Act::Move || button < 3,
        Mode::AnyMotion => true,
    };
    if !is_wanted {
        return None;
    }
    let kind = match act {
        Act::Press | Act::Release => 0,
        Act::Move => 32,
        Act::Wheel => 64,
    };
    let held = if mode == Mode::Press { 0 } else { 8 * u32::from(alt) + 16 * u32::from(ctrl) };
    let (column, row) = (u32::from(column) + 1, u32::from(row) + 1);
    if encoding == Encoding::Sgr {
        let end = if act == Act::Release { 'm' } else { 'M' };
        return Some(format!("\x1b[<{};{column};{row}{end}", u32::from(button) + kind + held).into_bytes());
    }
    // Without SGR a release does not say of which button.
    let button = if act == Act::Release { 3 } else { u32::from(button) };
    let mut sent = b"\x1b[M".to_vec();
    for number in [button + kind + held, column, row] {
        match (encoding, u8::try_from(number + 32)) {
            (Encoding::Utf8, _) => sent.extend(char::from_u32(number + 32)?.to_string().into_bytes()),
            (_, Ok(byte)) => sent.push(byte),
            // Beyond column 223 there is no report.
            (_, Err(_)) => return None,
        }
    }
    Some(sent)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLICK: Report = Report { act: Act::Press, button: 0, column: 9, row: 4, ctrl: false, alt: false };

    #[test]
    fn a_click_is_reported_as_the_program_wants_it() {
        assert_eq!(bytes(CLICK, Mode::None, Encoding::Sgr), None);
        assert_eq!(bytes(CLICK, Mode::PressRelease, Encoding::Sgr), Some(b"\x1b[<0;10;5M".to_vec()));
        assert_eq!(bytes(CLICK, Mode::PressRelease, Encoding::Default), Some(b"\x1b[M *%".to_vec()));
        let release = Report { act: Act::Release, ctrl: true, ..CLICK };
        assert_eq!(bytes(release, Mode::ButtonMotion, Encoding::Sgr), Some(b"\x1b[<16;10;5m".to_vec()));
        assert_eq!(bytes(Report { column: 300, ..CLICK }, Mode::PressRelease, Encoding::Default), None);
    }

    #[test]
    fn moves_are_reported_only_where_they_are_asked_for() {
        let moved = Report { act: Act::Move, button: 3, ..CLICK };
        assert_eq!(bytes(moved, Mode::ButtonMotion, Encoding::Sgr), None);
        assert_eq!(bytes(moved, Mode::AnyMotion, Encoding::Sgr), Some(b"\x1b[<35;10;5M".to_vec()));
        assert_eq!(bytes(Report { act: Act::Wheel, button: 1, ..CLICK }, Mode::PressRelease, Encoding::Sgr), Some(b"\x1b[<65;10;5M".to_vec()));
    }
}
