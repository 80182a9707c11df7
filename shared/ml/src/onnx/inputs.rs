//! The inputs of the graph, one per feature, and the raw values that are computed from them.

use super::ExportError;
use super::columns::{Lookup, RawColumn, RawColumns, entries};
use super::dates::Dates;
use super::graph::{Graph, Tensor};
use super::proto::{DOUBLE, FLOAT, STRING};
use super::texts;
use crate::model::{Feature, FeatureKind, Scaling, Signature};

/// The type of a feature, as in the documentation of its input and in the metadata.
pub(super) fn describe(kind: &FeatureKind) -> (&'static str, &'static str) {
    match kind {
        FeatureKind::Number { .. } => ("number", "a number; NaN if missing"),
        FeatureKind::Boolean { .. } => ("boolean", "0 or 1; NaN if missing"),
        FeatureKind::Category { .. } => ("category", "a text as in the training table; empty if missing"),
        FeatureKind::Datetime { .. } => ("datetime", "seconds since 1970-01-01 00:00 UTC; NaN if missing"),
    }
}

/// The inputs of one type, in the order of the signature.
#[derive(Default)]
struct Groups {
    numbers: Vec<Tensor>,
    scalings: Vec<Scaling>,
    booleans: Vec<Tensor>,
    dates: Vec<Tensor>,
}

/// Adds the inputs and computes the raw values. Returns them with the number of columns of [`RawColumns::numbers`].
///
/// The numbers of all features are one matrix, so the graph has few nodes for a wide table.
///
/// # Errors
/// [`ExportError::TooLarge`]
pub(super) fn read(graph: &mut Graph, signature: &Signature) -> Result<(RawColumns, usize), ExportError> {
    let mut groups = Groups::default();
    let inputs: Vec<_> = signature.features.iter().map(|feature| groups.input(graph, feature)).collect();
    let mut dates = Dates::read(graph, &groups.dates);
    let readers = signature.text_readers();
    // The columns of the numbers: features of numbers, parts of dates that are numbers, booleans.
    let date_numbers = dates.as_ref().map_or(0, |_| Dates::numbers(signature));
    let (mut number, mut date, mut boolean) = (0, 0, groups.numbers.len() + date_numbers);
    let mut columns = Vec::with_capacity(signature.width());
    for (index, (feature, input)) in signature.features.iter().zip(&inputs).enumerate() {
        match &feature.kind {
            FeatureKind::Number { .. } => {
                columns.push(RawColumn::Number(number));
                number += 1;
            }
            FeatureKind::Boolean { .. } => {
                columns.push(RawColumn::Number(boolean));
                boolean += 1;
            }
            FeatureKind::Category { .. } => {
                let read = |feature: &Feature, text: &str| feature.read_text(text, readers.of(index)).ok();
                let attributes = texts::encoder(graph, feature, &signature.missing, read)?;
                let slots = graph.ml_op("LabelEncoder", input, attributes);
                let slots = graph.reshape(&slots, &[-1]);
                let lookups = entries(&feature.kind, &texts::slots(&feature.kind));
                columns.extend(
                    lookups
                        .into_iter()
                        .map(|entries| RawColumn::Lookup(Lookup { slots: slots.clone(), entries: entries.into() })),
                );
            }
            FeatureKind::Datetime { parts, .. } => {
                if let Some(dates) = &mut dates {
                    let first = groups.numbers.len();
                    columns.extend(parts.iter().map(|part| dates.part(graph, date, part, first)));
                    date += 1;
                }
            }
        }
    }
    let mut parts = Vec::new();
    if let Some(numbers) = groups.scaled_numbers(graph, dates.as_ref()) {
        parts.push(numbers);
    }
    if !groups.booleans.is_empty() {
        parts.push(booleans(graph, &groups.booleans));
    }
    let numbers = (!parts.is_empty()).then(|| graph.concat(&parts));
    Ok((RawColumns { numbers, columns }, boolean))
}

impl Groups {
    /// The patterns name every field, so that a new one can't be left out silently.
    fn input(&mut self, graph: &mut Graph, feature: &Feature) -> Tensor {
        let Feature { name, kind, missing_in_training: _, reading: _ } = feature;
        let (_, doc) = describe(kind);
        let mut number = |group: &mut Vec<Tensor>| {
            let input = graph.input(name, DOUBLE, doc);
            group.push(input.clone());
            input
        };
        match kind {
            FeatureKind::Number { median: _, min: _, max: _, scaling } => {
                self.scalings.push(*scaling);
                number(&mut self.numbers)
            }
            FeatureKind::Boolean { mode: _ } => number(&mut self.booleans),
            FeatureKind::Datetime { min: _, max: _, parts: _ } => number(&mut self.dates),
            FeatureKind::Category { categories: _, mode: _, grouped: _, orders: _, statistics: _ } => {
                graph.input(name, STRING, doc)
            }
        }
    }

    /// The scaled numbers, as [`Scaling::apply`] computes them: in `f64`, clamped, and only then `f32`. An infinite number is
    /// a missing value, as in a table.
    fn scaled_numbers(&self, graph: &mut Graph, dates: Option<&Dates>) -> Option<Tensor> {
        let (mut values, mut valid, mut scalings) = (Vec::new(), Vec::new(), self.scalings.clone());
        if !self.numbers.is_empty() {
            let numbers = graph.concat(&self.numbers);
            let magnitudes = graph.op("Abs", &[&numbers]);
            let greatest = graph.double(f64::MAX);
            // The comparison is also false for NaN.
            valid.push(graph.op("LessOrEqual", &[&magnitudes, &greatest]));
            values.push(numbers);
        }
        if let Some(numbers) = dates.and_then(|dates| dates.selected_numbers(graph)) {
            values.push(numbers.values);
            valid.push(numbers.valid);
            scalings.extend(numbers.scalings);
        }
        if values.is_empty() {
            return None;
        }
        let (values, valid) = (graph.concat(&values), graph.concat(&valid));
        let row = |of: fn(&Scaling) -> f64| scalings.iter().map(of).collect::<Vec<_>>();
        let (centres, scales) = (row(|scaling| scaling.centre), row(|scaling| scaling.scale));
        let centres = graph.doubles(&[1, centres.len()], &centres);
        let scales = graph.doubles(&[1, scales.len()], &scales);
        let centred = graph.op("Sub", &[&values, &centres]);
        let scaled = graph.op("Div", &[&centred, &scales]);
        let (least, greatest) = (graph.double(Scaling::LEAST), graph.double(Scaling::GREATEST));
        let clamped = graph.op("Clip", &[&scaled, &least, &greatest]);
        let raw = graph.cast(&clamped, FLOAT);
        Some(present(graph, &valid, &raw))
    }
}

/// The raw values of booleans: any number except 0 and 1 is a missing value.
fn booleans(graph: &mut Graph, inputs: &[Tensor]) -> Tensor {
    let values = graph.concat(inputs);
    let (zero, one) = (graph.double(0.0), graph.double(1.0));
    let (no, yes) = (graph.op("Equal", &[&values, &zero]), graph.op("Equal", &[&values, &one]));
    let valid = graph.op("Or", &[&no, &yes]);
    let raw = graph.cast(&yes, FLOAT);
    present(graph, &valid, &raw)
}

/// The raw values where `valid` is true, else NaN.
fn present(graph: &mut Graph, valid: &Tensor, raw: &Tensor) -> Tensor {
    let missing = graph.floats(&[], &[f32::NAN]);
    graph.op("Where", &[valid, raw, &missing])
}
