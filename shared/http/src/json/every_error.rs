//! Finds every error of a body, since serde stops at the first one.
//!
//! The type is deserialized repeatedly from a [`Node`] tree. Each pass records one error and repairs the tree, so that the
//! next pass continues behind the error.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use trainyard_domain::FieldError;

use super::node::{Node, STAND_INS};
use crate::problem::MAX_ERRORS;
use crate::serde_message::{NameError, TWICE, field_error};

/// Most bytes that all passes over a body read: a large body with many errors must not use much CPU time.
const MAX_BYTES_READ: usize = 4 << 20;

/// All errors of `bytes`, which are valid JSON. `first` is the error of the parser.
pub(super) fn every_error<T: DeserializeOwned>(bytes: &[u8], first: FieldError) -> Vec<FieldError> {
    // The tree can't represent a number such as 1e999.
    let Ok(mut tree) = serde_json::from_slice::<Node>(bytes) else { return vec![first] };
    let mut errors = Vec::new();
    tree.remove_duplicates("", &mut |path| errors.push(FieldError::new(path, TWICE)));
    let passes = (MAX_BYTES_READ / bytes.len().max(1)).clamp(1, MAX_ERRORS);
    for _ in 0..passes {
        let Err(error) = serde_path_to_error::deserialize::<_, T>(&tree) else { break };
        let message = error.inner().to_string();
        match repair(&mut tree, error.path(), &message) {
            Repair::Done => errors.push(field_error(error.path(), &message)),
            Repair::NextStandIn => {}
            Repair::Impossible => break,
        }
    }
    if errors.is_empty() { vec![first] } else { errors }
}

enum Repair {
    Done,
    /// The type refused a stand-in. The next pass tries another one.
    NextStandIn,
    /// The type refuses every stand-in.
    Impossible,
}

fn repair(tree: &mut Node, path: &Path, message: &str) -> Repair {
    let name_error = NameError::parse(message);
    let mut segments: Vec<_> = path.iter().collect();
    // The path of an unknown field ends in its name. The parent object is repaired.
    let unknown = match (&name_error, segments.last()) {
        (Some(NameError::Unknown { .. }), Some(Segment::Map { key })) => Some(key.as_str()),
        _ => None,
    };
    if unknown.is_some() {
        segments.pop();
    }
    match (find(tree, &segments), name_error, unknown) {
        (Node::StandIn(number), ..) if *number + 1 < STAND_INS => {
            *number += 1;
            return Repair::NextStandIn;
        }
        (Node::StandIn(_), ..) => return Repair::Impossible,
        (Node::Object(members), _, Some(name)) => members.retain(|(member, _)| member != name),
        (Node::Object(members), Some(NameError::Missing(name)), _) => members.push((name.to_owned(), Node::StandIn(0))),
        (node, ..) => *node = Node::StandIn(0),
    }
    Repair::Done
}

/// The node at a path, or the stand-in on the path.
fn find<'t>(tree: &'t mut Node, path: &[&Segment]) -> &'t mut Node {
    let mut node = tree;
    for segment in path {
        match node.position(segment) {
            Some(position) => node = node.child(position),
            None => break,
        }
    }
    node
}
