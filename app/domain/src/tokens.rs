//! Personal access tokens: programs use the API by them, as their owner and within their scopes.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    Problem, Result,
    access::{Action, Scope},
    error::FieldErrors,
    ids::TokenId,
    names,
    people::Viewer,
    time::Timestamp,
};

pub const NAME_MAX: u32 = 100;
/// Days that one may choose for a token to live.
pub const LIFETIMES: [u32; 4] = [7, 30, 90, 365];
/// Chosen at first: a term.
pub const LIFETIME: u32 = 90;
/// Longest lifetime of any token in days, also of one that is created on the command line.
pub const LIFETIME_MAX: u32 = 365;
/// Good tokens that one person may have at a time.
pub const TOKENS_MAX: u32 = 20;

/// A token as its owner sees it; its secret was shown once and is not here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenView {
    pub id: TokenId,
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

impl TokenView {
    pub fn is_good(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|at| at > now)
    }
}

/// What was typed for a new token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenForm {
    pub name: String,
    /// By their names, `orders:read`.
    pub scopes: Vec<String>,
    pub days: String,
}

/// What a new token is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewToken {
    pub name: String,
    pub scopes: BTreeSet<Scope>,
    /// Checked by [`check_days`].
    pub days: u32,
}

impl TokenForm {
    /// Errors: `Invalid` on `name`, `scopes`, `days`.
    pub fn check(&self) -> Result<NewToken> {
        let mut errors = FieldErrors::default();
        let name = check_name(&self.name).unwrap_or_else(|problem| {
            errors.push("name", problem);
            String::new()
        });
        let scopes: Option<BTreeSet<_>> = self.scopes.iter().map(|text| Scope::parse(text)).collect();
        match &scopes {
            None => errors.push("scopes", Problem::NotOneOf { choices: Scope::ALL.map(|scope| scope.as_str().to_owned()).into() }),
            Some(scopes) if scopes.is_empty() => errors.push("scopes", Problem::Missing),
            Some(_) => {}
        }
        let days = LIFETIMES.into_iter().find(|days| self.days.trim() == days.to_string());
        if days.is_none() {
            errors.push("days", Problem::NotOneOf { choices: LIFETIMES.map(|days| days.to_string()).into() });
        }
        errors.finish()?;
        Ok(NewToken { name, scopes: scopes.unwrap_or_default(), days: days.unwrap_or(LIFETIME) })
    }
}

/// Checks a token's lifetime in days where any number can be typed. Errors: `OutOfRange`.
pub fn check_days(days: u32) -> Result<u32, Problem> {
    if (1..=LIFETIME_MAX).contains(&days) { Ok(days) } else { Err(Problem::OutOfRange { min: 1, max: LIFETIME_MAX.into() }) }
}

/// A token's name in its stored form, by the common rule for names.
pub fn check_name(name: &str) -> Result<String, Problem> {
    names::check(name, NAME_MAX)
}

/// The scopes that are of any use to this person: a token never allows more than its owner's roles.
pub fn useful_scopes(viewer: &Viewer) -> Vec<Scope> {
    Scope::ALL.into_iter().filter(|scope| Action::ALL.into_iter().any(|action| action.scope() == *scope && viewer.may(action))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Error;

    fn form(name: &str, scopes: &[&str], days: &str) -> TokenForm {
        TokenForm { name: name.into(), scopes: scopes.iter().map(|text| (*text).into()).collect(), days: days.into() }
    }

    #[test]
    fn a_form_becomes_a_token_or_says_what_is_wrong_with_each_field() {
        let good = form(" grading script ", &["orders:read", "labs:read"], "30").check().expect("good");
        assert_eq!(good, NewToken { name: "grading script".into(), scopes: [Scope::OrdersRead, Scope::LabsRead].into(), days: 30 });
        let Err(Error::Invalid(problems)) = form("", &[], "31").check() else { panic!("refused") };
        assert_eq!(problems.iter().map(|problem| problem.field.as_str()).collect::<Vec<_>>(), ["name", "scopes", "days"]);
        let Err(Error::Invalid(problems)) = form(&"x".repeat(101), &["everything"], "7").check() else { panic!("refused") };
        assert_eq!(problems.len(), 2);
    }
}
