//! The design matrix of linear models and support vector machines, in `f64`.

use super::ExportError;
use super::columns::{Entry, Lookup, RawColumn, RawColumns};
use super::graph::{Graph, Tensor};
use super::proto::DOUBLE;
use crate::artifact::ArtifactError;
use crate::model::{ColumnEncoder, DesignMatrixEncoder, design_matrix};

/// A design matrix in the graph. The columns have another order than in the model.
pub(super) struct DesignMatrix {
    /// `f64` with one row per row.
    pub(super) values: Tensor,
    /// The column of the model for each column. `None` for a column that is always 0.
    pub(super) order: Vec<Option<usize>>,
}

/// The columns of numbers, as lists with one entry per column of the graph.
#[derive(Default)]
struct Numbers {
    /// The column of [`RawColumns::numbers`].
    raw: Vec<usize>,
    impute: Vec<f64>,
    mean: Vec<f64>,
    scale: Vec<f64>,
    /// The column of the model.
    own: Vec<usize>,
    indicators: Indicators,
    levels: Levels,
}

/// The missing indicators: positions in the other lists, and the columns of the model.
#[derive(Default)]
struct Indicators {
    of: Vec<usize>,
    own: Vec<usize>,
}

/// The columns of single values, as [`Indicators`].
#[derive(Default)]
struct Levels {
    of: Vec<usize>,
    own: Vec<usize>,
    value: Vec<f64>,
}

impl Numbers {
    fn push(
        &mut self,
        raw: usize,
        (impute, mean, scale): (f64, f64, f64),
        indicator: bool,
        levels: &[f64],
        own: usize,
    ) {
        let of = self.raw.len();
        self.raw.push(raw);
        self.impute.push(impute);
        self.mean.push(mean);
        self.scale.push(scale);
        self.own.push(own);
        if indicator {
            self.indicators.of.push(of);
            self.indicators.own.push(own + 1);
        }
        for (own, level) in (own + 1 + usize::from(indicator)..).zip(levels) {
            self.levels.of.push(of);
            self.levels.own.push(own);
            self.levels.value.push(*level);
        }
    }
}

impl DesignMatrix {
    /// Encodes raw values.
    ///
    /// # Errors
    /// [`ExportError::TooLarge`]
    pub(super) fn encode(
        graph: &mut Graph,
        raw: &RawColumns,
        encoder: &DesignMatrixEncoder,
    ) -> Result<Self, ExportError> {
        let DesignMatrixEncoder { columns } = encoder;
        let (mut numbers, mut parts, mut order) = (Numbers::default(), Vec::new(), Vec::new());
        let mut own = 0;
        for (encoder, raw) in columns.iter().zip(&raw.columns) {
            match (encoder, raw) {
                (ColumnEncoder::Scaled { impute, mean, scale, missing_indicator }, RawColumn::Number(number)) => {
                    numbers.push(*number, (*impute, *mean, *scale), *missing_indicator, &[], own);
                }
                (
                    ColumnEncoder::ScaledWithLevels { impute, mean, scale, missing_indicator, levels },
                    RawColumn::Number(number),
                ) => numbers.push(*number, (*impute, *mean, *scale), *missing_indicator, levels, own),
                (ColumnEncoder::OneHot { categories, impute }, RawColumn::Lookup(lookup)) => {
                    let (part, width) = one_hot(graph, lookup, *categories, *impute)?;
                    parts.push(part);
                    order.extend((0..width).map(|column| (column < *categories).then_some(own + column)));
                }
                (ColumnEncoder::Scaled { .. } | ColumnEncoder::ScaledWithLevels { .. }, RawColumn::Lookup(lookup)) => {
                    parts.push(table(graph, lookup, encoder)?);
                    order.extend((own..own + encoder.width()).map(Some));
                }
                (ColumnEncoder::OneHot { .. }, RawColumn::Number(_)) => {
                    // The checks of the model file exclude this.
                    return Err(ArtifactError::Invalid("a number with a one-hot encoding".into()).into());
                }
            }
            own += encoder.width();
        }
        if let Some(matrix) = raw.numbers.as_ref().filter(|_| !numbers.raw.is_empty()) {
            numbers.encode(graph, matrix, &mut parts, &mut order);
        }
        Ok(Self { values: graph.concat(&parts), order })
    }

