//! Finds every field of a body that serde refuses. serde itself stops at the first one.
//!
//! The body is read into a [`Node`] tree, and the type is deserialized from the tree again and again. Each refusal is
//! recorded and repaired in the tree, so that the next pass gets beyond the refused field.

use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};
use trainyard_domain::FieldError;

use super::node::{Node, STAND_INS};
use crate::explain::{NameError, TWICE, explain};
use crate::problem::MAX_ERRORS;

/// Most bytes that all passes over one body read: a large body with many errors must not occupy a processor.
const MAX_BYTES_READ: usize = 4 << 20;

/// Every refusal of `bytes`, which are valid JSON. `first` is the refusal that the parser stopped at.
pub(super) fn every_error<T: DeserializeOwned>(bytes: &[u8], first: FieldError) -> Vec<FieldError> {
    // A tree can't hold a number such as 1e999.
    let Ok(mut tree) = serde_json::from_slice::<Node>(bytes) else { return vec![first] };
    let mut errors = Vec::new();
    tree.remove_duplicates("", &mut |path| errors.push(FieldError::new(path, TWICE)));
    let passes = (MAX_BYTES_READ / bytes.len().max(1)).clamp(1, MAX_ERRORS);
    for _ in 0..passes {
        let Err(error) = serde_path_to_error::deserialize::<_, T>(&tree) else { break };
        let message = error.inner().to_string();
        match repair(&mut tree, error.path(), &message) {
            Repair::Done => errors.push(explain(error.path(), &message)),
            Repair::NextStandIn => {}
            Repair::Impossible => break,
        }
    }
    if errors.is_empty() { vec![first] } else { errors }
}

enum Repair {
    /// The refused field was removed, added or replaced.
    Done,
    /// The type refused a stand-in; the next pass offers another one.
    NextStandIn,
    /// The type refuses every stand-in.
    Impossible,
}

fn repair(tree: &mut Node, path: &Path, message: &str) -> Repair {
    let name_error = NameError::parse(message);
    let mut segments: Vec<_> = path.iter().collect();
    // The path of an unknown name ends in the name; the object around it is repaired.
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

/// The node at a path, or the stand-in that the path leads into.
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
