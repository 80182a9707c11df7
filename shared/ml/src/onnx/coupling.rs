//! Pairwise coupling as a loop of the graph: [`crate::model::coupling`] for all rows at once.

use super::graph::{Graph, Tensor};
use super::proto::{AttributeProto, BOOL, DOUBLE, INT64, TensorProto};
use crate::model::DecisionFunction;
use crate::model::coupling::{MARGIN, MIN_ITERATIONS, TOLERANCE};

/// The class probabilities, from the probability of the first class of each function.
pub(super) fn couple(graph: &mut Graph, pairs: &Tensor, functions: &[DecisionFunction], classes: usize) -> Tensor {
    let identity: Vec<_> = (0..classes * classes).map(|at| f64::from(u8::from(at % (classes + 1) == 0))).collect();
    let identity = graph.doubles(&[classes, classes], &identity);
    let form = quadratic_form(graph, pairs, functions, classes, &identity);
    let shape = graph.sum(&form, 1, false);
    let shape = graph.op("Shape", &[&shape]);
    let uniform = TensorProto {
        dims: vec![1],
        data_type: DOUBLE,
        raw_data: Some((1.0 / classes as f64).to_le_bytes().to_vec().into()),
        ..TensorProto::default()
    };
    let uniform = graph.op_with("ConstantOfShape", &[&shape], vec![AttributeProto::tensor("value", uniform)]);
    let last = graph.repeat(classes.max(MIN_ITERATIONS), &[&uniform], |graph, _, state| {
        let (active, next) = iterate(graph, &form, &identity, &state[0], classes);
        // Rows that have converged keep their probabilities, so they stay converged.
        let next = graph.op("Where", &[&active, &next, &state[0]]);
        let active = graph.cast(&active, INT64);
        let any = graph.op_with("ReduceMax", &[&active], vec![AttributeProto::int("keepdims", 0)]);
        (Some(graph.cast(&any, BOOL)), vec![next])
    });
    last.into_iter().next().unwrap_or(uniform)
}

/// The matrix of the quadratic form of each row: `f64` with the shape [rows, classes, classes].
fn quadratic_form(
    graph: &mut Graph,
    pairs: &Tensor,
    functions: &[DecisionFunction],
    classes: usize,
    identity: &Tensor,
) -> Tensor {
    // The columns: the first classes of all functions, then the second ones. The diagonal is not used.
    let one = graph.double(1.0);
    let others = graph.op("Sub", &[&one, pairs]);
    let both = graph.concat(&[pairs.clone(), others]);
    let mut columns = vec![0; classes * classes];
    for (column, DecisionFunction { first, second, .. }) in functions.iter().enumerate() {
        let (first, second) = (*first as usize, *second as usize);
        columns[first * classes + second] = column;
        columns[second * classes + first] = functions.len() + column;
    }
    let columns = graph.positions(&columns);
    let all = graph.gather(&both, &columns, 1);
    let (least, greatest) = (graph.double(MARGIN), graph.double(1.0 - MARGIN));
    let all = graph.op("Clip", &[&all, &least, &greatest]);
    let all = graph.reshape(&all, &[-1, classes as i64, classes as i64]);
    let reverse = graph.op_with("Transpose", &[&all], vec![AttributeProto::ints("perm", vec![0, 2, 1])]);
    let off_diagonal = graph.op("Sub", &[&one, identity]);
    let squares = graph.op("Mul", &[&reverse, &reverse]);
    let squares = graph.op("Mul", &[&squares, &off_diagonal]);
    let sums = graph.sum(&squares, 2, true);
    let diagonal = graph.op("Mul", &[&sums, identity]);
    let products = graph.op("Mul", &[&reverse, &all]);
    let products = graph.op("Mul", &[&products, &off_diagonal]);
    graph.op("Sub", &[&diagonal, &products])
}

/// One iteration: which rows had not converged before it ([rows, 1]), and the next probabilities.
fn iterate(
    graph: &mut Graph,
    form: &Tensor,
    identity: &Tensor,
    probabilities: &Tensor,
    classes: usize,
) -> (Tensor, Tensor) {
    let axis = graph.positions(&[1]);
    let row = graph.op("Unsqueeze", &[probabilities, &axis]);
    let products = graph.op("Mul", &[form, &row]);
    let products = graph.sum(&products, 2, false);
    let total = graph.op("Mul", &[&products, probabilities]);
    let total = graph.sum(&total, 1, true);
    let distances = graph.op("Sub", &[&products, &total]);
    let distances = graph.op("Abs", &[&distances]);
    let tolerance = graph.double(TOLERANCE / classes as f64);
    let far = graph.op("GreaterOrEqual", &[&distances, &tolerance]);
    let far = graph.cast(&far, INT64);
    let far = graph.op_with("ReduceMax", &[&far], vec![AttributeProto::ints("axes", vec![1])]);
    let active = graph.cast(&far, BOOL);
    let state = [probabilities, &products, &total];
    let last = graph.repeat(classes, &state, |graph, class, state| (None, step(graph, form, identity, class, state)));
    let next = last.into_iter().next();
    (active, next.unwrap_or_else(|| probabilities.clone()))
}

/// The step of one class.
fn step(graph: &mut Graph, form: &Tensor, identity: &Tensor, class: &Tensor, state: &[Tensor]) -> Vec<Tensor> {
    let [probabilities, products, total] = state else { return state.to_vec() };
    let of_form = graph.gather(form, class, 1);
    let unit = graph.gather(identity, class, 0);
    let column = graph.reshape(class, &[1]);
    let diagonal = graph.gather(&of_form, &column, 1);
    let product = graph.gather(products, &column, 1);
    let difference = graph.op("Sub", &[total, &product]);
    let step = graph.op("Div", &[&difference, &diagonal]);
    let one = graph.double(1.0);
    let norm = graph.op("Add", &[&one, &step]);
    // total = (total + step · (step · diagonal + 2 · product)) / norm²
    let two = graph.double(2.0);
    let (square, double) = (graph.op("Mul", &[&step, &diagonal]), graph.op("Mul", &[&two, &product]));
    let change = graph.op("Add", &[&square, &double]);
    let change = graph.op("Mul", &[&step, &change]);
    let total = graph.op("Add", &[total, &change]);
    let total = graph.op("Div", &[&total, &norm]);
    let total = graph.op("Div", &[&total, &norm]);
    let mut scaled = |value: &Tensor, direction: &Tensor| {
        let change = graph.op("Mul", &[&step, direction]);
        let sum = graph.op("Add", &[value, &change]);
        graph.op("Div", &[&sum, &norm])
    };
    let probabilities = scaled(probabilities, &unit);
    let products = scaled(products, &of_form);
    vec![probabilities, products, total]
}
