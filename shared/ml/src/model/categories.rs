//! The categories of a feature, with their codes.

use std::collections::HashMap;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// Unique category names in code order, with an index. Serialized as a list of names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<String>", into = "Vec<String>")]
pub struct Categories {
    names: Vec<String>,
    codes: HashMap<String, u32>,
}

/// A duplicate category.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("duplicate category '{0}'")]
pub struct RepeatedCategory(pub String);

impl Categories {
    /// Creates categories; the position of a name is its code.
    ///
    /// # Errors
    /// If a name is a duplicate.
    pub fn new(names: Vec<String>) -> Result<Self, RepeatedCategory> {
        let mut codes = HashMap::with_capacity(names.len());
        for (code, name) in (0_u32..).zip(&names) {
            if codes.insert(name.clone(), code).is_some() {
                return Err(RepeatedCategory(name.clone()));
            }
        }
        Ok(Self { names, codes })
    }

    /// The code of `name`, if the category exists.
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
