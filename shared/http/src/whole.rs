//! Whole numbers in JSON bodies, read as JSON Schema defines them: `7.0` and `7e0` are the integer 7.
//!
//! A number out of the type's range becomes the type's nearest bound, so that the field's own check refuses it and names
//! the field's real range. Use them as `#[serde(deserialize_with = "trainyard_http::whole::i64")]`.

use std::fmt;

use serde::de::{Deserializer, Error, Unexpected, Visitor};

struct Whole;

impl Visitor<'_> for Whole {
    type Value = i128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The name by which refusals know a whole number.
        f.write_str("i64")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<i128, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<i128, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<i128, E> {
        // `as` takes what is out of range to the nearest bound.
        if value.fract() == 0.0 { Ok(value as i128) } else { Err(E::invalid_type(Unexpected::Float(value), &self)) }
    }
}

/// An `i64`.
///
/// # Errors
/// When the value is not a whole number.
pub fn i64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let whole = deserializer.deserialize_i64(Whole)?;
    Ok(i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX }))
}

/// A `u64` that has a smaller bound of its own: negative numbers become [`u64::MAX`], which that bound refuses.
///
/// # Errors
/// When the value is not a whole number.
pub fn bounded_u64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    Ok(u64::try_from(deserializer.deserialize_i64(Whole)?).unwrap_or(u64::MAX))
}

/// An `i64` that may be null or left out; say `default` beside it.
///
/// # Errors
/// When the value is neither null nor a whole number.
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
    fn a_whole_number_may_be_spelled_as_a_float() {
        let expected = Body { n: 7, seed: 100, version: Some(3) };
        assert_eq!(read(r#"{"n": 7.0, "seed": 1e2, "version": 3.0}"#).unwrap(), expected);
        assert_eq!(read(r#"{"n": 7, "seed": 100, "version": 3}"#).unwrap(), expected);
        assert_eq!(read(r#"{"n": 7, "seed": 100, "version": null}"#).unwrap().version, None);
    }

    #[test]
    fn what_is_out_of_range_becomes_the_nearest_bound() {
        let body = read(r#"{"n": -1e300, "seed": -1}"#).unwrap();
        assert_eq!((body.n, body.seed), (i64::MIN, u64::MAX));
        assert_eq!(read(r#"{"n": 18446744073709551615, "seed": 1e300}"#).unwrap().n, i64::MAX);
    }

    #[test]
    fn anything_else_is_refused() {
        for wrong in ["7.5", "\"7\"", "true", "null", "[7]"] {
            let refused = read(&format!(r#"{{"n": {wrong}, "seed": 1}}"#)).unwrap_err();
            assert!(refused.starts_with("invalid type"), "{refused}");
        }
        assert!(read(r#"{"n": 1, "seed": 1, "version": 1.5}"#).is_err());
    }
}
