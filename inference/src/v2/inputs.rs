//! Checks the input tensors against the signature, and converts them to columns.

use std::borrow::Cow;
use std::collections::HashMap;

use trainyard_domain::shown;
use trainyard_http::Problem;
use trainyard_ml::model::{Feature, FeatureKind, Signature};
use trainyard_ml::predict::{Column, Columns};

use super::contents;
use super::datatype::{Datatype, ElementKind};
use super::input_tensor::{Data, InputTensor};
use super::refusal;
use super::values::{self, BadElement, Elements};

/// The name of the matrix in the metadata. A request may use another name.
pub(crate) const MATRIX: &str = "input";
/// Maximum number of names in a message.
const MAX_NAMES: usize = 30;

/// The rows of a request.
#[derive(Debug)]
pub(crate) struct Inputs<'a> {
    /// The values.
    pub(crate) columns: Columns<'a>,
    /// Number of rows.
    pub(crate) rows: usize,
}

/// Reads the tensors of a request for `signature`, one after the other; at most `max_rows` rows are allowed. `binary` is the
/// part of the body after the JSON.
pub(crate) fn read<'a>(
    signature: &Signature,
    tensors: impl IntoIterator<Item = Result<InputTensor<'a>, Problem>>,
    binary: &'a [u8],
    max_rows: usize,
) -> Result<Inputs<'a>, Problem> {
    let mut binary = BinaryData { rest: binary };
    let mut tensors = tensors.into_iter();
    let inputs = match (tensors.next().transpose()?, tensors.next()) {
        (Some(tensor), None) if is_matrix(signature, &tensor) => read_matrix(signature, tensor, &mut binary, max_rows)?,
        (first, second) => {
            let tensors = first.map(Ok).into_iter().chain(second).chain(tensors);
            read_columns(signature, tensors, &mut binary, max_rows)?
        }
    };
    match binary.rest.len() {
        0 => Ok(inputs),
        more => Err(refusal(format!(
            "the body has {more} bytes of binary data more than the inputs name in binary_data_size"
        ))),
    }
}

/// Whether every feature is a number, so that a matrix is possible.
pub(crate) fn takes_matrix(signature: &Signature) -> bool {
    signature.features.iter().all(|feature| matches!(feature.kind, FeatureKind::Number { .. }))
}

/// Whether the only tensor is a matrix. A tensor with the name of a feature is one if its second dimension says so.
fn is_matrix(signature: &Signature, tensor: &InputTensor<'_>) -> bool {
    let [_, width] = tensor.shape.as_slice() else { return false };
    takes_matrix(signature)
        && (signature.position(&tensor.name).is_none()
            || (signature.features.len() > 1 && *width == Some(signature.features.len() as u64)))
}

fn read_matrix<'a>(
    signature: &Signature,
    tensor: InputTensor<'a>,
    binary: &mut BinaryData<'a>,
    max_rows: usize,
) -> Result<Inputs<'a>, Problem> {
    let tensor = Tensor::open(tensor, binary)?;
    let features = signature.features.len();
    let &[rows, width] = tensor.shape.as_slice() else { return Err(unknown_input(signature, &tensor.name)) };
    if width != features {
        return Err(tensor.refuse(format_args!(
            "must have the shape [n, {features}] with a column for each of {}, not {:?}",
            names(signature),
            tensor.shape
        )));
    }
    tensor.check_kind(ElementKind::Number)?;
    check_rows(&tensor, rows, max_rows)?;
    let values = values::numbers(&tensor.elements, tensor.datatype);
    let values = values.map_err(|error| bad_element(&tensor.name, &error))?;
    Ok(Inputs { columns: Columns::Matrix(values), rows })
}

