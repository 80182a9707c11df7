//! OpenAPI schemas that are derived from the Rust types, so that the document matches the responses.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// The pattern of model, dataset and schedule names.
pub const NAME_PATTERN: &str = "^[a-z0-9][a-z0-9._-]{0,63}$";

/// The schema of the enum `T`: a string with serde's variant names.
pub fn closed_list<T: DeserializeOwned>(description: &str) -> RefOr<Schema> {
    one_of_texts(variants::<T>().iter().copied(), description)
}

/// The schema of a string that is one of `texts`.
pub fn one_of_texts<'t>(texts: impl IntoIterator<Item = &'t str>, description: &str) -> RefOr<Schema> {
    let list = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(texts.into_iter().map(str::to_owned)))
        .description(Some(description));
    RefOr::T(list.build().into())
}

/// The schema of a value of one of these JSON types.
pub fn any_of_types(types: impl IntoIterator<Item = Type>, description: &str) -> RefOr<Schema> {
    let value = ObjectBuilder::new().schema_type(SchemaType::from_iter(types)).description(Some(description));
    RefOr::T(value.build().into())
}

/// serde's names of the variants of the enum `T`; empty for other types.
pub fn variants<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut variants: &'static [&'static str] = &[];
    // An enum passes the names of its variants to its deserializer.
    let _ = T::deserialize(Variants(&mut variants));
    variants
}

struct Variants<'a>(&'a mut &'static [&'static str]);

impl<'de> Deserializer<'de> for Variants<'_> {
    type Error = Listed;

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Listed> {
        *self.0 = variants;
        Err(Listed)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Listed> {
        Err(Listed::custom("not an enum"))
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

/// The error that ends the deserialization once the names are known.
#[derive(Debug)]
struct Listed;

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the variants are listed")
    }
}

impl std::error::Error for Listed {}

impl serde::de::Error for Listed {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Code;

    #[test]
    fn the_variants_are_the_serialized_names() {
        let sent: Vec<_> = Code::ALL.iter().map(|code| serde_json::to_value(code).unwrap()).collect();
        assert_eq!(sent, variants::<Code>());
        assert_eq!(Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(), variants::<Code>());
        assert!(variants::<String>().is_empty());
    }
}
