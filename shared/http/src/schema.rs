//! Schemas that are made from the types themselves, so that the published form can't differ from what is sent.

use std::fmt;

use serde::de::{DeserializeOwned, Deserializer, Error as _, Visitor};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};

/// The rule for names of models, datasets and schedules, as a pattern for the API's description.
pub const NAME_PATTERN: &str = "^[a-z0-9][a-z0-9._-]{0,63}$";

/// A closed list of texts: the variants of the enum `T` as serde reads and writes them.
pub fn closed_list<T: DeserializeOwned>(description: &str) -> RefOr<Schema> {
    one_of_texts(variants::<T>().iter().copied(), description)
}

/// One of `texts`.
pub fn one_of_texts<'t>(texts: impl IntoIterator<Item = &'t str>, description: &str) -> RefOr<Schema> {
    let list = ObjectBuilder::new()
        .schema_type(Type::String)
        .enum_values(Some(texts.into_iter().map(str::to_owned)))
        .description(Some(description));
    RefOr::T(list.build().into())
}

/// A value of one of these JSON types.
pub fn any_of_types(types: impl IntoIterator<Item = Type>, description: &str) -> RefOr<Schema> {
    let value = ObjectBuilder::new().schema_type(SchemaType::from_iter(types)).description(Some(description));
    RefOr::T(value.build().into())
}

/// The names by which serde knows the variants of the enum `T`; empty for other types.
pub fn variants<T: DeserializeOwned>() -> &'static [&'static str] {
    let mut variants: &'static [&'static str] = &[];
    // An enum asks its deserializer for one of its variants, and hands it their names to do so.
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

/// Ends the deserialization once the names are known.
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
    fn the_variants_are_those_that_are_sent() {
        let sent: Vec<_> = Code::ALL.iter().map(|code| serde_json::to_value(code).unwrap()).collect();
        assert_eq!(sent, variants::<Code>());
        assert_eq!(Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>(), variants::<Code>());
        assert!(variants::<String>().is_empty());
    }
}
