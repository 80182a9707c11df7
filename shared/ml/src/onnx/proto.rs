//! The messages of an ONNX file that the export writes, with the field numbers of `onnx.proto3` (ONNX, IR version 8).

use prost::bytes::Bytes;
use prost::{Message, Oneof};

/// Element type `tensor(float)`.
pub(super) const FLOAT: i32 = 1;
/// Element type `tensor(int64)`.
pub(super) const INT64: i32 = 7;
/// Element type `tensor(string)`.
pub(super) const STRING: i32 = 8;
/// Element type `tensor(bool)`.
pub(super) const BOOL: i32 = 9;
/// Element type `tensor(double)`.
pub(super) const DOUBLE: i32 = 11;

/// The file.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ModelProto {
    #[prost(int64, tag = "1")]
    pub(super) ir_version: i64,
    #[prost(string, tag = "2")]
    pub(super) producer_name: String,
    #[prost(string, tag = "3")]
    pub(super) producer_version: String,
    #[prost(int64, tag = "5")]
    pub(super) model_version: i64,
    #[prost(string, tag = "6")]
    pub(super) doc_string: String,
    #[prost(message, optional, tag = "7")]
    pub(super) graph: Option<GraphProto>,
    #[prost(message, repeated, tag = "8")]
    pub(super) opset_import: Vec<OperatorSetId>,
    #[prost(message, repeated, tag = "14")]
    pub(super) metadata_props: Vec<StringStringEntry>,
}

/// The version of a set of operators.
#[derive(Clone, PartialEq, Message)]
pub(super) struct OperatorSetId {
    #[prost(string, tag = "1")]
    pub(super) domain: String,
    #[prost(int64, tag = "2")]
    pub(super) version: i64,
}

/// An entry of the metadata.
#[derive(Clone, PartialEq, Message)]
pub(super) struct StringStringEntry {
    #[prost(string, tag = "1")]
    pub(super) key: String,
    #[prost(string, tag = "2")]
    pub(super) value: String,
}

/// A graph, or the body of a loop.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GraphProto {
    #[prost(message, repeated, tag = "1")]
    pub(super) node: Vec<NodeProto>,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) initializer: Vec<TensorProto>,
    #[prost(message, repeated, tag = "11")]
    pub(super) input: Vec<ValueInfoProto>,
    #[prost(message, repeated, tag = "12")]
    pub(super) output: Vec<ValueInfoProto>,
}

/// A call of an operator.
#[derive(Clone, PartialEq, Message)]
pub(super) struct NodeProto {
    #[prost(string, repeated, tag = "1")]
    pub(super) input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub(super) output: Vec<String>,
    #[prost(string, tag = "3")]
    pub(super) name: String,
    #[prost(string, tag = "4")]
    pub(super) op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub(super) attribute: Vec<AttributeProto>,
    #[prost(string, tag = "7")]
    pub(super) domain: String,
}

/// A parameter of a node. One field has the value, and `kind` names the field.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AttributeProto {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(int64, optional, tag = "3")]
    pub(super) i: Option<i64>,
    #[prost(message, optional, tag = "5")]
    pub(super) t: Option<TensorProto>,
    #[prost(message, optional, tag = "6")]
    pub(super) g: Option<GraphProto>,
    #[prost(float, repeated, tag = "7")]
    pub(super) floats: Vec<f32>,
    #[prost(int64, repeated, tag = "8")]
    pub(super) ints: Vec<i64>,
    #[prost(bytes = "bytes", repeated, tag = "9")]
    pub(super) strings: Vec<Bytes>,
    #[prost(int32, tag = "20")]
    pub(super) kind: i32,
}

impl AttributeProto {
    /// An integer.
    pub(super) fn int(name: &str, value: i64) -> Self {
        Self { name: name.into(), i: Some(value), kind: 2, ..Self::default() }
    }

    /// A tensor.
    pub(super) fn tensor(name: &str, value: TensorProto) -> Self {
        Self { name: name.into(), t: Some(value), kind: 4, ..Self::default() }
    }

    /// A graph.
    pub(super) fn graph(name: &str, value: GraphProto) -> Self {
        Self { name: name.into(), g: Some(value), kind: 5, ..Self::default() }
    }

    /// A list of `f32`.
    pub(super) fn floats(name: &str, values: Vec<f32>) -> Self {
        Self { name: name.into(), floats: values, kind: 6, ..Self::default() }
    }

    /// A list of integers.
    pub(super) fn ints(name: &str, values: Vec<i64>) -> Self {
        Self { name: name.into(), ints: values, kind: 7, ..Self::default() }
    }

    /// A list of strings.
    pub(super) fn strings(name: &str, values: Vec<Bytes>) -> Self {
        Self { name: name.into(), strings: values, kind: 8, ..Self::default() }
    }
}

/// A constant. Strings are in `string_data`, other values in `raw_data` (little-endian).
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorProto {
    #[prost(int64, repeated, tag = "1")]
    pub(super) dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub(super) data_type: i32,
    #[prost(bytes = "bytes", repeated, tag = "6")]
    pub(super) string_data: Vec<Bytes>,
    #[prost(string, tag = "8")]
    pub(super) name: String,
    #[prost(bytes = "bytes", optional, tag = "9")]
    pub(super) raw_data: Option<Bytes>,
}

/// The name and the type of an input or an output.
#[derive(Clone, PartialEq, Message)]
pub(super) struct ValueInfoProto {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(message, optional, tag = "2")]
    pub(super) r#type: Option<TypeProto>,
    #[prost(string, tag = "3")]
    pub(super) doc_string: String,
}

impl ValueInfoProto {
    /// A tensor with these dimensions. `None` for the dimensions means any shape.
    pub(super) fn tensor(name: &str, elem_type: i32, dims: Option<Vec<Dimension>>, doc_string: &str) -> Self {
        let shape = dims.map(|dim| TensorShapeProto { dim });
        let tensor_type = Some(TensorTypeProto { elem_type, shape });
        Self { name: name.into(), r#type: Some(TypeProto { tensor_type }), doc_string: doc_string.into() }
    }
}

/// A type; the export has tensors only.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TypeProto {
    #[prost(message, optional, tag = "1")]
    pub(super) tensor_type: Option<TensorTypeProto>,
}

/// The type of a tensor.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorTypeProto {
    #[prost(int32, tag = "1")]
    pub(super) elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub(super) shape: Option<TensorShapeProto>,
}

/// The dimensions of a tensor.
#[derive(Clone, PartialEq, Message)]
pub(super) struct TensorShapeProto {
    #[prost(message, repeated, tag = "1")]
    pub(super) dim: Vec<Dimension>,
}

/// A dimension.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Dimension {
    #[prost(oneof = "DimensionValue", tags = "1, 2")]
    pub(super) value: Option<DimensionValue>,
}

/// A dimension as a number, or as a name for the number that a call decides.
#[derive(Clone, PartialEq, Oneof)]
pub(super) enum DimensionValue {
    #[prost(int64, tag = "1")]
    Fixed(i64),
    #[prost(string, tag = "2")]
    Named(String),
}

impl Dimension {
    /// A number.
    pub(super) fn fixed(size: i64) -> Self {
        Self { value: Some(DimensionValue::Fixed(size)) }
    }

    /// The number of rows of a call.
    pub(super) fn rows() -> Self {
        Self { value: Some(DimensionValue::Named("rows".into())) }
    }
}