    /// Arranges a row of the model by the order of this matrix.
    pub(super) fn arrange<'a>(&'a self, row: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        self.order.iter().map(|own| own.map_or(0.0, |own| row[own]))
    }
}

impl Numbers {
    fn encode(&self, graph: &mut Graph, matrix: &Tensor, parts: &mut Vec<Tensor>, order: &mut Vec<Option<usize>>) {
        let Self { raw, impute, mean, scale, own, indicators, levels } = self;
        let row = |graph: &mut Graph, values: &[f64]| graph.doubles(&[1, values.len()], values);
        let raw = graph.positions(raw);
        let raw = graph.gather(matrix, &raw, 1);
        let missing = graph.op("IsNaN", &[&raw]);
        let (present, imputed) = (graph.cast(&raw, DOUBLE), row(graph, impute));
        let values = graph.op("Where", &[&missing, &imputed, &present]);
        let (mean, scale) = (row(graph, mean), row(graph, scale));
        let centred = graph.op("Sub", &[&values, &mean]);
        parts.push(graph.op("Div", &[&centred, &scale]));
        order.extend(own.iter().copied().map(Some));
        if !indicators.of.is_empty() {
            let of = graph.positions(&indicators.of);
            let missing = graph.gather(&missing, &of, 1);
            parts.push(graph.cast(&missing, DOUBLE));
            order.extend(indicators.own.iter().copied().map(Some));
        }
        if !levels.of.is_empty() {
            let of = graph.positions(&levels.of);
            let (values, levels_row) = (graph.gather(&values, &of, 1), row(graph, &levels.value));
            let equal = graph.op("Equal", &[&values, &levels_row]);
            parts.push(graph.cast(&equal, DOUBLE));
            order.extend(levels.own.iter().copied().map(Some));
        }
    }
}

/// The columns of a one-hot encoding, with their number: at least one, so that the matrix has a column.
fn one_hot(
    graph: &mut Graph,
    lookup: &Lookup,
    categories: usize,
    impute: usize,
) -> Result<(Tensor, usize), ExportError> {
    let width = categories.max(1);
    graph.reserve((lookup.entries.len() + width) * size_of::<i64>())?;
    let column = |entry: &Entry| {
        design_matrix::one_hot_column(entry.raw, entry.unseen, categories, impute).map_or(-1, |column| column as i64)
    };
    let columns: Vec<_> = lookup.entries.iter().map(column).collect();
    let table = graph.ints(&[columns.len(), 1], &columns);
    let column = graph.gather(&table, &lookup.slots, 0);
    let all: Vec<_> = (0..width as i64).collect();
    let all = graph.ints(&[1, width], &all);
    let equal = graph.op("Equal", &[&column, &all]);
    Ok((graph.cast(&equal, DOUBLE), width))
}

/// The columns of a raw value that is looked up, such as the month of a date.
fn table(graph: &mut Graph, lookup: &Lookup, encoder: &ColumnEncoder) -> Result<Tensor, ExportError> {
    let (slots, width) = (lookup.entries.len(), encoder.width());
    graph.reserve(slots * width * size_of::<f64>())?;
    let encoder = DesignMatrixEncoder { columns: vec![encoder.clone()] };
    let mut values = vec![0.0; slots * width];
    for (entry, out) in lookup.entries.iter().zip(values.chunks_exact_mut(width)) {
        encoder.encode(&[entry.raw], &[entry.unseen], out);
    }
    let table = graph.doubles(&[slots, width], &values);
    Ok(graph.gather(&table, &lookup.slots, 0))
}
