//! The Redis keys of one queue. All share the hash tag `{prefix}`, so that a cluster keeps them in one slot and a script may
//! touch them together.

use redis::{Script, ScriptInvocation};
use trainyard_domain::job::PriorityClass;

/// One key a class, in the order of [`PriorityClass::ALL`], for each kind of thing that is kept.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    /// Streams of job ids, from sent to claimed.
    pub(crate) jobs: [String; 3],
    /// Hashes: the ids in the stream, each with its user.
    pub(crate) sent: [String; 3],
    /// Hashes: how many of these each user has.
    pub(crate) held: [String; 3],
    /// Hashes: users that had jobs refused, each with a number that moves with every refusal.
    pub(crate) refused: [String; 3],
}

impl Keys {
    pub(crate) fn new(prefix: &str) -> Self {
        let keys = |kind: &str| PriorityClass::ALL.map(|class| format!("{{{prefix}}}:{kind}:{}", class.as_str()));
        Self { jobs: keys("jobs"), sent: keys("sent"), held: keys("held"), refused: keys("refused") }
    }

    /// The class whose stream has this key.
    pub(crate) fn class_of(&self, stream: &str) -> Option<PriorityClass> {
        PriorityClass::ALL.into_iter().find(|class| self.jobs[*class as usize] == stream)
    }
}

/// A call of `script` with these keys.
pub(crate) fn over<'s, 'k>(script: &'s Script, keys: impl IntoIterator<Item = &'k String>) -> ScriptInvocation<'s> {
    let mut call = script.prepare_invoke();
    for key in keys {
        call.key(key);
    }
    call
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_queue_share_a_cluster_slot() {
        let keys = Keys::new("yard");
        assert_eq!(keys.jobs, ["{yard}:jobs:high", "{yard}:jobs:normal", "{yard}:jobs:low"]);
        let all = [&keys.sent, &keys.held, &keys.refused].into_iter().flatten();
        assert!(all.clone().all(|key| key.starts_with("{yard}:")));
        assert_eq!(all.collect::<std::collections::HashSet<_>>().len(), 9);
        assert_eq!(keys.class_of("{yard}:jobs:low"), Some(PriorityClass::Low));
    }
}
