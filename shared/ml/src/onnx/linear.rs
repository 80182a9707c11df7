//! Linear models: the product of the design matrix and the weights, and the link of the task.

use super::ExportError;
use super::answer::Answer;
use super::columns::RawColumns;
use super::design_matrix::DesignMatrix;
use super::graph::Graph;
use crate::model::{LinearModel, Link, Task};

/// A linear model.
pub(super) fn linear(
    graph: &mut Graph,
    raw: &RawColumns,
    task: &Task,
    model: &LinearModel,
) -> Result<Answer, ExportError> {
    let LinearModel { encoder, weights, intercepts, means: _ } = model;
    let matrix = DesignMatrix::encode(graph, raw, encoder)?;
    let outputs = intercepts.len();
    graph.reserve(matrix.order.len() * outputs * size_of::<f64>())?;
    // One row of weights per column of the matrix.
    let mut transposed = vec![0.0; matrix.order.len() * outputs];
    for output in 0..outputs {
        let row = &weights[output * encoder.width()..][..encoder.width()];
        for (column, weight) in matrix.arrange(row).enumerate() {
            transposed[column * outputs + output] = weight;
        }
    }
    let weights = graph.doubles(&[matrix.order.len(), outputs], &transposed);
    let intercepts = graph.doubles(&[1, outputs], intercepts);
    let products = graph.op("MatMul", &[&matrix.values, &weights]);
    let scores = graph.op("Add", &[&products, &intercepts]);
    let link = match task {
        Task::Regression => Link::Identity,
        Task::Binary { .. } => Link::Logit,
        Task::MultiClass { .. } => Link::Softmax,
    };
    Ok(Answer::of_scores(graph, scores, link))
}
