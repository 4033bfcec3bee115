//! The words of files that are made of bills: headings of columns and names of sheets. The server alone makes such files.

use domain::time::Month;

use super::words::month_name;
use crate::{i18n::td_string, language::Language};

/// One text for each heading, named like its key.
#[derive(Debug, Clone, Copy)]
pub struct FileWords {
    pub language: Language,
    pub month: &'static str,
    pub col_course_code: &'static str,
    pub col_course: &'static str,
    pub col_lab: &'static str,
    pub col_login: &'static str,
    pub col_owner: &'static str,
    pub col_offering: &'static str,
    pub col_card: &'static str,
    pub col_meter: &'static str,
    pub col_unit: &'static str,
    pub col_quantity: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    pub seconds: &'static str,
    pub col_unit_price: &'static str,
    pub col_discount: &'static str,
    pub amount: &'static str,
    pub col_currency: &'static str,
    pub reason: &'static str,
    pub sheet_adjustments: &'static str,
    pub sheet_summary: &'static str,
    pub lines: &'static str,
    pub state_closed: &'static str,
    pub state_open: &'static str,
    pub state: &'static str,
    pub all_courses: &'static str,
    pub usage: &'static str,
    pub adjustments: &'static str,
    pub total: &'static str,
    pub name: &'static str,
    pub labs: &'static str,
    pub unit_card_hours: &'static str,
    pub col_units: &'static str,
    pub at: &'static str,
    pub by_whom: &'static str,
    pub by_metering: &'static str,
}

impl FileWords {
    pub fn of(language: Language) -> Self {
        Self {
            language,
            month: td_string!(language, bills.month),
            col_course_code: td_string!(language, bills.col_course_code),
            col_course: td_string!(language, bills.col_course),
            col_lab: td_string!(language, bills.col_lab),
            col_login: td_string!(language, bills.col_login),
            col_owner: td_string!(language, bills.col_owner),
            col_offering: td_string!(language, bills.col_offering),
            col_card: td_string!(language, bills.col_card),
            col_meter: td_string!(language, bills.col_meter),
            col_unit: td_string!(language, bills.col_unit),
            col_quantity: td_string!(language, bills.col_quantity),
            from: td_string!(language, bills.from),
            to: td_string!(language, bills.to),
            seconds: td_string!(language, bills.seconds),
            col_unit_price: td_string!(language, bills.col_unit_price),
            col_discount: td_string!(language, bills.col_discount),
            amount: td_string!(language, bills.amount),
            col_currency: td_string!(language, bills.col_currency),
            reason: td_string!(language, bills.reason),
            sheet_adjustments: td_string!(language, bills.sheet_adjustments),
            sheet_summary: td_string!(language, bills.sheet_summary),
            lines: td_string!(language, bills.lines),
            state_closed: td_string!(language, bills.state_closed),
            state_open: td_string!(language, bills.state_open),
            state: td_string!(language, bills.state),
            all_courses: td_string!(language, bills.all_courses),
            usage: td_string!(language, bills.usage),
            adjustments: td_string!(language, bills.adjustments),
            total: td_string!(language, bills.total),
            name: td_string!(language, bills.name),
            labs: td_string!(language, bills.labs),
            unit_card_hours: td_string!(language, billing.unit_card_hours),
            col_units: td_string!(language, bills.col_units),
            at: td_string!(language, bills.at),
            by_whom: td_string!(language, bills.by_whom),
            by_metering: td_string!(language, bills.by_metering),
        }
    }

    /// `Bill for November 2026`
    pub fn title(&self, month: Month) -> String {
        let language = self.language;
        td_string!(language, bills.title, year = month.year(), month = month_name(language, month)).to_string()
    }

    /// Why a correction stands on a bill.
    pub fn correction(&self, of_month: Month) -> String {
        let language = self.language;
        td_string!(language, bills.correction_reason, month = of_month.to_string()).to_string()
    }

    /// When a file was made.
    pub fn generated(&self, at: &str) -> String {
        let language = self.language;
        td_string!(language, bills.generated, at = at).to_string()
    }
}
