//! Builds the graph of an ONNX file: unique names, constants and nodes.

use std::collections::HashSet;

use prost::bytes::Bytes;

use super::ExportError;
use super::proto::{
    AttributeProto, BOOL, DOUBLE, Dimension, FLOAT, GraphProto, INT64, NodeProto, STRING, TensorProto, ValueInfoProto,
};

/// The operators that every runtime has.
const STANDARD: &str = "";
/// The operators for models of machine learning.
const MACHINE_LEARNING: &str = "ai.onnx.ml";

/// The name of a value in the graph: an input, a constant or the output of a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tensor(String);

/// A graph under construction.
pub(super) struct Graph {
    /// Names that inner values must not have: those of the inputs.
    taken: HashSet<String>,
    next: usize,
    max_bytes: usize,
    reserved_bytes: usize,
    nodes: Vec<NodeProto>,
    constants: Vec<TensorProto>,
    inputs: Vec<ValueInfoProto>,
    outputs: Vec<ValueInfoProto>,
}

impl Graph {
    /// An empty graph with inputs of these names. The file may have `max_bytes` bytes.
    pub(super) fn new(inputs: impl Iterator<Item = String>, max_bytes: usize) -> Self {
        let (nodes, constants, inputs_of, outputs) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let taken = inputs.collect();
        Self { taken, next: 0, max_bytes, reserved_bytes: 0, nodes, constants, inputs: inputs_of, outputs }
    }

    /// Adds the least bytes of a part of the file. Called before a large part is built, so that its memory is bounded.
    ///
    /// # Errors
    /// [`ExportError::TooLarge`]
    pub(super) fn reserve(&mut self, bytes: usize) -> Result<(), ExportError> {
        self.reserved_bytes = self.reserved_bytes.saturating_add(bytes);
        if self.reserved_bytes > self.max_bytes { Err(self.too_large()) } else { Ok(()) }
    }

    /// The error for a file above the limit.
    pub(super) fn too_large(&self) -> ExportError {
        ExportError::TooLarge { max_bytes: self.max_bytes }
    }

    /// The finished graph.
    pub(super) fn finish(self) -> GraphProto {
        let Self { nodes, constants, inputs, outputs, taken: _, next: _, max_bytes: _, reserved_bytes: _ } = self;
        GraphProto { node: nodes, name: "trainyard".into(), initializer: constants, input: inputs, output: outputs }
    }

    /// Adds an input with one value per row, as a tensor of the shape [rows, 1].
    pub(super) fn input(&mut self, name: &str, elem_type: i32, doc: &str) -> Tensor {
        let dims = vec![Dimension::rows(), Dimension::fixed(1)];
        self.inputs.push(ValueInfoProto::tensor(name, elem_type, Some(dims), doc));
        Tensor(name.into())
    }

    /// Adds an output with one value per row, or with `columns` values. The name gets the prefix `predicted_` if an input
    /// has the name.
    pub(super) fn output(&mut self, name: &str, value: &Tensor, elem_type: i32, columns: Option<usize>, doc: &str) {
        let mut name = name.to_owned();
        while self.taken.contains(&name) {
            name.insert_str(0, "predicted_");
        }
        self.taken.insert(name.clone());
        let dims = [Dimension::rows()].into_iter().chain(columns.map(|columns| Dimension::fixed(columns as i64)));
        self.outputs.push(ValueInfoProto::tensor(&name, elem_type, Some(dims.collect()), doc));
        self.push(STANDARD, "Identity", &[value], vec![], vec![Tensor(name)]);
    }

    /// Adds a node of a standard operator with one output.
    pub(super) fn op(&mut self, op: &str, inputs: &[&Tensor]) -> Tensor {
        self.op_with(op, inputs, vec![])
    }

    /// As [`Self::op`], with attributes.
    pub(super) fn op_with(&mut self, op: &str, inputs: &[&Tensor], attributes: Vec<AttributeProto>) -> Tensor {
        let output = self.fresh(op);
        self.push(STANDARD, op, inputs, attributes, vec![output.clone()]);
        output
    }

    /// Adds a node of a machine learning operator with one output.
    pub(super) fn ml_op(&mut self, op: &str, input: &Tensor, attributes: Vec<AttributeProto>) -> Tensor {
        let output = self.fresh(op);
        self.push(MACHINE_LEARNING, op, &[input], attributes, vec![output.clone()]);
        output
    }

    /// Converts the values to another type.
    pub(super) fn cast(&mut self, value: &Tensor, elem_type: i32) -> Tensor {
        self.op_with("Cast", &[value], vec![AttributeProto::int("to", i64::from(elem_type))])
    }

    /// Joins matrices side by side.
    pub(super) fn concat(&mut self, parts: &[Tensor]) -> Tensor {
        match parts {
            [only] => only.clone(),
            parts => {
                let parts: Vec<_> = parts.iter().collect();
                self.op_with("Concat", &parts, vec![AttributeProto::int("axis", 1)])
            }
        }
    }

    /// Takes entries along an axis. An index without dimensions removes the axis.
    pub(super) fn gather(&mut self, from: &Tensor, index: &Tensor, axis: i64) -> Tensor {
        self.op_with("Gather", &[from, index], vec![AttributeProto::int("axis", axis)])
    }

    /// The sum along an axis.
    pub(super) fn sum(&mut self, value: &Tensor, axis: i64, keep_axis: bool) -> Tensor {
        let axes = self.ints(&[1], &[axis]);
        self.op_with("ReduceSum", &[value, &axes], vec![AttributeProto::int("keepdims", i64::from(keep_axis))])
    }

