//! The month's bill to print or to file: the courses with their sums, the lines of one course, the adjustments, the total.

mod face;
mod sheet;

use std::collections::BTreeMap;

use app::{
    billing::{
        file_words::FileWords,
        words::{amount_text, hours_text, meter_text, usage_text},
    },
    language::{Language, tag},
};
use domain::{
    billing::{BillLine, Group},
    money::Money,
    time::Timestamp,
};
use services::billing::Export;

use self::{
    face::Face,
    sheet::{Align, Column, LEFT, RIGHT, Sheet},
};

const fn left(from: f32, to: f32) -> Column {
    Column { from, to, align: Align::Left }
}
const fn right(from: f32, to: f32) -> Column {
    Column { from, to, align: Align::Right }
}

/// `groups`: by course. `lines`: of the one course that was asked for.
pub fn bill(words: &FileWords, export: &Export, groups: &[Group], lines: &[BillLine], now: Timestamp) -> Vec<u8> {
    let mut sheet = Sheet::new();
    let title = words.title(export.month);
    let day = |at: Timestamp| at.on_campus().date();
    sheet.line(Face::Bold, 18.0, &title);
    sheet.line(Face::Upright, 11.0, &export.college.name);
    let period = format!("{} – {}", day(export.month.start()), day(export.month.end().plus_seconds(-1)));
    let state = if export.closed { words.state_closed } else { words.state_open };
    sheet.line(Face::Upright, 9.0, &format!("{period} · {state}"));
    if let Some(course) = &export.course {
        sheet.line(Face::Upright, 9.0, &format!("{} {}", course.code, course.name));
    }
    sheet.space(10.0);
    courses(&mut sheet, words, export, groups);
    if !lines.is_empty() {
        section(&mut sheet, words.lines);
        all_lines(&mut sheet, words, lines);
    }
    if !export.adjustments.is_empty() {
        section(&mut sheet, words.sheet_adjustments);
        adjustments(&mut sheet, words, export);
    }
    let made = now.on_campus();
    let foot = words.generated(&format!("{} {}", made.date(), made.time()));
    sheet.finish(&title, tag(words.language), &foot)
}

fn section(sheet: &mut Sheet, name: &str) {
    sheet.space(14.0);
    sheet.line(Face::Bold, 11.0, name);
}

/// A course's month in sums.
#[derive(Default)]
struct Sums {
    name: String,
    labs: u32,
    card_seconds: i64,
    used: i64,
    adjusted: i64,
}

fn courses(sheet: &mut Sheet, words: &FileWords, export: &Export, groups: &[Group]) {
    let mut all = BTreeMap::<&str, Sums>::new();
    let adjusted = export.adjustments.iter().map(|each| each.amount);
    let currency = groups.iter().map(|group| group.amount).chain(adjusted).map(|money| money.currency).next().unwrap_or(domain::money::Currency::Cny);
    for group in groups {
        let name = if words.language == Language::en { &group.name.en } else { &group.name.zh };
        let sums = all.entry(&group.key).or_insert_with(|| Sums { name: name.clone(), ..Sums::default() });
        sums.labs += group.labs;
        sums.card_seconds += group.card_seconds;
        sums.used = sums.used.saturating_add(group.amount.micros);
    }
    for each in &export.adjustments {
        let sums = all.entry(&each.course.code).or_insert_with(|| Sums { name: each.course.name.clone(), ..Sums::default() });
        sums.adjusted = sums.adjusted.saturating_add(each.amount.micros);
    }
    let money = |micros: i64| amount_text(Money::new(micros, currency));
    let row = |code: &str, sums: &Sums| {
        // A group's name begins with the code already.
        let name = if sums.name.starts_with(code) { sums.name.clone() } else { format!("{code} {}", sums.name) };
        let hours = hours_text(words.language, sums.card_seconds);
        [
            name.trim_end().to_owned(),
            sums.labs.to_string(),
            hours,
            money(sums.used),
            money(sums.adjusted),
            money(sums.used.saturating_add(sums.adjusted)),
        ]
    };
    let mut rows: Vec<_> = all.iter().map(|(code, sums)| (Face::Upright, row(code, sums))).collect();
    let total = all.values().fold(Sums::default(), |sum, each| Sums {
        name: String::new(),
        labs: sum.labs + each.labs,
        card_seconds: sum.card_seconds + each.card_seconds,
        used: sum.used + each.used,
        adjusted: sum.adjusted + each.adjusted,
    });
    rows.push((Face::Bold, row(words.total, &total)));
    let columns = [left(LEFT, 225.0), right(225.0, 260.0), right(260.0, 330.0), right(330.0, 400.0), right(400.0, 470.0), right(470.0, RIGHT)];
    sheet.table(&columns, [words.col_course, words.labs, words.unit_card_hours, words.usage, words.adjustments, words.amount], rows);
}

fn all_lines(sheet: &mut Sheet, words: &FileWords, lines: &[BillLine]) {
    let rows = lines.iter().map(|line| {
        let cells = [
            line.lab_name.clone(),
            line.owner_name.clone(),
            meter_text(words.language, line.meter).to_owned(),
            usage_text(words.language, line.meter, line.unit_seconds),
            amount_text(line.amount),
        ];
        (Face::Upright, cells)
    });
    let columns = [left(LEFT, 190.0), left(190.0, 270.0), left(270.0, 375.0), right(375.0, 470.0), right(470.0, RIGHT)];
    sheet.table(&columns, [words.col_lab, words.col_owner, words.col_meter, words.col_quantity, words.amount], rows);
}

fn adjustments(sheet: &mut Sheet, words: &FileWords, export: &Export) {
    let rows = export.adjustments.iter().map(|each| {
        let why = each.of_month.map_or_else(|| each.reason.clone(), |month| words.correction(month));
        let by = each.by.clone().unwrap_or_else(|| words.by_metering.to_owned());
        (Face::Upright, [each.at.on_campus().date(), each.course.code.clone(), why, by, amount_text(each.amount)])
    });
    let columns = [left(LEFT, 110.0), left(110.0, 180.0), left(180.0, 390.0), left(390.0, 470.0), right(470.0, RIGHT)];
    sheet.table(&columns, [words.at, words.col_course, words.reason, words.by_whom, words.amount], rows);
}
