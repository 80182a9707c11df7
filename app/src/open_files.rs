//! The limit on open files, which bounds the number of connections.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// File descriptors besides client connections: database, queue, object store, artifacts, pipes of training processes.
const RESERVED: u64 = 256;

/// Raises the soft limit to the hard limit. The soft limit is low (often 1,024) for programs that use `select`;
/// Trainyard does not.
pub fn raise_limit() {
    let limit = getrlimit(Resource::Nofile);
    match setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }) {
        Ok(()) => tracing::info!(
            limit = shown(limit.maximum),
            before = shown(limit.current),
            "raised the limit on open files"
        ),
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, limit = shown(limit.current), "the limit on open files could not be raised");
        }
    }
}

/// Warns if the limit is too low for `max_connections`.
pub fn warn_if_fewer_than(max_connections: usize) {
    let needed = (max_connections as u64).saturating_add(RESERVED);
    if let Some(limit) = getrlimit(Resource::Nofile).current.filter(|limit| *limit < needed) {
        tracing::warn!(
            limit,
            max_connections,
            "the limit on open files is too low for server.max_connections; raise the limit (ulimit -Hn, LimitNOFILE) or lower the setting"
        );
    }
}

fn shown(limit: Option<u64>) -> String {
    limit.map_or_else(|| "unlimited".to_owned(), |limit| limit.to_string())
}