    /// The values in another shape; one dimension may be -1.
    pub(super) fn reshape(&mut self, value: &Tensor, dims: &[i64]) -> Tensor {
        let dims = self.ints(&[dims.len()], dims);
        self.op("Reshape", &[value, &dims])
    }

    /// Adds a loop over state values, and returns their last values. `body` gets the number of the iteration (a scalar)
    /// and the state, and returns whether to continue (a scalar) and the next state. The state has `f64` values.
    pub(super) fn repeat(
        &mut self,
        iterations: usize,
        state: &[&Tensor],
        body: impl FnOnce(&mut Self, &Tensor, &[Tensor]) -> (Option<Tensor>, Vec<Tensor>),
    ) -> Vec<Tensor> {
        let outer = std::mem::take(&mut self.nodes);
        let (number, condition) = (self.fresh("iteration"), self.fresh("condition"));
        let states: Vec<_> = state.iter().map(|_| self.fresh("state")).collect();
        let (go_on, next) = body(self, &number, &states);
        // The output of a body must be the output of a node of this body.
        let go_on = self.op("Identity", &[&go_on.unwrap_or_else(|| condition.clone())]);
        let next: Vec<_> = next.iter().map(|value| self.op("Identity", &[value])).collect();
        let node = std::mem::replace(&mut self.nodes, outer);
        let scalar = |Tensor(name): &Tensor, elem_type| ValueInfoProto::tensor(name, elem_type, Some(vec![]), "");
        let numbers = |Tensor(name): &Tensor| ValueInfoProto::tensor(name, DOUBLE, None, "");
        let heads = [scalar(&number, INT64), scalar(&condition, BOOL)];
        let Tensor(name) = self.fresh("body");
        let graph = GraphProto {
            node,
            name,
            initializer: vec![],
            input: heads.into_iter().chain(states.iter().map(numbers)).collect(),
            output: [scalar(&go_on, BOOL)].into_iter().chain(next.iter().map(numbers)).collect(),
        };
        let iterations = self.ints(&[], &[iterations as i64]);
        let start = self.constant(&[], BOOL, 1, [1]);
        let inputs: Vec<_> = [&iterations, &start].into_iter().chain(state.iter().copied()).collect();
        let outputs: Vec<_> = state.iter().map(|_| self.fresh("Loop")).collect();
        self.push(STANDARD, "Loop", &inputs, vec![AttributeProto::graph("body", graph)], outputs.clone());
        outputs
    }

    fn push(
        &mut self,
        domain: &str,
        op: &str,
        inputs: &[&Tensor],
        attribute: Vec<AttributeProto>,
        outputs: Vec<Tensor>,
    ) {
        let Tensor(name) = self.fresh("node");
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|Tensor(name)| name.clone()).collect(),
            output: outputs.into_iter().map(|Tensor(name)| name).collect(),
            name,
            op_type: op.into(),
            attribute,
            domain: domain.into(),
        });
    }

    /// A name that no value has.
    fn fresh(&mut self, hint: &str) -> Tensor {
        loop {
            self.next += 1;
            let name = format!("{hint}_{}", self.next);
            if !self.taken.contains(&name) {
                return Tensor(name);
            }
        }
    }

    /// An `f64` constant.
    pub(super) fn doubles(&mut self, dims: &[usize], values: &[f64]) -> Tensor {
        self.constant(dims, DOUBLE, values.len(), values.iter().flat_map(|value| value.to_le_bytes()))
    }

    /// An `f64` constant without dimensions.
    pub(super) fn double(&mut self, value: f64) -> Tensor {
        self.doubles(&[], &[value])
    }

    /// An `f32` constant.
    pub(super) fn floats(&mut self, dims: &[usize], values: &[f32]) -> Tensor {
        self.constant(dims, FLOAT, values.len(), values.iter().flat_map(|value| value.to_le_bytes()))
    }

    /// An integer constant.
    pub(super) fn ints(&mut self, dims: &[usize], values: &[i64]) -> Tensor {
        self.constant(dims, INT64, values.len(), values.iter().flat_map(|value| value.to_le_bytes()))
    }

    /// A constant vector of positions.
    pub(super) fn positions(&mut self, values: &[usize]) -> Tensor {
        let values: Vec<_> = values.iter().map(|value| *value as i64).collect();
        self.ints(&[values.len()], &values)
    }

    /// A constant vector of booleans.
    pub(super) fn bools(&mut self, values: &[bool]) -> Tensor {
        self.constant(&[values.len()], BOOL, values.len(), values.iter().map(|value| u8::from(*value)))
    }

    /// A constant vector of strings.
    pub(super) fn strings(&mut self, values: &[&str]) -> Tensor {
        let Tensor(name) = self.fresh("constant");
        let string_data = values.iter().map(|text| Bytes::copy_from_slice(text.as_bytes())).collect();
        let dims = vec![values.len() as i64];
        self.constants.push(TensorProto { dims, data_type: STRING, string_data, name: name.clone(), raw_data: None });
        Tensor(name)
    }

    fn constant(
        &mut self,
        dims: &[usize],
        data_type: i32,
        values: usize,
        bytes: impl IntoIterator<Item = u8>,
    ) -> Tensor {
        debug_assert_eq!(dims.iter().product::<usize>(), values, "a constant of {dims:?}");
        let Tensor(name) = self.fresh("constant");
        self.constants.push(TensorProto {
            dims: dims.iter().map(|size| *size as i64).collect(),
            data_type,
            string_data: vec![],
            name: name.clone(),
            raw_data: Some(bytes.into_iter().collect::<Vec<u8>>().into()),
        });
        Tensor(name)
    }
}
