//! The messages of the Open Inference Protocol over gRPC. They are generated from `inference/proto/inference.proto`, and a
//! test compares them with it.

#[rustfmt::skip]
mod messages;

pub use messages::*;

/// The descriptors of the messages and of the service, for server reflection: an encoded `FileDescriptorSet`.
pub const DESCRIPTORS: &[u8] = include_bytes!("proto/descriptors.bin");