fn read_columns<'a>(
    signature: &Signature,
    tensors: impl Iterator<Item = Result<InputTensor<'a>, Problem>>,
    binary: &mut BinaryData<'a>,
    max_rows: usize,
) -> Result<Inputs<'a>, Problem> {
    let positions = Positions::new(signature);
    let mut columns: Vec<Option<Column<'a>>> = signature.features.iter().map(|_| None).collect();
    let mut first: Option<(Cow<'a, str>, usize)> = None;
    for (index, tensor) in tensors.enumerate() {
        let tensor = tensor?;
        let position = positions.of(&tensor.name, index);
        if position.is_none() && !signature.dropped.iter().any(|name| *name == tensor.name) {
            return Err(unknown_input(signature, &tensor.name));
        }
        if position.is_some_and(|position| columns[position].is_some()) {
            return Err(refusal(format!("the input '{}' is given twice", shown(&tensor.name))));
        }
        let tensor = Tensor::open(tensor, binary)?;
        let rows = match *tensor.shape.as_slice() {
            [rows] | [rows, 1] => rows,
            _ => return Err(tensor.refuse(format_args!("must have the shape [n] or [n, 1], not {:?}", tensor.shape))),
        };
        check_rows(&tensor, rows, max_rows)?;
        match &first {
            None => first = Some((tensor.name.clone(), rows)),
            Some((name, expected)) if *expected != rows => {
                let name = shown(name);
                return Err(tensor.refuse(format_args!("has {rows} rows, but the input '{name}' has {expected}")));
            }
            Some(_) => {}
        }
        // Training dropped the other features, so their values are not used.
        if let Some(position) = position {
            columns[position] = Some(column(&signature.features[position], tensor, rows)?);
        }
    }
    let missing = || columns.iter().zip(&signature.features).filter(|(column, _)| column.is_none());
    if missing().next().is_some() {
        return Err(missing_inputs(signature, missing().map(|(_, feature)| feature)));
    }
    let rows = first.map_or(0, |(_, rows)| rows);
    Ok(Inputs { columns: Columns::Each(columns.into_iter().flatten().collect()), rows })
}

fn column<'a>(feature: &Feature, tensor: Tensor<'a>, rows: usize) -> Result<Column<'a>, Problem> {
    tensor.check_kind(element_kind(&feature.kind))?;
    let Tensor { name, datatype, elements, .. } = tensor;
    let column = match &feature.kind {
        FeatureKind::Number { .. } => values::numbers(&elements, datatype).map(Column::Numbers),
        FeatureKind::Boolean { .. } => values::booleans(&elements).map(Column::Booleans),
        FeatureKind::Category { .. } | FeatureKind::Datetime { .. } => values::texts(elements, rows).map(Column::Texts),
    };
    column.map_err(|error| bad_element(&name, &error))
}

/// The elements that a feature takes.
pub(crate) fn element_kind(kind: &FeatureKind) -> ElementKind {
    match kind {
        FeatureKind::Number { .. } => ElementKind::Number,
        FeatureKind::Boolean { .. } => ElementKind::Boolean,
        FeatureKind::Category { .. } | FeatureKind::Datetime { .. } => ElementKind::Text,
    }
}

fn check_rows(tensor: &Tensor<'_>, rows: usize, max_rows: usize) -> Result<(), Problem> {
    match rows {
        0 => Err(tensor.refuse(format_args!("must have at least one row"))),
        rows if rows > max_rows => {
            Err(tensor.refuse(format_args!("must have at most {max_rows} rows, but has {rows}")))
        }
        _ => Ok(()),
    }
}

/// The binary data of the body that no tensor has taken yet.
struct BinaryData<'a> {
    rest: &'a [u8],
}

/// A tensor whose number of elements fits its shape.
struct Tensor<'a> {
    name: Cow<'a, str>,
    datatype: Datatype,
    shape: Vec<usize>,
    elements: Elements<'a>,
}

impl<'a> Tensor<'a> {
    /// Checks datatype, shape and size, and takes the tensor's binary data.
    fn open(tensor: InputTensor<'a>, binary: &mut BinaryData<'a>) -> Result<Self, Problem> {
        let InputTensor { name, shape, datatype, unsupported, data } = tensor;
        let refuse = |message: String| refusal(format!("the input '{}' {message}", shown(&name)));
        let Some(datatype) = Datatype::parse(&datatype) else {
            let known: Vec<_> = Datatype::ALL.iter().map(|datatype| datatype.name()).collect();
            return Err(refuse(format!(
                "has the unknown datatype '{}'; known are {}",
                shown(&datatype),
                known.join(", ")
            )));
        };
        let dimensions = shape.iter().map(|dimension| dimension.and_then(|size| size.try_into().ok()));
        let Some(dimensions) = dimensions.collect::<Option<Vec<usize>>>() else {
            return Err(refuse("has a shape with a dimension that is no whole number of 0 or more".into()));
        };
        let Some(count) = dimensions.iter().try_fold(1_usize, |count, size| count.checked_mul(*size)) else {
            return Err(refuse("has a shape with more elements than a number of 64 bits can count".into()));
        };
        if let Some(unsupported) = unsupported {
            return Err(refuse(format!("has the parameter {unsupported}, which this server does not support")));
        }
        let check_size = |size: u64, field: &str| match datatype.size().map(|bytes| bytes.saturating_mul(count) as u64)
        {
            Some(expected) if expected != size => {
                let name = datatype.name();
                Err(refuse(format!("has the shape {dimensions:?} of {name} with {expected} bytes, but {field} {size}")))
            }
            _ => Ok(()),
        };
        let elements = match data {
            Data::Twice => return Err(refuse("has both data and binary_data_size; send one of them".into())),
            Data::Absent => return Err(refuse("has no data; send data, or binary data with binary_data_size".into())),
            Data::Json(_) if matches!(datatype, Datatype::Fp16 | Datatype::Bf16) => {
                return Err(refuse(format!(
                    "has the datatype {}, which is possible as binary data only",
                    datatype.name()
                )));
            }
            Data::Json(data) if data.values.len() != count => {
                let found = data.values.len();
                return Err(refuse(format!(
                    "has the shape {dimensions:?} with {count} elements, but data has {found}"
                )));
            }
            Data::Json(data) if !data.fits(&dimensions) => {
                return Err(refuse(format!("has nested lists in data that do not have the shape {dimensions:?}")));
            }
            Data::Json(data) => Elements::Json(data),
            Data::Binary(size) => {
                check_size(size, "binary_data_size is")?;
                Elements::Binary(binary.take(size).map_err(refuse)?)
            }
            Data::Raw(bytes) => {
                check_size(bytes.len() as u64, "raw_input_contents has")?;
                Elements::Binary(bytes)
            }
            Data::Contents(contents) => {
                contents::check(&contents, datatype, &dimensions, count).map_err(refuse)?;
                Elements::Contents(contents)
            }
        };
        Ok(Self { name, datatype, shape: dimensions, elements })
    }

