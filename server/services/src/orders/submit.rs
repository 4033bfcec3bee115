//! Submitting: quota and budget are held in one transaction, and the policy decides (C1, C4).

use domain::{
    Error, Problem, Result,
    orders::{OrderForm, OrderView},
};

use crate::{Caller, Services};

/// 1 to 100 visible ASCII characters; a retry with the same key gives the same order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        match text.len() {
            0 => Err(Error::field("idempotency_key", Problem::Missing)),
            1..=100 if text.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(Self(text.to_owned())),
            1..=100 => Err(Error::field("idempotency_key", Problem::BadFormat { example: "8e03978e-40d5-43e8-bc93-6894a57f9324".into() })),
            _ => Err(Error::field("idempotency_key", Problem::TooLong { max: 100 })),
        }
    }
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Errors: `Invalid` per field, `OverQuota`, `OverBudget`, `IdempotencyKeyReused`, `NotFound`, `Forbidden`.
pub async fn submit(_services: &Services, _caller: &Caller, _form: &OrderForm, _key: &IdempotencyKey) -> Result<OrderView> {
    todo!()
}
