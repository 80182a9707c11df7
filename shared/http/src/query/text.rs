//! A deserializer that parses a text into the type that a visitor asks for.

use std::borrow::Cow;

use serde::de::value::{CowStrDeserializer, Error};
use serde::de::{Deserializer, EnumAccess, Error as _, IntoDeserializer, Unexpected, Visitor};

pub(super) struct Text<'a>(pub(super) Cow<'a, str>);

impl<'a> IntoDeserializer<'a, Error> for Text<'a> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! parsed {
    ($($method:ident => $visit:ident;)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => Err(Error::invalid_value(Unexpected::Str(&self.0), &visitor)),
            }
        }
    )+};
}

// Numbers are parsed as the widest type, so that the error of serde names the range of the field.
impl<'de> Deserializer<'de> for Text<'de> {
    type Error = Error;

    parsed! {
        deserialize_bool => visit_bool;
        deserialize_i8 => visit_i64;
        deserialize_i16 => visit_i64;
        deserialize_i32 => visit_i64;
        deserialize_i64 => visit_i64;
        deserialize_u8 => visit_u64;
        deserialize_u16 => visit_u64;
        deserialize_u32 => visit_u64;
        deserialize_u64 => visit_u64;
        deserialize_f32 => visit_f64;
        deserialize_f64 => visit_f64;
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Cow::Borrowed(text) => visitor.visit_borrowed_str(text),
            Cow::Owned(text) => visitor.visit_string(text),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self)
    }

    serde::forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> EnumAccess<'de> for Text<'de> {
    type Error = Error;
    type Variant = <CowStrDeserializer<'de, Error> as EnumAccess<'de>>::Variant;

    fn variant_seed<S: serde::de::DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), Error> {
        let text: CowStrDeserializer<'de, Error> = self.0.into_deserializer();
        text.variant_seed(seed)
    }
}
