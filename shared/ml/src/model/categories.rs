//! The known categories of a feature: names by code and codes by name.

use std::collections::HashMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// Category names in code order, without repeats, with an index for look-ups. Serialised as the plain list of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Categories {
    names: Vec<String>,
    codes: HashMap<String, u32>,
}

/// A category was listed twice.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("category '{0}' is listed twice")]
pub struct RepeatedCategory(pub String);

impl Categories {
    /// Names in code order: the position is the code.
    ///
    /// # Errors
    /// When a name repeats.
    pub fn new(names: Vec<String>) -> Result<Self, RepeatedCategory> {
        let mut codes = HashMap::with_capacity(names.len());
        for (code, name) in (0_u32..).zip(&names) {
            if codes.insert(name.clone(), code).is_some() {
                return Err(RepeatedCategory(name.clone()));
            }
        }
        Ok(Self { names, codes })
    }

    /// The code of `name`, if it is known.
    pub fn code(&self, name: &str) -> Option<u32> {
        self.codes.get(name).copied()
    }
}

impl Deref for Categories {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.names
    }
}

impl TryFrom<Vec<String>> for Categories {
    type Error = RepeatedCategory;

    fn try_from(names: Vec<String>) -> Result<Self, RepeatedCategory> {
        Self::new(names)
    }
}

impl From<Categories> for Vec<String> {
    fn from(categories: Categories) -> Self {
        categories.names
    }
}
