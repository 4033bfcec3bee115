//! Faces, and how wide their letters are. Two that every reader of PDF has (Helvetica, upright and bold) for Latin letters and figures; for
//! the rest the predefined Chinese collection (Adobe-GB1), for which the reader brings a face. Nothing is embedded, so that a bill is small.

use pdf_writer::{
    Name, Pdf, Rect, Ref, Str,
    types::{CidFontType, FontFlags, SystemInfo},
};

/// How Latin letters look; Chinese ones look the same in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Face {
    Upright,
    Bold,
}

pub const UPRIGHT: Name<'static> = Name(b"F1");
pub const BOLD: Name<'static> = Name(b"F2");
pub const CHINESE: Name<'static> = Name(b"F3");

impl Face {
    const fn name(self) -> Name<'static> {
        match self {
            Self::Upright => UPRIGHT,
            Self::Bold => BOLD,
        }
    }
}

/// A stretch of text in one font: its bytes as that font takes them, and its width in thousandths of the size.
#[derive(Debug, PartialEq)]
pub struct Run {
    pub font: Name<'static>,
    pub bytes: Vec<u8>,
    pub width: f32,
}

/// Cuts a text where the font changes.
pub fn runs(face: Face, text: &str) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for c in text.chars() {
        let (font, bytes, width) = match latin(c) {
            Some(byte) => (face.name(), vec![byte], f32::from(width_of(face, byte))),
            // UTF-16, high byte first.
            None => (CHINESE, c.encode_utf16(&mut [0; 2]).iter().flat_map(|unit| unit.to_be_bytes()).collect(), 1_000.0),
        };
        match runs.last_mut() {
            Some(run) if run.font == font => {
                run.bytes.extend(bytes);
                run.width += width;
            }
            _ => runs.push(Run { font, bytes, width }),
        }
    }
    runs
}

/// In points.
pub fn width(face: Face, size: f32, text: &str) -> f32 {
    runs(face, text).iter().map(|run| run.width).sum::<f32>() * size / 1_000.0
}

/// The text, or as much of its beginning as fits, with an ellipsis.
pub fn fitting(face: Face, size: f32, text: &str, room: f32) -> String {
    if width(face, size, text) <= room {
        return text.to_owned();
    }
    let mut short = String::new();
    for c in text.chars() {
        short.push(c);
        if width(face, size, &format!("{short}…")) > room {
            short.pop();
            break;
        }
    }
    format!("{}…", short.trim_end())
}

/// Widths from the space to the tilde, by the published metrics of Helvetica and of its bold.
const WIDTHS: [[u16; 95]; 2] = [
    [
        278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278,
        584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944,
        667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
        278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
    ],
    [
        278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 333, 333,
        584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944,
        667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556,
        333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584,
    ],
];

/// Byte in `WinAnsiEncoding`; `None` for what is written in the Chinese face.
fn latin(c: char) -> Option<u8> {
    Some(match c {
        ' '..='~' => u8::try_from(c).ok()?,
        '\u{a0}' | '\u{202f}' => b' ',
        c if c.is_control() => b' ',
        '¥' => 0xa5,
        '€' => 0x80,
        '£' => 0xa3,
        '×' => 0xd7,
        '·' => 0xb7,
        '–' => 0x96,
        '…' => 0x85,
        _ => return None,
    })
}

fn width_of(face: Face, byte: u8) -> u16 {
    match byte {
        b' '..=b'~' => WIDTHS[face as usize][usize::from(byte - b' ')],
        0xd7 => 584,
        0xb7 => 278,
        0x85 => 1_000,
        // Signs of currency and the dash; the others are never written.
        _ => 556,
    }
}

/// Writes the fonts under these references: upright, bold, Chinese, and four that these need. The widths are said, so that columns of numbers
/// stay straight where a reader has another face for Helvetica.
pub fn write(pdf: &mut Pdf, [upright, bold, chinese, collection, song, upright_look, bold_look]: [Ref; 7]) {
    const SONG: Name<'_> = Name(b"STSong-Light");
    let latin = [
        (Face::Upright, upright, upright_look, b"Helvetica".as_slice(), Rect::new(-166.0, -225.0, 1_000.0, 931.0), 88.0),
        (Face::Bold, bold, bold_look, b"Helvetica-Bold", Rect::new(-170.0, -228.0, 1_003.0, 962.0), 140.0),
    ];
    for (face, id, look, name, bbox, stem) in latin {
        pdf.type1_font(id)
            .base_font(Name(name))
            .encoding_predefined(Name(b"WinAnsiEncoding"))
            .first_char(b' ')
            .last_char(0xff)
            .widths((b' '..=0xff).map(|byte| f32::from(width_of(face, byte))))
            .font_descriptor(look);
        let mut descriptor = pdf.font_descriptor(look);
        descriptor.name(Name(name)).flags(FontFlags::NON_SYMBOLIC).bbox(bbox).italic_angle(0.0);
        descriptor.ascent(718.0).descent(-207.0).cap_height(718.0).stem_v(stem);
    }
    pdf.type0_font(chinese).base_font(Name(b"STSong-Light-UniGB-UTF16-H")).encoding_predefined(Name(b"UniGB-UTF16-H")).descendant_font(collection);
    let info = SystemInfo { registry: Str(b"Adobe"), ordering: Str(b"GB1"), supplement: 4 };
    pdf.cid_font(collection).subtype(CidFontType::Type0).base_font(SONG).system_info(info).font_descriptor(song).default_width(1_000.0);
    let mut descriptor = pdf.font_descriptor(song);
    descriptor.name(SONG).flags(FontFlags::SYMBOLIC | FontFlags::SERIF).bbox(Rect::new(-25.0, -254.0, 1_000.0, 880.0)).italic_angle(0.0);
    descriptor.ascent(880.0).descent(-120.0).cap_height(880.0).stem_v(93.0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_where_the_font_changes() {
        let runs = runs(Face::Upright, "CV 视觉 ¥1");
        let fonts: Vec<_> = runs.iter().map(|run| (run.font.0, run.bytes.len())).collect();
        assert_eq!(fonts, [(b"F1".as_slice(), 3), (b"F3", 4), (b"F1", 3)]);
        assert_eq!(runs[1].bytes, [0x89, 0xc6, 0x89, 0xc9]);
        assert!((width(Face::Upright, 10.0, "¥1,000.00") - 44.48).abs() < 0.01, "{}", width(Face::Upright, 10.0, "¥1,000.00"));
    }

    #[test]
    fn what_does_not_fit_ends_in_dots() {
        assert_eq!(fitting(Face::Upright, 10.0, "short", 100.0), "short");
        let cut = fitting(Face::Upright, 10.0, "计算机视觉与深度学习实训", 55.0);
        assert!(cut.ends_with('…') && width(Face::Upright, 10.0, &cut) <= 55.0, "{cut}");
    }
}
