//! The outputs of the graph: the label and the probabilities, or the number.

use serde_json::Value;

use super::graph::{Graph, Tensor};
use super::proto::{AttributeProto, BOOL, DOUBLE, INT64, STRING};
use crate::model::{Link, Task};

/// The output vectors of all rows.
pub(super) struct Answer {
    /// `f64` with the shape [rows, [`Task::outputs`]].
    pub(super) outputs: Tensor,
    /// The class with the highest value is predicted, the first of equal ones. Scores of a softmax, because equal scores can
    /// have probabilities that differ in the last bit; else the outputs.
    pub(super) ranking: Tensor,
}

impl Answer {
    /// Outputs that are no scores.
    pub(super) fn plain(outputs: Tensor) -> Self {
        Self { ranking: outputs.clone(), outputs }
    }

    /// The outputs for scores.
    pub(super) fn of_scores(graph: &mut Graph, scores: Tensor, link: Link) -> Self {
        match link {
            Link::Identity => Self::plain(scores),
            Link::Log => Self::plain(graph.op("Exp", &[&scores])),
            Link::Logit => Self::plain(sigmoid(graph, &scores)),
            // The default axis is the last one.
            Link::Softmax => Self { outputs: graph.op("Softmax", &[&scores]), ranking: scores },
        }
    }
}

/// 1 / (1 + e^-x). The operator `Sigmoid` of onnxruntime is less accurate.
pub(super) fn sigmoid(graph: &mut Graph, x: &Tensor) -> Tensor {
    let one = graph.double(1.0);
    let negative = graph.op("Neg", &[x]);
    let power = graph.op("Exp", &[&negative]);
    let sum = graph.op("Add", &[&one, &power]);
    graph.op("Div", &[&one, &sum])
}

/// Adds the outputs of the graph.
pub(super) fn write(graph: &mut Graph, task: &Task, answer: &Answer) {
    const PROBABILITIES: &str = "the probability of each class, in the order of the metadata `classes`";
    let Answer { outputs, ranking } = answer;
    match task {
        Task::Binary { negative: _, positive: _, boolean: _, numeric: _, threshold } => {
            // As Task::predicted_class.
            let threshold = graph.double(*threshold);
            let is_positive = graph.op("GreaterOrEqual", &[outputs, &threshold]);
            let class = graph.cast(&is_positive, INT64);
            let class = graph.reshape(&class, &[-1]);
            write_label(graph, task, &class);
            let one = graph.double(1.0);
            let others = graph.op("Sub", &[&one, outputs]);
            let both = graph.concat(&[others, outputs.clone()]);
            graph.output("probabilities", &both, DOUBLE, Some(2), PROBABILITIES);
        }
        Task::MultiClass { classes, numeric: _ } => {
            let attributes = vec![AttributeProto::int("axis", 1), AttributeProto::int("keepdims", 0)];
            let class = graph.op_with("ArgMax", &[ranking], attributes);
            write_label(graph, task, &class);
            graph.output("probabilities", outputs, DOUBLE, Some(classes.len()), PROBABILITIES);
        }
        Task::Regression => {
            let values = graph.reshape(outputs, &[-1]);
            graph.output("value", &values, DOUBLE, None, "the predicted number");
        }
    }
}

/// Adds the label of a class, which is an index in class order.
fn write_label(graph: &mut Graph, task: &Task, class: &Tensor) {
    let (labels, elem_type) = labels(graph, task);
    let label = graph.gather(&labels, class, 0);
    graph.output("label", &label, elem_type, None, "the predicted class");
}

/// The labels in class order, in the type that they have in the table, with this type.
fn labels(graph: &mut Graph, task: &Task) -> (Tensor, i32) {
    let labels = task.labels();
    let values: Vec<Value> = labels.iter().map(|label| task.label_value(label)).collect();
    let all = |of: fn(&Value) -> Option<i64>| values.iter().map(of).collect::<Option<Vec<_>>>();
    if let Some(integers) = all(Value::as_i64) {
        return (graph.ints(&[integers.len()], &integers), INT64);
    }
    if let Some(numbers) = values.iter().map(Value::as_f64).collect::<Option<Vec<_>>>() {
        return (graph.doubles(&[numbers.len()], &numbers), DOUBLE);
    }
    if let Some(booleans) = values.iter().map(Value::as_bool).collect::<Option<Vec<_>>>() {
        return (graph.bools(&booleans), BOOL);
    }
    (graph.strings(&labels), STRING)
}
