//! A workbook: a summary, a sheet for each breakdown, the lines, the adjustments. Amounts are numbers beside their currency.

use app::{
    billing::{
        breakdown::dimension_text,
        file_words::FileWords,
        words::{meter_text, unit_text},
    },
    language::Language,
};
use domain::{
    billing::{BillLine, Dimension, Group},
    csv::harmless,
    money::Money,
};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};
use services::billing::Export;

use super::csv;

type Result<T, E = XlsxError> = std::result::Result<T, E>;

pub fn workbook(words: &FileWords, export: &Export, groups: &[(Dimension, Vec<Group>)], lines: &[BillLine]) -> Result<Vec<u8>> {
    let mut book = Workbook::new();
    summary(sheet(&mut book, words.sheet_summary)?, words, export, groups)?;
    for (by, groups) in groups {
        breakdown(sheet(&mut book, dimension_text(words.language, *by))?, words, groups)?;
    }
    all_lines(sheet(&mut book, words.lines)?, words, lines)?;
    adjustments(sheet(&mut book, words.sheet_adjustments)?, words, export)?;
    book.save_to_buffer()
}

fn sheet<'b>(book: &'b mut Workbook, name: &str) -> Result<&'b mut Worksheet> {
    book.add_worksheet().set_name(name)
}

/// Two decimals shown, all six kept.
fn money() -> Format {
    Format::new().set_num_format("#,##0.00####")
}

fn bold() -> Format {
    Format::new().set_bold()
}

/// Micro-units as the number that a cell holds: exact up to nine thousand million units.
#[expect(clippy::cast_precision_loss, reason = "a spreadsheet knows no other numbers")]
fn units(micros: i64) -> f64 {
    micros as f64 / 1_000_000.0
}

fn heads(sheet: &mut Worksheet, heads: &[&str]) -> Result<()> {
    for (column, head) in (0_u16..).zip(heads) {
        sheet.write_string_with_format(0, column, harmless(head), &bold())?;
        sheet.set_column_width(column, 18)?;
    }
    sheet.set_freeze_panes(1, 0)?;
    Ok(())
}

/// Writes a text into a cell. All texts go through this function.
fn text(sheet: &mut Worksheet, row: u32, column: u16, text: &str) -> Result<()> {
    sheet.write_string(row, column, harmless(text))?;
    Ok(())
}

fn amount(sheet: &mut Worksheet, row: u32, column: u16, value: Money) -> Result<()> {
    sheet.write_number_with_format(row, column, units(value.micros), &money())?;
    text(sheet, row, column + 1, value.currency.code())?;
    Ok(())
}

fn summary(sheet: &mut Worksheet, words: &FileWords, export: &Export, groups: &[(Dimension, Vec<Group>)]) -> Result<()> {
    sheet.set_column_width(0, 28)?;
    sheet.set_column_width(1, 24)?;
    sheet.write_string_with_format(0, 0, harmless(&words.title(export.month)), &bold())?;
    let state = if export.closed { words.state_closed } else { words.state_open };
    text(sheet, 1, 0, words.state)?;
    text(sheet, 1, 1, state)?;
    let course = export.course.as_ref().map_or_else(|| words.all_courses.to_owned(), |course| format!("{} {}", course.code, course.name));
    text(sheet, 2, 0, words.col_course)?;
    text(sheet, 2, 1, &course)?;
    let by_course = groups.iter().find(|(by, _)| *by == Dimension::Course).map(|(_, groups)| groups.as_slice()).unwrap_or_default();
    let used = by_course.iter().map(|group| group.amount).reduce(Money::plus);
    let adjusted = export.adjustments.iter().map(|each| each.amount).reduce(Money::plus);
    let currency = used.or(adjusted).map(|money| money.currency);
    let Some(currency) = currency else { return Ok(()) };
    let (used, adjusted) = (used.unwrap_or(Money::zero(currency)), adjusted.unwrap_or(Money::zero(currency)));
    let rows = [(words.usage, used), (words.adjustments, adjusted), (words.total, used.plus(adjusted))];
    for (row, (name, value)) in (3_u32..).zip(rows) {
        text(sheet, row, 0, name)?;
        amount(sheet, row, 1, value)?;
    }
    Ok(())
}

fn breakdown(sheet: &mut Worksheet, words: &FileWords, groups: &[Group]) -> Result<()> {
    heads(sheet, &[words.name, words.labs, words.unit_card_hours, words.amount, words.col_currency])?;
    for (row, group) in (1_u32..).zip(groups) {
        let name = if words.language == Language::en { &group.name.en } else { &group.name.zh };
        text(sheet, row, 0, name)?;
        sheet.write_number(row, 1, group.labs)?;
        sheet.write_number_with_format(row, 2, units(group.card_seconds.saturating_mul(1_000_000) / 3_600), &money())?;
        amount(sheet, row, 3, group.amount)?;
    }
    Ok(())
}

fn all_lines(sheet: &mut Worksheet, words: &FileWords, lines: &[BillLine]) -> Result<()> {
    heads(sheet, &[words.col_lab, words.col_owner, words.col_meter, words.col_units, words.col_unit, words.amount, words.col_currency])?;
    for (row, line) in (1_u32..).zip(lines) {
        text(sheet, row, 0, &line.lab_name)?;
        text(sheet, row, 1, &line.owner_name)?;
        text(sheet, row, 2, meter_text(words.language, line.meter))?;
        let used = i128::from(line.unit_seconds) * 1_000_000 / i128::from(line.meter.unit_seconds());
        sheet.write_number_with_format(row, 3, units(i64::try_from(used).unwrap_or(i64::MAX)), &money())?;
        text(sheet, row, 4, unit_text(words.language, line.meter))?;
        amount(sheet, row, 5, line.amount)?;
    }
    Ok(())
}

fn adjustments(sheet: &mut Worksheet, words: &FileWords, export: &Export) -> Result<()> {
    heads(sheet, &[words.at, words.col_course_code, words.reason, words.by_whom, words.amount, words.col_currency])?;
    for (row, each) in (1_u32..).zip(&export.adjustments) {
        text(sheet, row, 0, &csv::campus(each.at))?;
        text(sheet, row, 1, &each.course.code)?;
        text(sheet, row, 2, &csv::reason(words, each))?;
        text(sheet, row, 3, each.by.as_deref().unwrap_or(words.by_metering))?;
        amount(sheet, row, 4, each.amount)?;
    }
    Ok(())
}
