//! Integers in JSON bodies, as JSON Schema defines them: `7.0` and `7e0` are the integer 7.
//!
//! A number outside the type's range becomes the nearest bound of the type. The field's own check refuses this bound and
//! names the field's range. Usage: `#[serde(deserialize_with = "trainyard_http::integer::i64")]`.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

struct Integer;

impl Visitor<'_> for Integer {
    type Value = i128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `serde_message` turns this name into "a whole number".
        f.write_str("i64")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<i128, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i128, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<i128, E> {
        // `as` saturates at the bounds.
        if value.fract() == 0.0 { Ok(value as i128) } else { Err(E::invalid_type(Unexpected::Float(value), &self)) }
    }
}

/// Reads an `i64`.
///
/// # Errors
/// A value that is not an integer.
pub fn i64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let integer = deserializer.deserialize_i64(Integer)?;
    Ok(i64::try_from(integer).unwrap_or(if integer < 0 { i64::MIN } else { i64::MAX }))
}

/// Reads a `u64` of a field with a lower maximum. Negative numbers become [`u64::MAX`], which exceeds the maximum.
///
/// # Errors
/// A value that is not an integer.
pub fn bounded_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(u64::try_from(deserializer.deserialize_i64(Integer)?).unwrap_or(u64::MAX))
}

/// Reads an `i64` or null. The field also needs `default`.
///
/// # Errors
/// A value that is neither null nor an integer.
pub fn optional_i64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(transparent)]
    struct Inner(#[serde(deserialize_with = "i64")] i64);
    let inner: Option<Inner> = serde::Deserialize::deserialize(deserializer)?;
    Ok(inner.map(|Inner(value)| value))
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    struct Body {
        #[serde(deserialize_with = "super::i64")]
        n: i64,
        #[serde(deserialize_with = "super::bounded_u64")]
        seed: u64,
        #[serde(default, deserialize_with = "super::optional_i64")]
        version: Option<i64>,
    }

    fn read(json: &str) -> Result<Body, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn an_integer_may_be_written_as_a_float() {
        let expected = Body { n: 7, seed: 100, version: Some(3) };
        assert_eq!(read(r#"{"n": 7.0, "seed": 1e2, "version": 3.0}"#).unwrap(), expected);
        assert_eq!(read(r#"{"n": 7, "seed": 100, "version": 3}"#).unwrap(), expected);
        assert_eq!(read(r#"{"n": 7, "seed": 100, "version": null}"#).unwrap().version, None);
    }

    #[test]
    fn a_number_out_of_range_becomes_the_nearest_bound() {
        let body = read(r#"{"n": -1e300, "seed": -1}"#).unwrap();
        assert_eq!((body.n, body.seed), (i64::MIN, u64::MAX));
        assert_eq!(read(r#"{"n": 18446744073709551615, "seed": 1e300}"#).unwrap().n, i64::MAX);
    }

    #[test]
    fn other_values_are_refused() {
        for wrong in ["7.5", "\"7\"", "true", "null", "[7]"] {
            let refused = read(&format!(r#"{{"n": {wrong}, "seed": 1}}"#)).unwrap_err();
            assert!(refused.starts_with("invalid type"), "{refused}");
        }
        assert!(read(r#"{"n": 1, "seed": 1, "version": 1.5}"#).is_err());
    }
}