    fn check_kind(&self, kind: ElementKind) -> Result<(), Problem> {
        if self.datatype.kind() == kind {
            return Ok(());
        }
        let expected = match kind {
            ElementKind::Number => "a datatype of numbers, such as FP64",
            ElementKind::Boolean => "the datatype BOOL",
            ElementKind::Text => "the datatype BYTES",
        };
        Err(self.refuse(format_args!("must have {expected}, not {}", self.datatype.name())))
    }

    fn refuse(&self, message: std::fmt::Arguments<'_>) -> Problem {
        refusal(format!("the input '{}' {message}", shown(&self.name)))
    }
}

impl<'a> BinaryData<'a> {
    fn take(&mut self, size: u64) -> Result<&'a [u8], String> {
        let split = usize::try_from(size).ok().and_then(|size| self.rest.split_at_checked(size));
        let Some((taken, rest)) = split else {
            return Err(format!(
                "has the binary_data_size {size}, but the body has only {} bytes of binary data left after the JSON, whose \
                 length the header Inference-Header-Content-Length names",
                self.rest.len()
            ));
        };
        self.rest = rest;
        Ok(taken)
    }
}

/// Finds the features of tensors. Clients usually send the order of the signature, which needs no index.
struct Positions<'s> {
    signature: &'s Signature,
    index: std::cell::OnceCell<HashMap<&'s str, usize>>,
}

impl<'s> Positions<'s> {
    fn new(signature: &'s Signature) -> Self {
        Self { signature, index: std::cell::OnceCell::new() }
    }

    /// The feature with this name; `guess` is its likely position.
    fn of(&self, name: &str, guess: usize) -> Option<usize> {
        let features = &self.signature.features;
        if features.get(guess).is_some_and(|feature| feature.name == name) {
            return Some(guess);
        }
        let index =
            || features.iter().enumerate().map(|(position, feature)| (feature.name.as_str(), position)).collect();
        self.index.get_or_init(index).get(name).copied()
    }
}

fn bad_element(name: &str, error: &BadElement) -> Problem {
    refusal(format!("the input '{}' is not valid: element {} {}", shown(name), error.index, error.message))
}

fn unknown_input(signature: &Signature, name: &str) -> Problem {
    let matrix = match takes_matrix(signature) {
        true => format!(", or one matrix of the shape [n, {}]", signature.features.len()),
        false => String::new(),
    };
    let (name, names) = (shown(name), names(signature));
    refusal(format!("the input '{name}' is unknown; the inputs of this model are {names}{matrix}"))
}

fn missing_inputs<'f>(signature: &Signature, missing: impl Iterator<Item = &'f Feature>) -> Problem {
    let quoted: Vec<_> = missing.take(MAX_NAMES).map(|feature| format!("'{}'", shown(&feature.name))).collect();
    let verb = if quoted.len() == 1 { "input" } else { "inputs" };
    let is = if quoted.len() == 1 { "is" } else { "are" };
    let (quoted, names) = (quoted.join(", "), names(signature));
    refusal(format!("the {verb} {quoted} {is} missing; the inputs of this model are {names}"))
}

fn names(signature: &Signature) -> String {
    let mut names: Vec<_> = signature.features.iter().take(MAX_NAMES).map(|feature| shown(&feature.name)).collect();
    if signature.features.len() > MAX_NAMES {
        names.push("…".into());
    }
    names.join(", ")
}
