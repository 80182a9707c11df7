//! The Open Inference Protocol V2 over REST and gRPC, with the extensions for binary tensors, the model repository and
//! statistics. `docs/inference-v2.md` describes what clients see.
//!
//! ```text
//! REST ─▶ request (JSON, borrowed) ──┬▶ inputs (tensors → columns of the signature) ─▶ Predictor::predict_columns
//! gRPC ─▶ message (protobuf, borrowed)┘ outputs (the requested tensors)                                        │
//!                                                   answer (JSON, then binary data) or message_answer ◀────────┘
//! ```
//! JSON is parsed leniently, as the protocol allows: unknown fields are ignored. Every tensor is checked before its elements are
//! read, so the memory of a request is bounded by its body.

pub(crate) mod answer;
pub(crate) mod binary;
pub(crate) mod contents;
pub(crate) mod datatype;
pub(crate) mod fields;
pub(crate) mod index;
pub(crate) mod infer;
pub(crate) mod input_tensor;
pub(crate) mod inputs;
pub(crate) mod message;
pub(crate) mod message_answer;
pub(crate) mod metadata;
pub(crate) mod outputs;
pub(crate) mod parameters;
pub(crate) mod readiness;
pub(crate) mod repository;
pub(crate) mod request;
pub(crate) mod schemas;
pub(crate) mod statistics;
pub(crate) mod target;
pub(crate) mod tensor_body;
pub(crate) mod tensor_data;
pub(crate) mod values;

use trainyard_http::{Code, Problem};

/// The problem for a request that does not fit the protocol or the model: 400 under `/v2`.
pub(crate) fn refusal(message: impl Into<String>) -> Problem {
    Problem::new(Code::ValidationFailed, message)
}
