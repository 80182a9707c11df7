//! Predicts one row from the text of a JSON object, without a map of values in between. A complete row allocates nothing once
//! the buffers of the thread have their size.
//!
//! Only rows whose prediction quotes no value are read here. [`Counting::predict_one`] reads all others and has the messages.

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, Visitor};
use serde_json::Value;

use super::counting::RowBins;
use super::{Counting, MAX_WARNINGS, Predictor, Refused, Scratch, out_of_range, prediction};
use crate::model::{Input, RawRow, Signature};

/// A thread keeps buffers for up to this number of raw values.
const MAX_KEPT_VALUES: usize = 16 << 10;

/// The names that a request may contain.
#[derive(Debug)]
pub(super) struct Names {
    /// The index of each name, sorted by name. The features that training dropped follow the last feature.
    by_name: Box<[u32]>,
    /// The first raw value of each feature, and the number of raw values.
    starts: Box<[u32]>,
}

impl Names {
    /// The names of a valid model.
    pub(super) fn new(signature: &Signature) -> Self {
        let mut by_name: Vec<u32> = (0..(signature.features.len() + signature.dropped.len()) as u32).collect();
        by_name.sort_by_key(|index| name(signature, *index));
        let ends = signature.features.iter().scan(0, |end, feature| {
            *end += feature.kind.width() as u32;
            Some(*end)
        });
        Self { by_name: by_name.into(), starts: std::iter::once(0).chain(ends).collect() }
    }

    /// The index of a name. Most requests contain the features in their order, so that `expected` is the index.
    fn find(&self, signature: &Signature, wanted: &str, expected: usize) -> Option<usize> {
        if signature.features.get(expected).is_some_and(|feature| feature.name == wanted) {
            return Some(expected);
        }
        let at = self.by_name.binary_search_by(|index| name(signature, *index).cmp(wanted)).ok()?;
        Some(self.by_name[at] as usize)
    }

    pub(super) fn memory_bytes(&self) -> usize {
        size_of_val(&*self.by_name) + size_of_val(&*self.starts)
    }
}

fn name(signature: &Signature, index: u32) -> &str {
    let index = index as usize;
    match signature.features.get(index) {
        Some(feature) => &feature.name,
        None => &signature.dropped[index - signature.features.len()],
    }
}

/// The buffers of a thread.
#[derive(Default)]
struct Buffers {
    row: RawRow,
    /// Whether the object contains each name.
    given: Vec<bool>,
    outputs: Vec<f64>,
    scratch: Scratch,
}

thread_local! {
    static BUFFERS: Cell<Option<Buffers>> = const { Cell::new(None) };
}

/// A row that was read from an object.
pub struct ObjectRow<'a> {
    counting: Counting<'a>,
    buffers: Buffers,
    bins: RowBins,
}

impl fmt::Debug for ObjectRow<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ObjectRow").field(&self.buffers.row).finish()
    }
}

impl<'a> Counting<'a> {
    /// Reads a row from the text of a JSON object. `None` if the row is refused, or has a category that did not occur in
    /// training.
    pub fn read_object(&self, object: &str) -> Option<ObjectRow<'a>> {
        let predictor = self.predictor;
        let mut bins = RowBins::new(predictor.binners.len());
        bins.extend_to(1);
        let mut row = ObjectRow { counting: *self, buffers: BUFFERS.take().unwrap_or_default(), bins };
        // Every raw value is written below: by the value of its feature, or as missing.
        row.buffers.row.raw.resize(predictor.width, f32::NAN);
        row.buffers.row.unseen.resize(predictor.width, false);
        row.buffers.given.clear();
        row.buffers.given.resize(predictor.names.by_name.len(), false);
        let mut members = serde_json::Deserializer::from_str(object);
        members.deserialize_map(&mut row).and_then(|()| members.end()).ok()?;
        for feature in 0..predictor.signature().features.len() {
            if !row.buffers.given[feature] {
                row.set(feature, Input::Missing);
            }
        }
        Some(row)
    }
}

