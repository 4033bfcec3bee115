//! What one search over everything finds: only what its reader may see, a few of each kind.

use serde::{Deserialize, Serialize};

use crate::{
    catalogue::Localized,
    ids::{AuditEventId, LabId, OrderId},
    labs::LabState,
    orders::OrderState,
    people::PersonRef,
    text::fold,
    time::Timestamp,
};

/// Of each kind.
pub const MOST: u32 = 5;
/// Words beyond these narrow no further.
pub const WORDS: usize = 3;
/// Longer questions are cut.
pub const LENGTH: usize = 80;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Hit {
    Lab {
        id: LabId,
        name: String,
        offering: Localized,
        course: String,
        state: LabState,
    },
    /// `ahead`: it is for a lesson that is still to come.
    Order {
        id: OrderId,
        number: i64,
        offering: Localized,
        course: String,
        state: OrderState,
        ahead: bool,
    },
    Offering {
        slug: String,
        name: Localized,
        summary: Localized,
    },
    Course {
        code: String,
        name: String,
    },
    Person {
        person: PersonRef,
    },
    Audit {
        id: AuditEventId,
        action: String,
        object: String,
        who: String,
        at: Timestamp,
    },
}

/// The search words in the form in which they are compared: folded by [`fold`], at most [`WORDS`]. Empty for a text without words.
pub fn words(text: &str) -> Vec<String> {
    fold(&cut(text)).split_whitespace().take(WORDS).map(ToOwned::to_owned).collect()
}

/// The search text as typed, cut to [`LENGTH`].
pub fn cut(text: &str) -> String {
    text.chars().take(LENGTH).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_cut_into_a_few_words() {
        assert_eq!(words("  深度 CV2402\tLab  four "), ["深度", "cv2402", "lab"]);
        assert_eq!(words("ＡＩ\u{3000}Österberg"), ["ai", "österberg"]);
        assert_eq!(words("  "), Vec::<String>::new());
        assert_eq!(words(&"长".repeat(200))[0].chars().count(), LENGTH);
    }
}
