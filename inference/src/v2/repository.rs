//! The model repository: load and unload.
//!
//! The aliases of the API decide which versions every process serves, and loading follows them. So `load` makes sure that
//! the version which serves, or a named one, is loaded; `unload` releases the versions that no alias points at. Both act on
//! the process that answers.

use serde::{Deserialize, Deserializer};
use trainyard_domain::shown;
use trainyard_http::{Code, Problem, json};

use super::refusal;
use crate::pin_request::ReleaseReply;
use crate::registry::VersionSelector;
use crate::service::Service;

/// The request of the index.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct IndexRequest {
    #[serde(default)]
    ready: Option<bool>,
}

/// The request of load and of unload.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct LoadRequest {
    #[serde(default)]
    parameters: Option<LoadParameters>,
}

/// The parameters of load and of unload.
#[derive(Debug, Default, Deserialize)]
struct LoadParameters {
    /// A version, as a number or as text.
    #[serde(default, deserialize_with = "version")]
    version: Option<i64>,
    /// A model configuration, which this server does not have.
    #[serde(default)]
    config: Option<serde_json::Value>,
    /// Models that consist of other models do not exist, so every value has the same effect.
    #[serde(default, rename = "unload_dependents")]
    _unload_dependents: Option<bool>,
}

fn version<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Version {
        Number(i64),
        Text(String),
    }
    let number = match Option::<Version>::deserialize(deserializer) {
        Ok(None) => return Ok(None),
        Ok(Some(Version::Number(number))) => Some(number),
        Ok(Some(Version::Text(text))) => text.parse().ok(),
        Err(_) => None,
    };
    let valid = number.filter(|number| *number > 0);
    valid.map(Some).ok_or_else(|| serde::de::Error::custom("must be the number of a version"))
}

/// Parses the optional body of a repository request.
pub(crate) fn parse<T: Default + for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, Problem> {
    match body.trim_ascii() {
        b"" | b"null" => Ok(T::default()),
        body => json::parse_borrowed(body),
    }
}

impl IndexRequest {
    /// Whether only loaded versions are wanted.
    pub(crate) fn ready_only(&self) -> bool {
        self.ready.unwrap_or(false)
    }
}

impl Service {
    /// Makes sure that a version of `model` is loaded: the one in the request, else the one that `production` points at.
    pub(crate) async fn load(&self, model: &str, request: LoadRequest) -> Result<(), Problem> {
        let parameters = request.parameters.unwrap_or_default();
        if parameters.config.is_some() {
            return Err(refusal("the parameter config is not supported: a model has no configuration of its own"));
        }
        let selector = VersionSelector { model: Some(model), version: parameters.version, alias: None };
        self.find(selector).await.map(|_| ())
    }

    /// Releases the versions of `model` that no alias points at, or the one in the request.
    pub(crate) async fn unload(&self, model: &str, request: LoadRequest) -> Result<(), Problem> {
        let version = request.parameters.unwrap_or_default().version;
        let name = shown(model);
        match self.pins.release(model.to_owned(), version).await {
            Some(ReleaseReply::Released(count)) => {
                tracing::info!(model = &*name, version, count, "released versions on request");
                Ok(())
            }
            Some(ReleaseReply::Aliased(aliases)) => {
                let aliases = aliases.join(", ");
                let version = version.unwrap_or_default();
                Err(Problem::conflict(format!(
                    "version {version} of '{name}' is served by the alias {aliases}; move or delete the alias instead"
                )))
            }
            Some(ReleaseReply::NotLoaded) => Err(Problem::not_found(match version {
                Some(version) => format!("version {version} of a model '{name}' is not loaded"),
                None => format!("no model named '{name}' is loaded"),
            })),
            None => {
                Err(Problem::new(Code::Unavailable, "the request was not processed in time; try again").retry_after(1))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_a_number_or_its_text() {
        let read = |text: &str| parse::<LoadRequest>(text.as_bytes()).map(|r| r.parameters.unwrap_or_default().version);
        for (text, version) in [
            ("", None),
            (" ", None),
            ("{}", None),
            ("null", None),
            (r#"{"parameters": {"unload_dependents": false}}"#, None),
            (r#"{"parameters": {"version": 3}}"#, Some(3)),
            (r#"{"parameters": {"version": "3"}}"#, Some(3)),
        ] {
            assert_eq!(read(text).unwrap(), version, "{text}");
        }
        for text in [r#"{"parameters": {"version": 0}}"#, r#"{"parameters": {"version": "x"}}"#, "[]", "{"] {
            assert!(read(text).is_err(), "{text}");
        }
        let problem = read(r#"{"parameters": {"version": true}}"#).unwrap_err();
        assert_eq!(problem.detail(), "parameters.version must be the number of a version");
    }
}
