//! The Redis keys of one queue. All share the hash tag `{prefix}`, so a cluster keeps them in one hash slot and one script
//! may use them together.

use redis::{Script, ScriptInvocation};
use trainyard_domain::job::PriorityClass;

/// One key per class, in the order of [`PriorityClass::ALL`], for each kind of data.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// Streams of job ids that are not claimed yet.
    pub(crate) jobs: [String; 3],
    /// Hashes from the ids in the stream to their users: the enqueued set.
    pub(crate) enqueued: [String; 3],
    /// Hashes from users to the number of their ids in the enqueued set.
    pub(crate) counts: [String; 3],
    /// Hashes from users with refused jobs to the number of their refusals.
    pub(crate) refused: [String; 3],
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        let keys = |kind: &str| PriorityClass::ALL.map(|class| format!("{{{prefix}}}:{kind}:{}", class.as_str()));
        Self { jobs: keys("jobs"), enqueued: keys("sent"), counts: keys("held"), refused: keys("refused") }
    }

    /// The class of the stream with this key.
    pub(crate) fn class_of(&self, stream: &str) -> Option<PriorityClass> {
        PriorityClass::ALL.into_iter().find(|class| self.jobs[*class as usize] == stream)
    }
}

/// An invocation of `script` with these keys.
pub(crate) fn invoke_with<'s, 'k>(
    script: &'s Script,
    keys: impl IntoIterator<Item = &'k String>,
) -> ScriptInvocation<'s> {
    let mut invocation = script.prepare_invoke();
    for key in keys {
        invocation.key(key);
    }
    invocation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_queue_share_a_hash_slot() {
        let keys = Keys::new("queue");
        assert_eq!(keys.jobs, ["{queue}:jobs:high", "{queue}:jobs:normal", "{queue}:jobs:low"]);
        let all = [&keys.enqueued, &keys.counts, &keys.refused].into_iter().flatten();
        assert!(all.clone().all(|key| key.starts_with("{queue}:")));
        assert_eq!(all.collect::<std::collections::HashSet<_>>().len(), 9);
        assert_eq!(keys.class_of("{queue}:jobs:low"), Some(PriorityClass::Low));
    }
}
