//! How failures of the layers below become answers: the only place that translates them.

use crate::auth::PasswordError;
use crate::problem::{Code, Problem};

impl From<PasswordError> for Problem {
    fn from(error: PasswordError) -> Self {
        match error {
            PasswordError::Busy => Self::new(Code::Unavailable, "too many sign-ins at once; try again shortly"),
            PasswordError::Bcrypt(_) | PasswordError::Died(_) => Self::internal(error),
        }
    }
}

impl From<jsonwebtoken::errors::Error> for Problem {
    fn from(error: jsonwebtoken::errors::Error) -> Self {
        Self::internal(error)
    }
}
