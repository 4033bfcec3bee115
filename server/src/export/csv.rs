//! CSV: one row for each interval, then the adjustments. A stream, so that its length does not matter; with a byte order mark, so
//! that Excel reads the Chinese.

use app::{
    billing::{
        file_words::FileWords,
        words::{meter_text, unit_text},
    },
    language::Language,
};
use bytes::Bytes;
use domain::{Result, billing::Adjustment, ids::LabId, pricing::Meter, time::Timestamp};
use futures::{Stream, stream};
use services::{
    Services,
    billing::{Export, export_rows},
};
use storage::usage::ExportRow;

use super::{decimal, harmless};

const BYTE_ORDER_MARK: &str = "\u{feff}";

enum Step {
    Head,
    Rows(Option<(LabId, Meter, Timestamp)>),
    Adjustments,
    End,
}

/// What makes the rows of one kind of file.
pub(super) struct Columns {
    pub head: fn(&FileWords) -> String,
    pub interval: fn(&FileWords, &Export, &ExportRow) -> String,
    pub adjustment: fn(&FileWords, &Export, &Adjustment) -> String,
}

pub fn stream(services: Services, export: Export, words: &FileWords) -> impl Stream<Item = Result<Bytes>> + Send + use<> {
    let columns = Columns { head, interval: |words, _, row| interval(words, row), adjustment: |words, _, each| adjustment(words, each) };
    file(services, export, words, columns)
}

/// Head, intervals, adjustments. A failure in the middle breaks the answer off, so that half a file is never taken for a whole one.
pub(super) fn file(services: Services, export: Export, words: &FileWords, columns: Columns) -> impl Stream<Item = Result<Bytes>> + Send + use<> {
    let (words, Columns { head, interval, adjustment }) = (*words, columns);
    stream::try_unfold((services, export, Step::Head), move |(services, export, step)| async move {
        let (text, next) = match step {
            Step::Head => (head(&words), Step::Rows(None)),
            Step::Rows(after) => {
                let rows = export_rows(&services, &export, after).await?;
                let text: String = rows.iter().map(|row| interval(&words, &export, row)).collect();
                match rows.last() {
                    Some(last) => (text, Step::Rows(Some((last.lab, last.line.meter, last.line.from)))),
                    None => (text, Step::Adjustments),
                }
            }
            Step::Adjustments => (export.adjustments.iter().map(|each| adjustment(&words, &export, each)).collect(), Step::End),
            Step::End => return Ok(None),
        };
        Ok(Some((Bytes::from(text), (services, export, next))))
    })
}

fn head(words: &FileWords) -> String {
    let columns = [
        words.month,
        words.col_course_code,
        words.col_course,
        words.col_lab,
        words.col_login,
        words.col_owner,
        words.col_offering,
        words.col_card,
        words.col_meter,
        words.col_unit,
        words.col_quantity,
        words.from,
        words.to,
        words.seconds,
        words.col_unit_price,
        words.col_discount,
        words.amount,
        words.col_currency,
        words.reason,
    ];
    format!("{BYTE_ORDER_MARK}{}", row(&columns.map(ToOwned::to_owned)))
}

fn interval(words: &FileWords, each: &ExportRow) -> String {
    let line = &each.line;
    let offering = if words.language == Language::en { &each.offering.en } else { &each.offering.zh };
    row(&[
        line.month.to_string(),
        harmless(&each.course_code),
        harmless(&each.course_name),
        harmless(&each.lab_name),
        harmless(&each.owner_login),
        harmless(&each.owner_name),
        harmless(offering),
        each.line.card.id().to_owned(),
        meter_text(words.language, line.meter).to_owned(),
        unit_text(words.language, line.meter).to_owned(),
        line.quantity.to_string(),
        campus(line.from),
        campus(line.to),
        line.seconds.to_string(),
        decimal(line.unit_price.micros),
        line.discount.to_string(),
        decimal(line.amount.micros),
        line.amount.currency.code().to_owned(),
        String::new(),
    ])
}

fn adjustment(words: &FileWords, each: &Adjustment) -> String {
    let mut cells = vec![String::new(); 19];
    cells[0] = each.month.to_string();
    cells[1] = harmless(&each.course.code);
    cells[2] = harmless(&each.course.name);
    cells[3] = each.lab.as_ref().map(|(_, name)| harmless(name)).unwrap_or_default();
    cells[5] = each.by.as_deref().map(harmless).unwrap_or_default();
    words.sheet_adjustments.clone_into(&mut cells[8]);
    cells[11] = campus(each.at);
    cells[16] = decimal(each.amount.micros);
    each.amount.currency.code().clone_into(&mut cells[17]);
    cells[18] = reason(words, each);
    row(&cells)
}

/// Why, in words.
pub(super) fn reason(words: &FileWords, each: &Adjustment) -> String {
    match each.of_month {
        Some(month) => words.correction(month),
        None => harmless(&each.reason),
    }
}

/// `2026-11-21 10:00:00`, on campus time: what spreadsheets read as a date.
pub(super) fn campus(at: Timestamp) -> String {
    let civil = at.on_campus();
    format!("{} {}:{:02}", civil.date(), civil.time(), civil.second)
}

pub(super) fn row(cells: &[String]) -> String {
    let mut text = String::new();
    for (index, cell) in cells.iter().enumerate() {
        if index > 0 {
            text.push(',');
        }
        if cell.contains([',', '"', '\n', '\r']) {
            text.push('"');
            text.push_str(&cell.replace('"', "\"\""));
            text.push('"');
        } else {
            text.push_str(cell);
        }
    }
    text.push_str("\r\n");
    text
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn cells_with_commas_and_quotes_stay_one_cell() {
        assert_eq!(row(&["a,b".into(), "say \"hi\"".into(), "c".into()]), "\"a,b\",\"say \"\"hi\"\"\",c\r\n");
    }
}
