//! Keeps an error that comes back every second from filling the log: each duty tells a new error once, and its end once.

use std::collections::HashMap;
use std::error::Error;

/// The errors told so far, by duty.
#[derive(Default)]
pub(super) struct Log(HashMap<&'static str, String>);

impl Log {
    /// `duty` failed.
    pub(super) fn failed(&mut self, duty: &'static str, error: &(dyn Error + 'static)) {
        if self.is_news(duty, &error.to_string()) {
            tracing::warn!(duty, error, "the sweep failed at a duty; trying on");
        }
    }

    /// `duty` worked.
    pub(super) fn worked(&mut self, duty: &'static str) {
        if self.0.remove(duty).is_some() {
            tracing::info!(duty, "the sweep works again");
        }
    }

    fn is_news(&mut self, duty: &'static str, error: &str) -> bool {
        let before = self.0.insert(duty, error.to_owned());
        before.as_deref() != Some(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_error_is_told_once_until_it_ends() {
        let mut log = Log::default();
        assert!(log.is_news("dispatch", "away"));
        assert!(!log.is_news("dispatch", "away"));
        assert!(log.is_news("dispatch", "full"));
        log.worked("dispatch");
        assert!(log.is_news("dispatch", "full"));
    }
}