impl ObjectRow<'_> {
    /// Predicts and counts the row. `read` gets [`crate::model::Task::outputs`] numbers, and the warnings.
    ///
    /// # Errors
    /// If a feature is too far outside the range of the training data.
    pub fn predict<T>(mut self, read: impl FnOnce(&[f64], &[String]) -> T) -> Result<T, Refused> {
        let Self { counting, buffers, bins } = &mut self;
        let (predictor, Buffers { row, outputs, scratch, .. }) = (counting.predictor, buffers);
        outputs.resize(predictor.signature().task.outputs(), 0.0);
        predictor.predict_raw(&row.raw, &row.unseen, scratch, outputs);
        if !outputs.iter().all(|output| output.is_finite()) {
            return Err(out_of_range().into());
        }
        predictor.bin_predictions(0, outputs, bins);
        bins.count(counting.counter);
        let no_value = |_: &str| String::new();
        let warnings =
            prediction::warnings(predictor.signature(), no_value, &row.raw, &row.unseen, &mut { MAX_WARNINGS });
        Ok(read(outputs, &warnings))
    }

    fn set(&mut self, feature: usize, input: Input) {
        let predictor = self.counting.predictor;
        self.bins.set(0, feature, predictor.binners[feature].bin(input));
        let own = predictor.names.starts[feature] as usize..predictor.names.starts[feature + 1] as usize;
        let RawRow { raw, unseen } = &mut self.buffers.row;
        predictor.signature().features[feature].kind.encode(input, &mut raw[own.clone()], &mut unseen[own]);
    }
}

impl Drop for ObjectRow<'_> {
    fn drop(&mut self) {
        if self.buffers.row.raw.capacity() <= MAX_KEPT_VALUES {
            BUFFERS.set(Some(std::mem::take(&mut self.buffers)));
        }
    }
}

impl<'de> Visitor<'de> for &mut ObjectRow<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let mut expected = 0;
        while let Some(index) = members.next_key_seed(Name { predictor: self.counting.predictor, expected })? {
            if std::mem::replace(&mut self.buffers.given[index], true) {
                return Err(A::Error::custom("a repeated name"));
            }
            members.next_value_seed(Member { row: &mut *self, index })?;
            expected = index + 1;
        }
        Ok(())
    }
}

/// Reads a name as its index in [`Names`].
struct Name<'a> {
    predictor: &'a Predictor,
    expected: usize,
}

impl<'de> DeserializeSeed<'de> for Name<'_> {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name<'_> {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a feature")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        let found = self.predictor.names.find(self.predictor.signature(), name, self.expected);
        found.ok_or_else(|| E::custom("an unknown name"))
    }
}

/// Reads the value with this index in [`Names`].
struct Member<'m, 'a> {
    row: &'m mut ObjectRow<'a>,
    index: usize,
}

impl Member<'_, '_> {
    fn set<E: Error>(self, read: impl FnOnce(&Predictor) -> Option<Input>) -> Result<(), E> {
        let predictor = self.row.counting.predictor;
        // The value of a dropped feature is not used.
        if self.index >= predictor.signature().features.len() {
            return Ok(());
        }
        // A warning about a category quotes the category.
        let input = read(predictor).filter(|input| *input != Input::Unseen);
        self.row.set(self.index, input.ok_or_else(|| E::custom("a value that needs a message"))?);
        Ok(())
    }

    fn set_value<E: Error>(self, value: &Value) -> Result<(), E> {
        let index = self.index;
        self.set(|predictor| predictor.signature().features[index].read(value, predictor.readers.of(index)).ok())
    }
}

