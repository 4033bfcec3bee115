//! People: accounts, their roles and what others see of them (D1, L4).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    access::Role,
    courses::CourseRef,
    error::{Error, FieldErrors, Problem},
    ids::UserId,
    time::Timestamp,
};

/// A person, briefly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRef {
    pub id: UserId,
    pub login: String,
    pub name: String,
}

/// A person as administrators see them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    pub person: PersonRef,
    pub roles: BTreeSet<Role>,
    pub courses: Vec<CourseRef>,
    pub disabled: bool,
    pub last_sign_in_at: Option<Timestamp>,
}

/// Who is signed in, for the page's frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Viewer {
    pub person: PersonRef,
    pub roles: BTreeSet<Role>,
    pub tenant_name: String,
    pub simulated_cluster: bool,
    pub cluster_away_since: Option<Timestamp>,
    /// Orders that wait for this person's decision, capped at 100.
    pub pending_approvals: u32,
}

pub const PASSWORD_MIN: u32 = 10;
/// Longer input is refused before it is hashed.
pub const PASSWORD_MAX: u32 = 200;

/// Whether a new password is long enough. Length is the only rule; composition rules make passwords worse.
pub fn check_password(password: &str) -> Result<(), Problem> {
    let length = u32::try_from(password.chars().count()).unwrap_or(u32::MAX);
    match length {
        0 => Err(Problem::Missing),
        _ if length < PASSWORD_MIN => Err(Problem::TooShort { min: PASSWORD_MIN }),
        _ if length > PASSWORD_MAX => Err(Problem::TooLong { max: PASSWORD_MAX }),
        _ => Ok(()),
    }
}

/// A login name: 2 to 64 of letters, digits, `. _ - @`; compared in lower case.
pub fn check_login(login: &str) -> Result<String, Problem> {
    let login = login.trim().to_lowercase();
    let length = login.chars().count();
    if length == 0 {
        Err(Problem::Missing)
    } else if length < 2 {
        Err(Problem::TooShort { min: 2 })
    } else if length > 64 {
        Err(Problem::TooLong { max: 64 })
    } else if login.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '@')) {
        Ok(login)
    } else {
        Err(Problem::BadFormat { example: "li.hua".into() })
    }
}

/// The first administrator, or a new person, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewPerson {
    pub login: String,
    pub name: String,
    pub password: String,
}

impl NewPerson {
    /// Login in its stored form. Errors: [`Error::Invalid`] with every problem.
    pub fn check(&self) -> Result<String, Error> {
        let mut errors = FieldErrors::default();
        let login = match check_login(&self.login) {
            Ok(login) => login,
            Err(problem) => {
                errors.push("login", problem);
                String::new()
            }
        };
        match self.name.trim().chars().count() {
            0 => errors.push("name", Problem::Missing),
            1..=100 => {}
            _ => errors.push("name", Problem::TooLong { max: 100 }),
        }
        if let Err(problem) = check_password(&self.password) {
            errors.push("password", problem);
        }
        errors.finish()?;
        Ok(login)
    }
}
