//! Tenants and courses (D1): who pays and whose quota it is.

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, FieldErrors, Problem},
    ids::{CourseId, TenantId},
    quotas::QuotaSettings,
};

/// A course, briefly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseRef {
    pub id: CourseId,
    /// `CV2402`: unique in the tenant, part of the namespace's name.
    pub code: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tenant {
    pub id: TenantId,
    pub slug: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Course {
    pub id: CourseId,
    pub tenant: TenantId,
    pub code: String,
    pub name: String,
    /// Kubernetes namespace of the course: `lectern-cv2402`.
    pub namespace: String,
    pub settings: QuotaSettings,
}

impl Course {
    pub fn brief(&self) -> CourseRef {
        CourseRef { id: self.id, code: self.code.clone(), name: self.name.clone() }
    }
}

/// A course code: 2 to 24 of `A-Z a-z 0-9 -`, beginning and ending with a letter or digit, since it names a namespace.
pub fn check_code(code: &str) -> Result<(), Problem> {
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    if code.chars().count() > 24 {
        return Err(Problem::TooLong { max: 24 });
    }
    if code.chars().count() < 2 {
        return Err(Problem::TooShort { min: 2 });
    }
    let good = code.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && edge(code.chars().next()) && edge(code.chars().last());
    if good { Ok(()) } else { Err(Problem::BadFormat { example: "CV2402".into() }) }
}

/// The namespace of a course in the tenant's cluster.
pub fn namespace(tenant_slug: &str, code: &str) -> String {
    format!("lectern-{}-{}", tenant_slug.to_ascii_lowercase(), code.to_ascii_lowercase())
}

/// A new course as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseForm {
    pub code: String,
    pub name: String,
    /// Whole units of the price book's currency.
    pub budget: String,
    /// Whole cards.
    pub cards: String,
}

impl CourseForm {
    /// Checked code, name, budget (units) and cards. Errors: [`Error::Invalid`] with every problem.
    pub fn check(&self) -> Result<(String, String, i64, i64), Error> {
        let mut errors = FieldErrors::default();
        let (code, name) = (self.code.trim(), self.name.trim());
        if code.is_empty() {
            errors.push("code", Problem::Missing);
        } else if let Err(problem) = check_code(code) {
            errors.push("code", problem);
        }
        if name.is_empty() {
            errors.push("name", Problem::Missing);
        } else if name.chars().count() > 100 {
            errors.push("name", Problem::TooLong { max: 100 });
        }
        let mut number = |field: &str, text: &str, max: i64| match text.trim().parse::<i64>() {
            _ if text.trim().is_empty() => {
                errors.push(field, Problem::Missing);
                0
            }
            Ok(number) if (0..=max).contains(&number) => number,
            Ok(_) => {
                errors.push(field, Problem::OutOfRange { min: 0, max });
                0
            }
            Err(_) => {
                errors.push(field, Problem::NotANumber);
                0
            }
        };
        let budget = number("budget", &self.budget, 1_000_000_000);
        let cards = number("cards", &self.cards, 10_000);
        errors.finish()?;
        Ok((code.to_owned(), name.to_owned(), budget, cards))
    }
}
