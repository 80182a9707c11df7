//! The texts of a category, which the operator `LabelEncoder` finds.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use prost::bytes::Bytes;
use trainyard_csv::cell::MISSING_VALUE_TEXTS;

use super::ExportError;
use super::graph::Graph;
use super::proto::AttributeProto;
use crate::model::categories::canonical;
use crate::model::{Feature, FeatureKind, Input};

/// The least bytes of an entry in the file besides its text.
const ENTRY_BYTES: usize = 3;

/// What each slot of a category means: one slot per category, then the missing value, then all other texts.
pub(super) fn slots(kind: &FeatureKind) -> Vec<Input> {
    let FeatureKind::Category { categories, .. } = kind else { return Vec::new() };
    (0..categories.len() as u32).map(Input::Code).chain([Input::Missing, Input::Unseen]).collect()
}

/// The attributes of the `LabelEncoder` from a text to its slot. `missing` are the missing values of the training table.
/// `read` is the reader of requests: it decides about each listed text, so a listed text has the same meaning in a request
/// and in the graph.
///
/// # Errors
/// [`ExportError::TooLarge`]
pub(super) fn encoder(
    graph: &mut Graph,
    feature: &Feature,
    missing: &[String],
    read: impl Fn(&Feature, &str) -> Option<Input>,
) -> Result<Vec<AttributeProto>, ExportError> {
    let FeatureKind::Category { categories, .. } = &feature.kind else { return Ok(Vec::new()) };
    let missing_slot = categories.len() as i64;
    let mut found = BTreeMap::new();
    let mut add = |text: String| -> Result<(), ExportError> {
        let slot = match read(feature, &text) {
            Some(Input::Code(code)) => i64::from(code),
            Some(Input::Missing) => missing_slot,
            _ => return Ok(()),
        };
        let bytes = text.len() + ENTRY_BYTES;
        if let Entry::Vacant(entry) = found.entry(text) {
            graph.reserve(bytes)?;
            entry.insert(slot);
        }
        Ok(())
    };
    for text in [""].into_iter().chain(MISSING_VALUE_TEXTS) {
        spellings(text).into_iter().try_for_each(&mut add)?;
    }
    for text in missing.iter().chain(categories.iter()) {
        variants(text).into_iter().try_for_each(&mut add)?;
    }
    let (texts, slots): (Vec<_>, Vec<_>) = found.into_iter().map(|(text, slot)| (Bytes::from(text), slot)).unzip();
    Ok(vec![
        AttributeProto::strings("keys_strings", texts),
        AttributeProto::ints("values_int64s", slots),
        AttributeProto::int("default_int64", missing_slot + 1),
    ])
}

/// The texts that a request may use for a category: its name, other spellings of a number, and `Yes` for `yes`.
fn variants(name: &str) -> Vec<String> {
    let number = canonical(name).into_owned();
    let mut variants = vec![name.to_owned()];
    if number.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-')) {
        // A float column of pandas has the text `2.0`.
        let zeros: &[&str] = if number.contains('.') { &["0"] } else { &[".0", ".00"] };
        variants.extend(zeros.iter().map(|zeros| format!("{number}{zeros}")));
        variants.push(number);
    } else if matches!(name, "yes" | "no") {
        variants.extend(spellings(name));
    }
    variants
}

/// A text in lower case, in upper case and with a capital, as it is spelled usually.
fn spellings(text: &str) -> [String; 4] {
    let lower = text.to_lowercase();
    let mut capital = lower.clone();
    if let Some(first) = capital.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    [text.to_owned(), text.to_uppercase(), lower, capital]
}
