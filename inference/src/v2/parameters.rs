//! The `parameters` of requests, inputs and outputs. The known ones are read; others are ignored, as the protocol demands
//! no meaning for them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, Visitor};

/// Parameters that would change the meaning of the request, and that this server does not support.
pub(crate) const UNSUPPORTED: [&str; 3] = ["classification", "shared_memory_region", "shared_memory_byte_size"];

/// The known parameters. Each has a meaning in one place only, and is ignored in the others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Parameters {
    /// Of an input: the size of its binary data, in bytes.
    pub(crate) binary_data_size: Option<u64>,
    /// Of an output: whether it is answered as binary data.
    pub(crate) binary_data: Option<bool>,
    /// Of a request: whether outputs are answered as binary data by default.
    pub(crate) binary_data_output: Option<bool>,
    /// The first parameter that is not supported.
    pub(crate) unsupported: Option<&'static str>,
}

enum Name {
    BinaryDataSize,
    BinaryData,
    BinaryDataOutput,
    Unsupported(&'static str),
    Other,
}

impl<'de> Deserialize<'de> for Parameters {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ParametersVisitor)
    }
}

struct ParametersVisitor;

impl<'de> Visitor<'de> for ParametersVisitor {
    type Value = Parameters;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parameters, A::Error> {
        let mut parameters = Parameters::default();
        while let Some(name) = map.next_key()? {
            match name {
                Name::BinaryDataSize => parameters.binary_data_size = Some(map.next_value()?),
                Name::BinaryData => parameters.binary_data = Some(map.next_value()?),
                Name::BinaryDataOutput => parameters.binary_data_output = Some(map.next_value()?),
                Name::Unsupported(name) => {
                    map.next_value::<IgnoredAny>()?;
                    parameters.unsupported.get_or_insert(name);
                }
                Name::Other => {
                    map.next_value::<AnyParameter>()?;
                }
            }
        }
        Ok(parameters)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }

            fn visit_str<E: Error>(self, name: &str) -> Result<Name, E> {
                Ok(match name {
                    "binary_data_size" => Name::BinaryDataSize,
                    "binary_data" => Name::BinaryData,
                    "binary_data_output" => Name::BinaryDataOutput,
                    other => match UNSUPPORTED.into_iter().find(|name| *name == other) {
                        Some(name) => Name::Unsupported(name),
                        None => Name::Other,
                    },
                })
            }
        }
        deserializer.deserialize_identifier(NameVisitor)
    }
}

/// The value of a parameter: a string, a number or a boolean.
struct AnyParameter;

impl<'de> Deserialize<'de> for AnyParameter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl Visitor<'_> for AnyParameter {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string, a number or a boolean")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }
}