impl<'de> DeserializeSeed<'de> for Member<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// The values of a JSON number, a boolean or null need no allocation.
impl Visitor<'_> for Member<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, a boolean, a string or null")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.set_value(&value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.set_value(&value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.set_value(&value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.set_value(&value.into())
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.set_value(&Value::Null)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        let index = self.index;
        self.set(|predictor| predictor.signature().features[index].read_text(value, predictor.readers.of(index)).ok())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use serde_json::{Map, json};

    use super::super::{Outcome, Prediction, RowCounter};
    use super::*;
    use crate::artifact::{self, samples};

    #[derive(Default)]
    struct Counts(RefCell<Vec<(usize, usize, u32)>>);

    impl RowCounter for Counts {
        fn count(&self, column: usize, bin: usize, rows: u32) {
            self.0.borrow_mut().push((column, bin, rows));
        }
    }

    fn rows() -> [Value; 9] {
        [
            json!({"age": 18.5, "alone": true, "embarked": "S"}),
            json!({"embarked": "C", "alone": false, "age": 29}),
            json!({"alone": 1, "age": "45.25", "embarked": "Q"}),
            json!({"age": null, "alone": null, "embarked": ""}),
            json!({"age": -3, "embarked": "S"}),
            json!({}),
            json!({"age": 5, "alone": true, "embarked": "elsewhere"}),
            json!({"age": "old", "alone": true, "embarked": "S"}),
            json!({"age": [1], "alone": true, "embarked": "S"}),
        ]
    }

    #[test]
    fn an_object_is_predicted_and_counted_like_a_row() {
        for model in samples::all(5) {
            let predictor = Predictor::load(&artifact::encode(&model)).unwrap();
            let task = &predictor.signature().task;
            let mut read = 0;
            for row in rows() {
                let (of_object, of_row) = (Counts::default(), Counts::default());
                let expected = predictor.counted_by(&of_row).predict_one(row.as_object().unwrap());
                let Some(object) = predictor.counted_by(&of_object).read_object(&row.to_string()) else {
                    assert!(of_object.0.borrow().is_empty());
                    continue;
                };
                read += 1;
                let predicted = object.predict(|outputs, warnings| Prediction {
                    outcome: Outcome::new(task, outputs),
                    warnings: warnings.to_vec(),
                });
                assert_eq!((predicted, of_object.0), (expected, of_row.0), "{row}");
            }
            assert_eq!(read, 6, "all rows but those with an unknown category or a wrong type");
        }
    }

    #[test]
    fn other_objects_are_left_to_the_slow_path() {
        let predictor = Predictor::load(&artifact::encode(&samples::all(5)[0])).unwrap();
        let counts = Counts::default();
        for object in [
            r#"{"age": 1, "age": 1}"#,
            r#"{"agee": 1}"#,
            r#"{"age": 1"#,
            r#"{"age": 1e999}"#,
            r#"{"age": {"a": 1}}"#,
            r#"{"age": 1} 2"#,
            r#"[1]"#,
            "null",
        ] {
            assert!(predictor.counted_by(&counts).read_object(object).is_none(), "{object}");
        }
        // A name with an escape sequence is the same name.
        assert!(predictor.counted_by(&counts).read_object(r#"{"\u0061ge": 1}"#).is_some());
    }

    #[test]
    fn dropped_features_may_occur_once() {
        let mut model = samples::all(5).swap_remove(0);
        model.manifest.signature.dropped = vec!["cabin".into(), "a".into()];
        let predictor = Predictor::load(&artifact::encode(&model)).unwrap();
        let read = |object: &str| predictor.counted_by(&Counts::default()).read_object(object).is_some();
        assert!(read(r#"{"a": "x", "age": 1, "cabin": 7}"#));
        assert!(!read(r#"{"a": "x", "age": 1, "a": "x"}"#));
        assert!(!read(r#"{"cabin": {"b": 1, "b": 2}}"#), "names inside of values are checked by the slow path");
        let row: Map<String, Value> = json!({"a": "x", "age": 1, "cabin": 7}).as_object().unwrap().clone();
        assert!(predictor.predict_one(&row).is_ok());
    }
}
