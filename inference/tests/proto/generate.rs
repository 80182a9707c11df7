//! Generates the Rust messages and the descriptors from `proto/inference.proto`, without `protoc`.

use std::collections::BTreeMap;
use std::path::Path;

use prost::Message;
use prost_build::{Config, Module};

/// The header of the generated Rust file.
const HEADER: &str =
    "//! The messages of the Open Inference Protocol over gRPC, @generated from `inference/proto/inference.proto`.\n\n";

/// The generated files by their names in `src/proto/`.
pub(crate) fn generate(crate_folder: &Path) -> BTreeMap<&'static str, Vec<u8>> {
    let folder = crate_folder.join("proto");
    let mut compiler = protox::Compiler::new([&folder]).unwrap();
    compiler.include_source_info(true).open_file("inference.proto").unwrap();
    let mut descriptors = compiler.file_descriptor_set();
    let mut config = Config::new();
    // Maps have an order, so that an answer or a message about several parameters is always the same.
    config.btree_map(["."]);
    let files = descriptors.file.iter().map(|file| (Module::from_protobuf_package_name("inference"), file.clone()));
    let generated = config.generate(files.collect()).unwrap();
    let code: String = generated.into_values().collect();
    for file in &mut descriptors.file {
        file.source_code_info = None;
    }
    BTreeMap::from([
        ("messages.rs", format!("{HEADER}{code}").into_bytes()),
        ("descriptors.bin", descriptors.encode_to_vec()),
    ])
}
