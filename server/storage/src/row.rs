//! Reading rows into domain types: a failure names its table and column.

use std::{fmt::Display, str::FromStr};

use domain::{
    money::{Currency, Money},
    time::Timestamp,
};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row as _, any::AnyRow};

use crate::error::{Error, Result};

/// A row of a named table.
#[derive(Clone, Copy)]
pub struct Row<'r> {
    table: &'static str,
    row: &'r AnyRow,
}

impl<'r> Row<'r> {
    pub const fn of(table: &'static str, row: &'r AnyRow) -> Self {
        Self { table, row }
    }
    pub fn fail(&self, column: &'static str, reason: impl Display) -> Error {
        Error::unreadable(self.table, column, reason)
    }
    pub fn text(&self, column: &'static str) -> Result<String> {
        self.row.try_get(column).map_err(|error| self.fail(column, error))
    }
    pub fn optional_text(&self, column: &'static str) -> Result<Option<String>> {
        self.row.try_get(column).map_err(|error| self.fail(column, error))
    }
    pub fn integer(&self, column: &'static str) -> Result<i64> {
        self.row.try_get(column).map_err(|error| self.fail(column, error))
    }
    pub fn optional_integer(&self, column: &'static str) -> Result<Option<i64>> {
        self.row.try_get(column).map_err(|error| self.fail(column, error))
    }
    /// A non-negative number that fits.
    pub fn count<T: TryFrom<i64>>(&self, column: &'static str) -> Result<T> {
        T::try_from(self.integer(column)?).map_err(|_| self.fail(column, "out of range"))
    }
    pub fn flag(&self, column: &'static str) -> Result<bool> {
        match self.integer(column)? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(self.fail(column, format!("{other} is no flag"))),
        }
    }
    pub fn timestamp(&self, column: &'static str) -> Result<Timestamp> {
        self.integer(column).map(Timestamp::from_micros)
    }
    pub fn optional_timestamp(&self, column: &'static str) -> Result<Option<Timestamp>> {
        Ok(self.optional_integer(column)?.map(Timestamp::from_micros))
    }
    /// An id, card, month, … by `FromStr`.
    pub fn parse<T>(&self, column: &'static str) -> Result<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.text(column)?.parse().map_err(|error| self.fail(column, error))
    }
    pub fn optional_parse<T>(&self, column: &'static str) -> Result<Option<T>>
    where
        T: FromStr,
        T::Err: Display,
    {
        self.optional_text(column)?.map(|text| text.parse().map_err(|error| self.fail(column, error))).transpose()
    }
    /// A state by its `parse` function.
    pub fn state<T>(&self, column: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T> {
        let text = self.text(column)?;
        parse(&text).ok_or_else(|| self.fail(column, format!("unknown value {text:?}")))
    }
    pub fn json<T: DeserializeOwned>(&self, column: &'static str) -> Result<T> {
        serde_json::from_str(&self.text(column)?).map_err(|error| self.fail(column, error))
    }
    pub fn optional_json<T: DeserializeOwned>(&self, column: &'static str) -> Result<Option<T>> {
        self.optional_text(column)?.map(|text| serde_json::from_str(&text).map_err(|error| self.fail(column, error))).transpose()
    }
    pub fn money(&self, micros: &'static str, currency: &'static str) -> Result<Money> {
        Ok(Money::new(self.integer(micros)?, self.parse::<Currency>(currency)?))
    }
}

/// JSON text for a document column. The types stored here cannot fail to serialise: their maps have text keys.
pub fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| unreachable!("a stored document must serialise: {error}"))
}
