//! The condition language: tests over facts, joined by all, any and not. Approval policies use it; budget actions and audit alerts
//! bring tests and facts of their own. Another use is a type of tests that implements [`Test`].

use serde::{Deserialize, Serialize};

/// One question that facts answer with yes or no.
pub trait Test: PartialEq {
    type Facts;
    fn holds(&self, facts: &Self::Facts) -> bool;

    /// Whether it holds for all facts that there can be.
    fn is_always(&self) -> bool {
        false
    }

    /// Whether the other holds wherever this holds.
    fn implies(&self, other: &Self) -> bool {
        self == other
    }
}

/// Tests joined together. A test stands in a document as itself: `{"all": ["over_cards_per_order", {"not": {"cost_over": 500000000}}]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition<T> {
    Always,
    All(Vec<Condition<T>>),
    Any(Vec<Condition<T>>),
    Not(Box<Condition<T>>),
    #[serde(untagged)]
    Test(T),
}

/// Deepest nesting and most tests of one condition: beyond that nobody can read it as a sentence.
pub const MAX_DEPTH: u32 = 4;
pub const MAX_TESTS: u32 = 40;

impl<T: Test> Condition<T> {
    pub fn holds(&self, facts: &T::Facts) -> bool {
        match self {
            Self::Always => true,
            Self::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(facts)),
            Self::Not(part) => !part.holds(facts),
            Self::Test(test) => test.holds(facts),
        }
    }

    /// Whether it holds for all facts, as far as its form shows.
    pub fn is_always(&self) -> bool {
        match self {
            Self::Always => true,
            Self::All(parts) => parts.iter().all(Self::is_always),
            Self::Any(parts) => parts.iter().any(Self::is_always) || has_opposites(parts),
            Self::Not(part) => part.is_never(),
            Self::Test(test) => test.is_always(),
        }
    }

    /// Whether it holds for no facts, as far as its form shows.
    pub fn is_never(&self) -> bool {
        match self {
            Self::Always | Self::Test(_) => false,
            Self::All(parts) => parts.iter().any(Self::is_never) || has_opposites(parts),
            Self::Any(parts) => parts.iter().all(Self::is_never),
            Self::Not(part) => part.is_always(),
        }
    }

    /// Whether the other holds wherever this holds, as far as their forms show.
    pub fn implies(&self, other: &Self) -> bool {
        if self.is_never() || other.is_always() {
            return true;
        }
        match (self, other) {
            (Self::Any(parts), _) => parts.iter().all(|part| part.implies(other)),
            (_, Self::All(parts)) => parts.iter().all(|part| self.implies(part)),
            (Self::All(parts), _) if parts.iter().any(|part| part.implies(other)) => true,
            (_, Self::Any(parts)) => parts.iter().any(|part| self.implies(part)),
            (Self::Not(part), Self::Not(wider)) => wider.implies(part),
            (Self::Test(test), Self::Test(wider)) => test.implies(wider),
            _ => false,
        }
    }
}

/// Whether one of the parts is the opposite of another.
fn has_opposites<T: Test>(parts: &[Condition<T>]) -> bool {
    parts.iter().any(|part| matches!(part, Condition::Not(inner) if parts.contains(inner)))
}

impl<T> Condition<T> {
    /// How deep it nests; a test by itself is 1.
    pub fn depth(&self) -> u32 {
        match self {
            Self::Always | Self::Test(_) => 1,
            Self::All(parts) | Self::Any(parts) => 1 + parts.iter().map(Self::depth).max().unwrap_or_default(),
            Self::Not(part) => 1 + part.depth(),
        }
    }

    /// Every test in it, from left to right.
    pub fn tests(&self) -> Vec<&T> {
        match self {
            Self::Always => Vec::new(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::tests).collect(),
            Self::Not(part) => part.tests(),
            Self::Test(test) => vec![test],
        }
    }

    /// Whether a person can still follow it.
    pub fn is_readable(&self) -> bool {
        self.depth() <= MAX_DEPTH && self.tests().len() <= MAX_TESTS as usize
    }
}

impl<T> From<T> for Condition<T> {
    fn from(test: T) -> Self {
        Self::Test(test)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A use of another kind than approvals: what an alert on the audit record would ask.
    #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Alert {
        Action(String),
        AtNight,
    }

    impl Test for Alert {
        type Facts = (String, bool);
        fn holds(&self, (action, night): &Self::Facts) -> bool {
            match self {
                Self::Action(wanted) => wanted == action,
                Self::AtNight => *night,
            }
        }
    }

    #[test]
    fn a_narrower_condition_implies_a_wider_one() {
        let read = |text| serde_json::from_str::<Condition<Alert>>(text).expect("a condition");
        let night = read(r#""at_night""#);
        for narrower in [r#""at_night""#, r#"{"all":["at_night",{"action":"x"}]}"#, r#"{"any":[{"all":["at_night"]},{"not":"always"}]}"#] {
            assert!(read(narrower).implies(&night), "{narrower}");
        }
        for other in [r#""always""#, r#"{"any":["at_night",{"action":"x"}]}"#, r#"{"not":"at_night"}"#, r#"{"action":"x"}"#] {
            assert!(!read(other).implies(&night), "{other}");
        }
        assert!(night.implies(&read(r#"{"any":[{"action":"x"},"at_night"]}"#)));
        assert!(night.implies(&read(r#"{"all":["at_night","always"]}"#)));
        assert!(!night.implies(&read(r#"{"all":["at_night",{"action":"x"}]}"#)));
        assert!(read(r#"{"not":{"any":["at_night",{"action":"x"}]}}"#).implies(&read(r#"{"not":"at_night"}"#)));
    }

    #[test]
    fn any_kind_of_test_can_be_joined_and_read_back() {
        let text = r#"{"all":[{"action":"policy.publish"},{"not":"at_night"},{"any":["always"]}]}"#;
        let condition: Condition<Alert> = serde_json::from_str(text).expect("a condition");
        assert_eq!(serde_json::to_string(&condition).expect("text"), text);
        assert!(condition.holds(&("policy.publish".into(), false)));
        assert!(!condition.holds(&("policy.publish".into(), true)));
        assert_eq!((condition.depth(), condition.tests().len()), (3, 2));
        assert!(condition.is_readable());
        assert!(!condition.is_always() && !condition.is_never());
        let read = |text| serde_json::from_str::<Condition<Alert>>(text).expect("a condition");
        for always in [r#""always""#, r#"{"all":[]}"#, r#"{"any":["at_night","always"]}"#, r#"{"not":{"any":[]}}"#] {
            assert!(read(always).is_always() && !read(always).is_never(), "{always}");
        }
        assert!(read(r#"{"all":["at_night",{"not":"always"}]}"#).is_never());
        assert!(read(r#"{"any":["at_night",{"not":"at_night"}]}"#).is_always());
        assert!(read(r#"{"all":["at_night",{"not":"at_night"}]}"#).is_never());
        assert!(!read(r#"{"any":["at_night",{"not":{"action":"x"}}]}"#).is_always());
        assert!(serde_json::from_str::<Condition<Alert>>(r#"{"colour":"red"}"#).is_err());
    }
}
