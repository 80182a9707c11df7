//! The `data` of a tensor in JSON: a flat list, or nested lists in the form of the shape.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, SeqAccess, Visitor};

/// The elements of a tensor in row-major order, and the lengths of the lists around them.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct TensorData<'a> {
    /// The elements. The datatype is checked later, because it may follow in the text.
    pub(crate) values: Vec<Scalar<'a>>,
    /// The lengths of the lists at each depth, from the outermost.
    lengths: Vec<Option<usize>>,
    /// The depth of the elements.
    depth: Option<usize>,
    /// Whether two lists of one depth have different lengths, or elements have different depths.
    ragged: bool,
}

/// One element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Scalar<'a> {
    Null,
    Boolean(bool),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Text(Cow<'a, str>),
}

impl TensorData<'_> {
    /// Whether the lists have the form of `shape`. A flat list fits every shape; the caller compares the count.
    pub(crate) fn fits(&self, shape: &[usize]) -> bool {
        let is_flat = self.lengths.len() <= 1;
        !self.ragged && (is_flat || self.lengths.iter().copied().eq(shape.iter().map(|dimension| Some(*dimension))))
    }

    fn push(&mut self, depth: usize, value: usize) {
        if self.lengths.len() <= depth {
            self.lengths.resize(depth + 1, None);
        }
        self.ragged |= *self.lengths[depth].get_or_insert(value) != value;
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for TensorData<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Outermost;
        impl<'de> Visitor<'de> for Outermost {
            type Value = TensorData<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<TensorData<'de>, A::Error> {
                let mut data = TensorData::default();
                Level { data: &mut data, depth: 0 }.visit_seq(list)?;
                Ok(data)
            }
        }
        deserializer.deserialize_seq(Outermost)
    }
}

/// Appends an element, or the elements of a list, at a depth.
struct Level<'d, 'a> {
    data: &'d mut TensorData<'a>,
    depth: usize,
}

impl<'a> Level<'_, 'a> {
    fn element<E>(self, scalar: Scalar<'a>) -> Result<(), E> {
        self.data.ragged |= *self.data.depth.get_or_insert(self.depth) != self.depth;
        self.data.values.push(scalar);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_, 'de> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a string, a boolean, null or a list of them")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.element(Scalar::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.element(Scalar::Boolean(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.element(Scalar::Signed(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.element(Scalar::Unsigned(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.element(Scalar::Float(value))
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.element(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.element(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { data, depth } = self;
        let mut length = 0;
        while list.next_element_seed(Level { data: &mut *data, depth: depth + 1 })?.is_some() {
            length += 1;
        }
        data.push(depth, length);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> TensorData<'_> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn nested_lists_have_the_form_of_the_shape_and_flat_lists_any() {
        for (text, shape, fits) in [
            ("[1, 2, 3, 4]", vec![4], true),
            ("[1, 2, 3, 4]", vec![2, 2], true),
            ("[[1, 2], [3, 4]]", vec![2, 2], true),
            ("[[1], [2]]", vec![2, 1], true),
            ("[[1, 2]]", vec![2, 1], false),
            ("[[1], [2]]", vec![2], false),
            ("[[1, 2], [3]]", vec![2, 2], false),
            ("[[1, 2], 3, 4]", vec![2, 2], false),
            ("[[[1]], [[2]]]", vec![2, 1], false),
            ("[[], []]", vec![2, 0], true),
            ("[]", vec![0], true),
        ] {
            assert_eq!(read(text).fits(&shape), fits, "{text} as {shape:?}");
        }
    }

    #[test]
    fn elements_keep_their_order_and_texts_are_borrowed() {
        let data = read(r#"["a", null, "b\n", true, -1, 2, 0.5]"#);
        let expected = [
            Scalar::Text("a".into()),
            Scalar::Null,
            Scalar::Text("b\n".into()),
            Scalar::Boolean(true),
            Scalar::Signed(-1),
            Scalar::Unsigned(2),
            Scalar::Float(0.5),
        ];
        assert_eq!(data.values, expected);
        assert!(matches!(data.values[0], Scalar::Text(Cow::Borrowed(_))));
    }

    #[test]
    fn objects_and_scalars_are_no_data() {
        for text in ["{}", "3", "null", "[{}]", "[1e999]", "[NaN]"] {
            assert!(serde_json::from_str::<TensorData<'_>>(text).is_err(), "{text}");
        }
    }
}
