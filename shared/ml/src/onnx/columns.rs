//! The raw values of the rows in the graph: numbers in a matrix, and values that are looked up in a table.

use std::rc::Rc;

use super::ExportError;
use super::graph::{Graph, Tensor};
use crate::model::{FeatureEncoding, FeatureKind, Input, ensemble};

/// A raw value of every row.
#[derive(Debug, Clone)]
pub(super) enum RawColumn {
    /// A column of [`RawColumns::numbers`].
    Number(usize),
    /// An entry per row.
    Lookup(Lookup),
}

/// A raw value with few different values: each row has the number of an entry. The entries are computed by the code that
/// encodes the rows of a request, so both always agree.
#[derive(Debug, Clone)]
pub(super) struct Lookup {
    /// The number of the entry of each row: `int64` with the shape [rows].
    pub(super) slots: Tensor,
    pub(super) entries: Rc<[Entry]>,
}

/// A raw value with its unseen flag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) raw: f32,
    pub(super) unseen: bool,
}

/// The raw values of a row, in the order of a raw row.
#[derive(Debug, Clone)]
pub(super) struct RawColumns {
    /// The scaled numbers: `f32` with the shape [rows, numbers]; NaN if the value is missing. `None` without numbers.
    pub(super) numbers: Option<Tensor>,
    pub(super) columns: Vec<RawColumn>,
}

/// A matrix of raw values in the graph.
pub(super) struct RawMatrix {
    /// `f32` with one row per row.
    pub(super) values: Tensor,
    /// The column of each raw value.
    pub(super) positions: Vec<usize>,
}

/// The entries of the raw values of a feature: one list per raw value, each with an entry per input.
pub(super) fn entries(kind: &FeatureKind, inputs: &[Input]) -> Vec<Vec<Entry>> {
    let width = kind.width();
    let (mut raw, mut unseen) = (vec![f32::NAN; width], vec![false; width]);
    let mut columns = vec![Vec::with_capacity(inputs.len()); width];
    for input in inputs {
        kind.encode(*input, &mut raw, &mut unseen);
        for ((column, raw), unseen) in columns.iter_mut().zip(&raw).zip(&unseen) {
            column.push(Entry { raw: *raw, unseen: *unseen });
        }
    }
    columns
}

impl RawColumns {
    /// The raw values of a member of an ensemble.
    pub(super) fn of_member(&self, encodings: &[FeatureEncoding]) -> Self {
        let columns = encodings.iter().flat_map(|encoding| match encoding {
            FeatureEncoding::Select(positions) => {
                positions.iter().map(|position| self.columns[*position as usize].clone()).collect()
            }
            FeatureEncoding::Orders { code, orders: _ } | FeatureEncoding::Statistics { code, statistics: _ } => {
                self.of_category(*code as usize, encoding)
            }
        });
        Self { numbers: self.numbers.clone(), columns: columns.collect() }
    }

    /// The raw values that a member computes from the code at this position.
    fn of_category(&self, code: usize, encoding: &FeatureEncoding) -> Vec<RawColumn> {
        // A valid model has a category there.
        let RawColumn::Lookup(lookup) = &self.columns[code] else { return Vec::new() };
        let width = encoding.width();
        let (mut raw, mut unseen) = (vec![f32::NAN; self.columns.len()], vec![false; self.columns.len()]);
        let (mut own_raw, mut own_unseen) = (vec![f32::NAN; width], vec![false; width]);
        let mut columns = vec![Vec::with_capacity(lookup.entries.len()); width];
        for entry in lookup.entries.iter() {
            (raw[code], unseen[code]) = (entry.raw, entry.unseen);
            let encodings = std::slice::from_ref(encoding);
            ensemble::encode_member(encodings, &raw, &unseen, &mut own_raw, &mut own_unseen);
            for ((column, raw), unseen) in columns.iter_mut().zip(&own_raw).zip(&own_unseen) {
                column.push(Entry { raw: *raw, unseen: *unseen });
            }
        }
        let slots = &lookup.slots;
        let column = |entries: Vec<Entry>| RawColumn::Lookup(Lookup { slots: slots.clone(), entries: entries.into() });
        columns.into_iter().map(column).collect()
    }

    /// The raw values as one matrix, for trees.
    ///
    /// # Errors
    /// [`ExportError::TooLarge`]
    pub(super) fn matrix(&self, graph: &mut Graph, numbers: usize) -> Result<RawMatrix, ExportError> {
        let mut parts: Vec<Tensor> = self.numbers.iter().cloned().collect();
        let mut positions = Vec::with_capacity(self.columns.len());
        let mut next = if self.numbers.is_some() { numbers } else { 0 };
        for group in self.columns.chunk_by(have_equal_slots) {
            let mut lookups = Vec::new();
            for column in group {
                match column {
                    RawColumn::Number(number) => positions.push(*number),
                    RawColumn::Lookup(lookup) => {
                        positions.push(next + lookups.len());
                        lookups.push(lookup);
                    }
                }
            }
            if let [first, ..] = &lookups[..] {
                let (width, slots) = (lookups.len(), first.entries.len());
                graph.reserve(slots * width * size_of::<f32>())?;
                let values: Vec<_> =
                    (0..slots).flat_map(|slot| lookups.iter().map(move |lookup| lookup.entries[slot].raw)).collect();
                let table = graph.floats(&[slots, width], &values);
                parts.push(graph.gather(&table, &first.slots, 0));
                next += width;
            }
        }
        Ok(RawMatrix { values: graph.concat(&parts), positions })
    }
}

/// Whether both raw values are looked up by the same numbers, so that one table can have both.
fn have_equal_slots(a: &RawColumn, b: &RawColumn) -> bool {
    match (a, b) {
        (RawColumn::Lookup(a), RawColumn::Lookup(b)) => a.slots == b.slots,
        _ => false,
    }
}
