//! Ordering again from history: the form as it was, fitted to the offering of today, with what is different now (B3).

use serde::{Deserialize, Serialize};

use super::{ClassForm, Order, OrderForm};
use crate::{
    catalogue::{Localized, Offering},
    courses::CourseRef,
    error::Problem,
    money::Money,
    pricing::PriceBook,
    time::Timestamp,
};

/// A filled form and what its reader should know before sending it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// Number of the order that it is made from.
    pub number: i64,
    pub form: OrderForm,
    pub notes: Vec<Note>,
}

/// Something that is not as it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "note")]
pub enum Note {
    /// The offering was published anew since.
    Version { from: u32, to: u32 },
    /// Per hour, with the parameters of the new form.
    Price { before: Money, after: Money },
    /// A value that the offering no longer allows; the default stands in its place.
    Value { label: Localized, value: String, problem: Problem },
    /// A parameter that the offering no longer has.
    Gone { key: String, value: String },
    /// Minutes outside the offering's limits, moved to the nearest.
    Duration { from: u32, to: u32 },
}

/// `course`: that of the order. The form that comes out fits the offering; whether it fits quota and budget the form's preview says.
pub fn again(order: &Order, course: &CourseRef, offering: &Offering, book: &PriceBook, now: Timestamp) -> Again {
    let mut notes = Vec::new();
    if order.offering_version != offering.version {
        notes.push(Note::Version { from: order.offering_version, to: offering.version });
    }
    let mut parameters = order.parameters.clone();
    parameters.retain(|key, value| {
        let Some(parameter) = offering.parameters.iter().find(|parameter| parameter.key == *key) else {
            if !value.trim().is_empty() {
                notes.push(Note::Gone { key: key.clone(), value: value.clone() });
            }
            return false;
        };
        match parameter.check(value.trim()) {
            _ if value.trim().is_empty() => true,
            Ok(()) => true,
            Err(problem) => {
                notes.push(Note::Value { label: parameter.label.clone(), value: value.clone(), problem });
                false
            }
        }
    });
    let before = order.lesson_minutes();
    let minutes = before.clamp(offering.duration.min, offering.duration.max);
    if minutes != before {
        notes.push(Note::Duration { from: before, to: minutes });
    }
    let after = offering.resolve(&parameters).and_then(|spec| book.estimate(&spec, minutes, now));
    if let Ok(after) = after
        && after.per_hour != order.estimate.per_hour
    {
        notes.push(Note::Price { before: order.estimate.per_hour, after: after.per_hour });
    }
    let form = OrderForm {
        offering: offering.slug.clone(),
        course: course.code.clone(),
        parameters,
        duration_minutes: minutes.to_string(),
        purpose: order.purpose.clone(),
        // One seat, at once: its lesson is over.
        class: ClassForm::default(),
    };
    Again { number: order.number, form, notes }
}
