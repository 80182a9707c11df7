//! The calibration of probabilities, as [`crate::model::calibration::calibrate`] computes it.

use super::graph::{Graph, Tensor};
use super::proto::INT64;
use crate::model::Calibrator;
use crate::model::calibration::MARGIN;

use super::answer::{Answer, sigmoid};

/// Adds the calibration of an output vector.
pub(super) fn calibrated(graph: &mut Graph, answer: &Answer, calibrators: &[Calibrator]) -> Answer {
    let outputs: Vec<Tensor> = calibrators
        .iter()
        .enumerate()
        .map(|(at, calibrator)| {
            let column = graph.ints(&[1], &[at as i64]);
            let probability = graph.gather(&answer.outputs, &column, 1);
            apply(graph, &probability, calibrator)
        })
        .collect();
    let outputs = graph.concat(&outputs);
    if calibrators.len() == 1 {
        return Answer::plain(outputs);
    }
    let sum = graph.sum(&outputs, 1, true);
    let (zero, equal) = (graph.double(0.0), graph.double(1.0 / calibrators.len() as f64));
    let has_sum = graph.op("Greater", &[&sum, &zero]);
    let shares = graph.op("Div", &[&outputs, &sum]);
    Answer::plain(graph.op("Where", &[&has_sum, &shares, &equal]))
}

/// Adds the calibration of one probability per row.
fn apply(graph: &mut Graph, probability: &Tensor, calibrator: &Calibrator) -> Tensor {
    match calibrator {
        Calibrator::Platt { a, b } => {
            let (low, high, one) = (graph.double(MARGIN), graph.double(1.0 - MARGIN), graph.double(1.0));
            let clipped = graph.op("Max", &[probability, &low]);
            let clipped = graph.op("Min", &[&clipped, &high]);
            let other = graph.op("Sub", &[&one, &clipped]);
            let odds = graph.op("Div", &[&clipped, &other]);
            let log_odds = graph.op("Log", &[&odds]);
            let (slope, offset) = (graph.double(-a), graph.double(-b));
            let score = graph.op("Mul", &[&log_odds, &slope]);
            let score = graph.op("Add", &[&score, &offset]);
            sigmoid(graph, &score)
        }
        Calibrator::Isotonic { scores, shares } => isotonic(graph, probability, scores, shares),
    }
}

/// Adds the piecewise linear function through the points: the last point at or below the probability, and the next one.
fn isotonic(graph: &mut Graph, probability: &Tensor, scores: &[f64], shares: &[f64]) -> Tensor {
    let count = scores.len();
    let (all_scores, all_shares) = (graph.doubles(&[count], scores), graph.doubles(&[count], shares));
    let is_reached = graph.op("LessOrEqual", &[&all_scores, probability]);
    let reached = graph.cast(&is_reached, INT64);
    let above = graph.sum(&reached, 1, true);
    let (first, one, last) = (graph.ints(&[], &[0]), graph.ints(&[], &[1]), graph.ints(&[], &[count as i64 - 1]));
    let below = graph.op("Sub", &[&above, &one]);
    let below = graph.op("Max", &[&below, &first]);
    let above = graph.op("Min", &[&above, &last]);
    let mut both = |values: &Tensor| (graph.gather(values, &below, 0), graph.gather(values, &above, 0));
    let ((low, high), (from, to)) = (both(&all_scores), both(&all_shares));
    let zero = graph.double(0.0);
    let width = graph.op("Sub", &[&high, &low]);
    let has_width = graph.op("Greater", &[&width, &zero]);
    let distance = graph.op("Sub", &[probability, &low]);
    let part = graph.op("Div", &[&distance, &width]);
    // Beyond the first and the last point both points are the same one.
    let part = graph.op("Where", &[&has_width, &part, &zero]);
    let rise = graph.op("Sub", &[&to, &from]);
    let rise = graph.op("Mul", &[&rise, &part]);
    graph.op("Add", &[&from, &rise])
}
