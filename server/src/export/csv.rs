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
use domain::{
    Result,
    billing::Adjustment,
    csv::{BYTE_ORDER_MARK, Cell, line, text_line},
    ids::LabId,
    pricing::Meter,
    time::Timestamp,
};
use futures::{Stream, stream};
use services::{
    Services,
    billing::{Export, export_rows},
};
use storage::usage::ExportRow;

use super::decimal;

enum Step {
    Head,
    Rows(Option<(LabId, Meter, Timestamp)>),
    Adjustments,
    End,
}

/// The functions that write the rows of one kind of file.
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
    format!("{BYTE_ORDER_MARK}{}", text_line(columns))
}

fn interval(words: &FileWords, each: &ExportRow) -> String {
    let used = &each.line;
    let offering = if words.language == Language::en { &each.offering.en } else { &each.offering.zh };
    line([
        Cell::plain(used.month.to_string()),
        Cell::text(&each.course_code),
        Cell::text(&each.course_name),
        Cell::text(&each.lab_name),
        Cell::text(&each.owner_login),
        Cell::text(&each.owner_name),
        Cell::text(offering),
        Cell::text(used.card.id()),
        Cell::plain(meter_text(words.language, used.meter)),
        Cell::plain(unit_text(words.language, used.meter)),
        Cell::plain(used.quantity.to_string()),
        Cell::plain(campus(used.from)),
        Cell::plain(campus(used.to)),
        Cell::plain(used.seconds.to_string()),
        Cell::plain(decimal(used.unit_price.micros)),
        Cell::plain(used.discount.to_string()),
        Cell::plain(decimal(used.amount.micros)),
        Cell::plain(used.amount.currency.code()),
        Cell::plain(""),
    ])
}

fn adjustment(words: &FileWords, each: &Adjustment) -> String {
    let mut cells: [Cell<'_>; 19] = std::array::from_fn(|_| Cell::plain(""));
    cells[0] = Cell::plain(each.month.to_string());
    cells[1] = Cell::text(&each.course.code);
    cells[2] = Cell::text(&each.course.name);
    cells[3] = Cell::text(each.lab.as_ref().map_or("", |(_, name)| name.as_str()));
    cells[5] = Cell::text(each.by.as_deref().unwrap_or_default());
    cells[8] = Cell::plain(words.sheet_adjustments);
    cells[11] = Cell::plain(campus(each.at));
    cells[16] = Cell::plain(decimal(each.amount.micros));
    cells[17] = Cell::plain(each.amount.currency.code());
    cells[18] = Cell::text(reason(words, each));
    line(cells)
}

/// Why, in words.
pub(super) fn reason(words: &FileWords, each: &Adjustment) -> String {
    match each.of_month {
        Some(month) => words.correction(month),
        None => each.reason.clone(),
    }
}

/// `2026-11-21 10:00:00`, on campus time: what spreadsheets read as a date.
pub(super) fn campus(at: Timestamp) -> String {
    let civil = at.on_campus();
    format!("{} {}:{:02}", civil.date(), civil.time(), civil.second)
}
