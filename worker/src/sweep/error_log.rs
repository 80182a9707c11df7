//! Logs each new error of a duty once, and its recovery once, so that an error in every round does not fill the log.

use std::collections::HashMap;
use std::error::Error;

/// The logged errors by duty.
#[derive(Default)]
pub(super) struct ErrorLog(HashMap<&'static str, String>);

impl ErrorLog {
    /// Logs an error of `duty` if it is new.
    pub(super) fn failed(&mut self, duty: &'static str, error: &(dyn Error + 'static)) {
        if self.is_new(duty, &error.to_string()) {
            tracing::warn!(duty, error, "a duty of the sweep failed; retrying");
        }
    }

    /// Logs the recovery of `duty` if it had failed.
    pub(super) fn succeeded(&mut self, duty: &'static str) {
        if self.0.remove(duty).is_some() {
            tracing::info!(duty, "a duty of the sweep recovered");
        }
    }

    fn is_new(&mut self, duty: &'static str, error: &str) -> bool {
        let before = self.0.insert(duty, error.to_owned());
        before.as_deref() != Some(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_logged_once_until_it_ends() {
        let mut log = ErrorLog::default();
        assert!(log.is_new("dispatch", "away"));
        assert!(!log.is_new("dispatch", "away"));
        assert!(log.is_new("dispatch", "full"));
        log.succeeded("dispatch");
        assert!(log.is_new("dispatch", "full"));
    }
}
