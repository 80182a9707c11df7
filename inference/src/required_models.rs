//! The models that must be loaded before the process is ready (`inference.required_models`).

use std::fmt;

use tokio::time::Instant;
use trainyard_domain::ModelName;
use trainyard_domain::model::parse_alias;

use crate::load_plan::LoadPlan;
use crate::model_record::Key;
use crate::registry::{LookupError, Snapshot, VersionSelector};

/// A required model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequiredModel {
    model: String,
    version: RequiredVersion,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum RequiredVersion {
    /// The version that answers requests without a version and without an alias.
    Serving,
    Alias(String),
    Number(i64),
}

impl RequiredModel {
    /// Parses `name`, `name@alias` or `name@version`. The error continues a sentence about the entry.
    pub(crate) fn parse(entry: &str) -> Result<Self, String> {
        let (model, version) = match entry.split_once('@') {
            Some((model, version)) => (model, Some(version)),
            None => (entry, None),
        };
        let model = ModelName::parse(model)
            .map_err(|why| format!("is not name, name@alias or name@version: the name {why}"))?;
        let version = match version {
            None => RequiredVersion::Serving,
            Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
                let number = text.parse().ok().filter(|number| *number > 0);
                RequiredVersion::Number(number.ok_or("names no version: versions are numbers from 1")?)
            }
            Some(alias) => {
                RequiredVersion::Alias(parse_alias(alias).map_err(|why| format!("names no alias: it {why}"))?)
            }
        };
        Ok(Self { model: model.as_str().to_owned(), version })
    }

    /// The version that must stay loaded even if neither an alias nor the traffic needs it.
    pub(crate) fn key(&self) -> Option<Key> {
        match self.version {
            RequiredVersion::Number(number) => Some((self.model.clone(), number)),
            RequiredVersion::Serving | RequiredVersion::Alias(_) => None,
        }
    }

    /// Why the model can't answer requests; `None` if it can.
    pub(crate) fn missing(&self, plan: &LoadPlan, snapshot: &Snapshot, now: Instant) -> Option<&'static str> {
        let selector = match &self.version {
            RequiredVersion::Serving => VersionSelector::default(),
            RequiredVersion::Alias(alias) => VersionSelector { alias: Some(alias), ..VersionSelector::default() },
            RequiredVersion::Number(number) => VersionSelector { version: Some(*number), ..VersionSelector::default() },
        };
        let selector = VersionSelector { model: Some(&self.model), ..selector };
        Some(match snapshot.find(selector, None, || 0).err()? {
            LookupError::Alias(..) => "no such alias",
            LookupError::Loading(..) if plan.has_failed(&self.model, now) => FAILED,
            LookupError::NotLoaded(model, number) => match plan.retry_in(&(model, number), now) {
                Some(_) => FAILED,
                None if plan.contains(&(self.model.clone(), number)) => LOADING,
                None => UNPUBLISHED,
            },
            LookupError::Model(_) => UNPUBLISHED,
            _ => LOADING,
        })
    }
}

const UNPUBLISHED: &str = "not published";
const LOADING: &str = "not loaded yet";
const FAILED: &str = "can't be loaded; the log names the reason";

impl fmt::Display for RequiredModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.version {
            RequiredVersion::Serving => f.write_str(&self.model),
            RequiredVersion::Alias(alias) => write!(f, "{}@{alias}", self.model),
            RequiredVersion::Number(number) => write!(f, "{}@{number}", self.model),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_names_a_model_and_possibly_an_alias_or_a_version() {
        for entry in ["titanic-rf", "titanic-rf@champion", "titanic-rf@3", "0@v1"] {
            assert_eq!(RequiredModel::parse(entry).unwrap().to_string(), entry);
        }
        assert_eq!(RequiredModel::parse("m@3").unwrap().key(), Some(("m".into(), 3)));
        assert_eq!(RequiredModel::parse("m@champion").unwrap().key(), None);
        for entry in ["", "Titanic", "m@", "m@0", "m@A", "m@champion@3", "@3", "m@99999999999999999999"] {
            assert!(RequiredModel::parse(entry).is_err(), "{entry}");
        }
    }
}
