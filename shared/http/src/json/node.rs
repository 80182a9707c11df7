//! A JSON tree in which a stand-in replaces a value that a type refuses.

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, MapDeserializer, SeqDeserializer, StrDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, MapAccess, SeqAccess, Unexpected, Visitor};
use serde_json::{Error, Number};
use serde_path_to_error::Segment;

#[derive(Debug, PartialEq)]
pub(super) enum Node {
    Null,
    Bool(bool),
    Number(Number),
    String(String),
    Array(Vec<Node>),
    /// Members in the order of the text. Names may repeat.
    Object(Vec<(String, Node)>),
    /// Deserializes into a value of any requested type. The number, below [`STAND_INS`], selects the value.
    StandIn(usize),
}

pub(super) const STAND_INS: usize = 4;
/// Texts in the formats of common types.
const TEXTS: [&str; STAND_INS] = ["x", "2000-01-01T00:00:00Z", "00000000-0000-0000-0000-000000000000", ""];
const NUMBERS: [u8; STAND_INS] = [0, 1, 2, 100];
const NO_MEMBERS: [(&str, &Node); 0] = [];
const NO_ITEMS: [&Node; 0] = [];

impl Node {
    pub(super) fn position(&self, segment: &Segment) -> Option<usize> {
        match (self, segment) {
            (Self::Array(items), Segment::Seq { index }) => Some(*index).filter(|index| *index < items.len()),
            (Self::Object(members), Segment::Map { key }) => members.iter().position(|(name, _)| name == key),
            _ => None,
        }
    }

    /// The child with an index from [`Node::position`].
    pub(super) fn child(&mut self, position: usize) -> &mut Self {
        match self {
            Self::Array(items) => &mut items[position],
            Self::Object(members) => &mut members[position].1,
            other => other,
        }
    }

    /// Keeps the first member of each name in all objects, and calls `refuse` with the paths of the others.
    pub(super) fn remove_duplicates(&mut self, path: &str, refuse: &mut impl FnMut(String)) {
        match self {
            Self::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    item.remove_duplicates(&format!("{path}[{index}]"), refuse);
                }
            }
            Self::Object(members) => {
                let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                let mut names = std::collections::HashSet::new();
                let is_first: Vec<bool> = members.iter().map(|(name, _)| names.insert(name.clone())).collect();
                let mut is_first = is_first.into_iter();
                members.retain_mut(|(name, node)| {
                    let first = is_first.next().unwrap_or(true);
                    match first {
                        true => node.remove_duplicates(&below(name), refuse),
                        false => refuse(below(name)),
                    }
                    first
                });
            }
            _ => {}
        }
    }

    fn unexpected(&self) -> Unexpected<'_> {
        match self {
            Self::Bool(value) => Unexpected::Bool(*value),
            Self::Number(_) => Unexpected::Other("number"),
            Self::String(text) => Unexpected::Str(text),
            Self::Array(_) => Unexpected::Seq,
            Self::Object(_) => Unexpected::Map,
            Self::Null | Self::StandIn(_) => Unexpected::Unit,
        }
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Node;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node, E> {
        Ok(Number::from_f64(value).map_or(Node::Null, Node::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::String(value.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Node, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = entries.next_entry()? {
            members.push(member);
        }
        Ok(Node::Object(members))
    }
}

impl IntoDeserializer<'_, Error> for &Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// Methods that pass a value of the requested type for a stand-in, and the value of the node otherwise.
macro_rules! stand_ins {
    ($number:ident: $($method:ident => $visit:ident($value:expr);)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self {
                Node::StandIn($number) => visitor.$visit($value),
                _ => self.deserialize_any(visitor),
            }
        }
    )+};
}

impl<'de> Deserializer<'de> for &Node {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Node::Null => visitor.visit_unit(),
            Node::Bool(value) => visitor.visit_bool(*value),
            Node::Number(number) => number.deserialize_any(visitor),
            Node::String(text) => visitor.visit_str(text),
            Node::Array(items) => {
                let mut access = SeqDeserializer::new(items.iter());
                let value = visitor.visit_seq(&mut access)?;
                access.end().map(|()| value)
            }
            Node::Object(members) => {
                let members = members.iter().map(|(name, node)| (name.as_str(), node));
                visitor.visit_map(MapDeserializer::new(members))
            }
            Node::StandIn(0) => visitor.visit_unit(),
            Node::StandIn(1) => visitor.visit_u64(NUMBERS[0].into()),
            Node::StandIn(2) => visitor.visit_str(TEXTS[0]),
            Node::StandIn(_) => visitor.visit_map(MapDeserializer::new(NO_MEMBERS.into_iter())),
        }
    }

    stand_ins! { number:
        deserialize_bool => visit_bool(*number > 0);
        deserialize_i8 => visit_i64(NUMBERS[*number].into());
        deserialize_i16 => visit_i64(NUMBERS[*number].into());
        deserialize_i32 => visit_i64(NUMBERS[*number].into());
        deserialize_i64 => visit_i64(NUMBERS[*number].into());
        deserialize_u8 => visit_u64(NUMBERS[*number].into());
        deserialize_u16 => visit_u64(NUMBERS[*number].into());
        deserialize_u32 => visit_u64(NUMBERS[*number].into());
        deserialize_u64 => visit_u64(NUMBERS[*number].into());
        deserialize_f32 => visit_f64(NUMBERS[*number].into());
        deserialize_f64 => visit_f64(NUMBERS[*number].into());
        deserialize_char => visit_str(TEXTS[*number]);
        deserialize_str => visit_str(TEXTS[*number]);
        deserialize_string => visit_str(TEXTS[*number]);
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Node::StandIn(_) => visitor.visit_map(MapDeserializer::new(NO_MEMBERS.into_iter())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Node::StandIn(_) => visitor.visit_seq(SeqDeserializer::new(NO_ITEMS.into_iter())),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self {
            Node::Null | Node::StandIn(_) => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self {
            Node::StandIn(_) => visitor.visit_map(MapDeserializer::new(fields.iter().map(|name| (*name, self)))),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant = match self {
            Node::String(text) => text,
            Node::StandIn(number) => variants.get(*number).copied().unwrap_or_default(),
            Node::Object(members) => {
                let members = members.iter().map(|(name, node)| (name.as_str(), node));
                return visitor.visit_enum(MapAccessDeserializer::new(MapDeserializer::new(members)));
            }
            _ => return Err(Error::invalid_type(self.unexpected(), &"string or map")),
        };
        visitor.visit_enum(StrDeserializer::new(variant))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    serde::forward_to_deserialize_any! {
        i128 u128 bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}
