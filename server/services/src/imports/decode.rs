//! Decodes files of lists, in the encodings that spreadsheets write in China and elsewhere.

use domain::{Error, Problem, Result, csv};

/// Bytes as text: UTF-8, UTF-16 (which spreadsheets call "Unicode text"), or GB18030, which they write in China.
///
/// Errors: `Invalid` on `list`: `Workbook`; `BadFormat` if it is not text.
pub fn decode(bytes: &[u8]) -> Result<String> {
    csv::check_text(bytes).map_err(|problem| Error::field("list", problem))?;
    let known = match encoding_rs::Encoding::for_bom(bytes) {
        Some((encoding, mark)) => Some((encoding, &bytes[mark..])),
        None => utf16_without_mark(bytes).map(|encoding| (encoding, bytes)),
    };
    let (encoding, bytes) = known.unwrap_or_else(|| {
        let utf8 = std::str::from_utf8(bytes).is_ok();
        (if utf8 { encoding_rs::UTF_8 } else { encoding_rs::GB18030 }, bytes)
    });
    let text = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    let text = text.filter(|text| !text.contains('\0'));
    text.map(std::borrow::Cow::into_owned).ok_or_else(|| Error::field("list", Problem::BadFormat { example: "UTF-8, UTF-16, GB18030".into() }))
}

/// The separators and line ends of a list are ASCII: in UTF-16 one of their two bytes is 0, always on the same side. Text in other
/// encodings holds no 0.
fn utf16_without_mark(bytes: &[u8]) -> Option<&'static encoding_rs::Encoding> {
    let zeros = |side: usize| bytes.iter().skip(side).step_by(2).filter(|byte| **byte == 0).count();
    // Some Chinese characters, such as 一, have a 0 on the other side.
    match (zeros(0), zeros(1)) {
        (0, 0) => None,
        (before, after) if before > after => Some(encoding_rs::UTF_16BE),
        _ => Some(encoding_rs::UTF_16LE),
    }
}

#[cfg(test)]
mod tests {
    use domain::{
        Error, Problem,
        imports::{Cells, ImportKind, csv},
    };

    use super::decode;

    fn utf16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }

    fn gb18030(text: &str) -> Vec<u8> {
        encoding_rs::GB18030.encode(text).0.into_owned()
    }

    fn people(file: &[u8]) -> Result<Vec<Cells>, Error> {
        csv::read(ImportKind::People, &decode(file)?)
    }

    /// The same two people, as the programs in use at colleges save them.
    #[test]
    fn a_list_is_read_however_a_spreadsheet_saved_it() {
        let comma = "账号,姓名,备注\r\n007001,李华,\r\n20190442,\"Wang, Fang\",教研室\r\n";
        let tabs = "账号\t姓名\t备注\r\n007001\t李华\t\r\n20190442\tWang, Fang\t教研室\r\n";
        let exports: [(&str, Vec<u8>); 12] = [
            ("Excel: CSV UTF-8", format!("\u{feff}{comma}").into()),
            ("Excel in Chinese: CSV", gb18030(comma)),
            ("Excel for Mac: CSV (Macintosh)", gb18030(&comma.replace("\r\n", "\r"))),
            ("Excel for Mac: CSV UTF-8 with CR", format!("\u{feff}{}", comma.replace("\r\n", "\r")).into()),
            ("Excel: Unicode text", [b"\xff\xfe".to_vec(), utf16(tabs, u16::to_le_bytes)].concat()),
            ("UTF-16 the other way round", [b"\xfe\xff".to_vec(), utf16(tabs, u16::to_be_bytes)].concat()),
            ("UTF-16 without its mark", utf16(&tabs.replace("教研室", "一"), u16::to_le_bytes)),
            ("UTF-16 the other way round without its mark", utf16(&tabs.replace("教研室", "一"), u16::to_be_bytes)),
            ("Excel in Europe: sep=;", "sep=;\r\n账号;姓名;备注\r\n007001;李华;\r\n20190442;Wang, Fang;教研室\r\n".into()),
            ("WPS: numbers as text", gb18030("账号,姓名,备注\r\n\"007001\t\",李华,\r\n\"20190442\t\",\"Wang, Fang\",教研室\r\n")),
            ("LibreOffice: every text quoted", "\"账号\",\"姓名\",\"备注\"\n\"007001\",\"李华\",\n\"20190442\",\"Wang, Fang\",\"教研室\"\n".into()),
            (
                "a title above, a running number before",
                "教师名单,,,\r\n序号,*账号（必填）,姓名,备注\r\n1,=\"007001\",李华,\r\n2,20190442,\"Wang, Fang\",\r\n".into(),
            ),
        ];
        let person = |login: &str, name: &str| Cells::from([("login".to_owned(), login.to_owned()), ("name".to_owned(), name.to_owned())]);
        let expected = vec![person("007001", "李华"), person("20190442", "Wang, Fang")];
        for (program, file) in exports {
            assert_eq!(people(&file), Ok(expected.clone()), "{program}");
        }
    }

    #[test]
    fn what_is_no_text_is_told_by_its_name() {
        let workbook = Error::field("list", Problem::Workbook);
        assert_eq!(people(b"PK\x03\x04\x14\0\x06\0\x08\0"), Err(workbook.clone()), "xlsx, ods");
        assert_eq!(people(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0"), Err(workbook), "xls, et");
        let encodings = Error::field("list", Problem::BadFormat { example: "UTF-8, UTF-16, GB18030".into() });
        assert_eq!(decode(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0"), Err(encodings.clone()), "a picture");
        assert_eq!(decode(b"\xff\xff"), Err(encodings));
    }
}
