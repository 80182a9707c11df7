//! Support vector machines. The operators `SVMClassifier` and `SVMRegressor` compute in `f32` and couple the probabilities
//! of pairs in another way, so the graph has the kernel, the decision functions and Platt's scaling as matrix operations.

use super::ExportError;
use super::answer::{Answer, sigmoid};
use super::columns::RawColumns;
use super::coupling;
use super::design_matrix::DesignMatrix;
use super::graph::{Graph, Tensor};
use crate::model::{DecisionFunction, Kernel, SvmModel, Task};

/// A support vector machine.
pub(super) fn svm(graph: &mut Graph, raw: &RawColumns, task: &Task, model: &SvmModel) -> Result<Answer, ExportError> {
    let SvmModel { encoder, kernel, vectors, functions } = model;
    let inputs = DesignMatrix::encode(graph, raw, encoder)?;
    let vectors: Vec<Vec<f64>> =
        vectors.chunks_exact(encoder.width()).map(|vector| inputs.arrange(vector).collect()).collect();
    let kernels = kernel_values(graph, &inputs, *kernel, &vectors)?;
    let decisions = decisions(graph, &kernels, functions, vectors.len())?;
    let classes = match task {
        Task::Regression => return Ok(Answer::plain(decisions)),
        Task::Binary { .. } => 2,
        Task::MultiClass { classes, .. } => classes.len(),
    };
    let probabilities = pair_probabilities(graph, &decisions, functions);
    Ok(Answer::plain(match (task, functions.as_slice()) {
        (Task::Binary { .. }, [DecisionFunction { first: 1, .. }]) => probabilities,
        (Task::Binary { .. }, _) => {
            let one = graph.double(1.0);
            graph.op("Sub", &[&one, &probabilities])
        }
        _ => coupling::couple(graph, &probabilities, functions, classes),
    }))
}

/// The kernel values of each row and each support vector.
fn kernel_values(
    graph: &mut Graph,
    inputs: &DesignMatrix,
    kernel: Kernel,
    vectors: &[Vec<f64>],
) -> Result<Tensor, ExportError> {
    let (width, count) = (inputs.order.len(), vectors.len());
    graph.reserve(width.saturating_mul(count).saturating_mul(size_of::<f64>()))?;
    let transposed: Vec<_> = (0..width).flat_map(|column| vectors.iter().map(move |vector| vector[column])).collect();
    let transposed = graph.doubles(&[width, count], &transposed);
    let products = graph.op("MatMul", &[&inputs.values, &transposed]);
    Ok(match kernel {
        Kernel::Linear => products,
        Kernel::Rbf { gamma } => {
            // |x - y|² = x·x + y·y - 2 x·y, which rounding can make slightly negative.
            let squares = graph.op("Mul", &[&inputs.values, &inputs.values]);
            let squares = graph.sum(&squares, 1, true);
            let own: Vec<f64> = vectors.iter().map(|vector| vector.iter().map(|x| x * x).sum()).collect();
            let own = graph.doubles(&[1, count], &own);
            let sums = graph.op("Add", &[&squares, &own]);
            let two = graph.double(2.0);
            let products = graph.op("Mul", &[&two, &products]);
            let distances = graph.op("Sub", &[&sums, &products]);
            let zero = graph.double(0.0);
            let distances = graph.op("Max", &[&distances, &zero]);
            let gamma = graph.double(-gamma);
            let exponents = graph.op("Mul", &[&gamma, &distances]);
            graph.op("Exp", &[&exponents])
        }
        Kernel::Polynomial { constant, degree } => {
            let constant = graph.double(constant);
            let bases = graph.op("Add", &[&products, &constant]);
            let degree = graph.double(f64::from(degree));
            graph.op("Pow", &[&bases, &degree])
        }
    })
}

/// The decision values, one column per function.
fn decisions(
    graph: &mut Graph,
    kernels: &Tensor,
    functions: &[DecisionFunction],
    vectors: usize,
) -> Result<Tensor, ExportError> {
    let count = functions.len();
    graph.reserve(vectors.saturating_mul(count).saturating_mul(size_of::<f64>()))?;
    let mut coefficients = vec![0.0; vectors * count];
    for (column, function) in functions.iter().enumerate() {
        let DecisionFunction { first: _, second: _, support, coefficients: own, rho: _, platt_a: _, platt_b: _ } =
            function;
        for (vector, coefficient) in support.iter().zip(own) {
            coefficients[*vector as usize * count + column] += coefficient;
        }
    }
    let coefficients = graph.doubles(&[vectors, count], &coefficients);
    let rho: Vec<_> = functions.iter().map(|function| function.rho).collect();
    let rho = graph.doubles(&[1, count], &rho);
    let sums = graph.op("MatMul", &[kernels, &coefficients]);
    Ok(graph.op("Sub", &[&sums, &rho]))
}

/// The probability of the first class of each function against the second one.
fn pair_probabilities(graph: &mut Graph, decisions: &Tensor, functions: &[DecisionFunction]) -> Tensor {
    let row = |of: fn(&DecisionFunction) -> f64| functions.iter().map(of).collect::<Vec<_>>();
    let slopes = graph.doubles(&[1, functions.len()], &row(|function| -function.platt_a));
    let offsets = graph.doubles(&[1, functions.len()], &row(|function| -function.platt_b));
    let scaled = graph.op("Mul", &[decisions, &slopes]);
    let scores = graph.op("Add", &[&scaled, &offsets]);
    sigmoid(graph, &scores)
}
