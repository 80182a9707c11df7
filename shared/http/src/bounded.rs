//! Integers with bounds in query strings. An error names the bounds of the field, not those of its type.
//!
//! Usage: `#[serde(default, deserialize_with = "bounded::optional::<1, 100, _, _>")]` on an `Option`,
//! `#[serde(deserialize_with = "bounded::required::<1, 100, _, _>")]` on a number.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

/// Reads a number from `MIN` to `MAX`.
///
/// # Errors
/// Every other value.
pub fn required<'de, const MIN: i64, const MAX: i64, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_i64(Integer::<MIN, MAX, T>(PhantomData))
}

/// Reads a number from `MIN` to `MAX`, or null.
///
/// # Errors
/// Every other value.
pub fn optional<'de, const MIN: i64, const MAX: i64, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: TryFrom<i64>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_option(Optional::<MIN, MAX, T>(PhantomData))
}

struct Integer<const MIN: i64, const MAX: i64, T>(PhantomData<T>);

impl<const MIN: i64, const MAX: i64, T: TryFrom<i64>> Visitor<'_> for Integer<MIN, MAX, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match MAX {
            i64::MAX => write!(f, "a whole number, {MIN} or more"),
            _ => write!(f, "a whole number from {MIN} to {MAX}"),
        }
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<T, E> {
        let refusal = || E::invalid_value(Unexpected::Signed(value), &self);
        if !(MIN..=MAX).contains(&value) {
            return Err(refusal());
        }
        T::try_from(value).map_err(|_| refusal())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<T, E> {
        match i64::try_from(value) {
            Ok(value) => self.visit_i64(value),
            Err(_) => Err(E::invalid_value(Unexpected::Unsigned(value), &self)),
        }
    }
}

struct Optional<const MIN: i64, const MAX: i64, T>(PhantomData<T>);

impl<'de, const MIN: i64, const MAX: i64, T: TryFrom<i64>> Visitor<'de> for Optional<MIN, MAX, T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Integer::<MIN, MAX, T>(PhantomData).expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        required::<MIN, MAX, T, D>(deserializer).map(Some)
    }
}
