//! The model repository: load and unload.
//!
//! The aliases and the traffic of a model decide which versions every process serves, and loading follows them. So `load` makes
//! sure that the version which serves, or a named one, is loaded; `unload` releases the versions that neither an alias nor the
//! traffic nor the settings need. Both act on the process that answers.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use trainyard_domain::shown;
use trainyard_http::json::UniqueMap;
use trainyard_http::{Code, Problem, json};

use super::refusal;
use crate::pin_request::ReleaseReply;
use crate::proto::ModelRepositoryParameter;
use crate::proto::model_repository_parameter::ParameterChoice;
use crate::registry::VersionSelector;
use crate::service::Service;

/// The request of the index.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct IndexRequest {
    ready: Option<bool>,
}

/// The request of load and of unload.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct LoadRequest {
    /// A map, because serde would also read the fields of a struct from a list.
    parameters: Option<UniqueMap>,
}

impl LoadRequest {
    fn parameter(&self, name: &str) -> Option<&Value> {
        self.parameters.as_ref()?.0.get(name).filter(|value| !value.is_null())
    }

    /// The version in the parameters, as a number or as text.
    fn version(&self) -> Result<Option<i64>, Problem> {
        let number = match self.parameter("version") {
            None => return Ok(None),
            Some(Value::String(text)) => text.parse().ok(),
            Some(value) => value.as_i64(),
        };
        let number = number.filter(|number| *number > 0);
        number.map(Some).ok_or_else(|| Problem::field("parameters.version", "must be the number of a version"))
    }

    /// Checks the parameters that this server knows besides the version.
    fn check(&self) -> Result<(), Problem> {
        if self.parameter("config").is_some() {
            return Err(refusal("the parameter config is not supported: a model has no configuration of its own"));
        }
        // Models that consist of other models do not exist, so both values have the same effect.
        match self.parameter("unload_dependents") {
            None | Some(Value::Bool(_)) => Ok(()),
            Some(_) => Err(Problem::field("parameters.unload_dependents", "must be true or false")),
        }
    }
}

/// The parameters of a gRPC request.
impl From<BTreeMap<String, ModelRepositoryParameter>> for LoadRequest {
    fn from(parameters: BTreeMap<String, ModelRepositoryParameter>) -> Self {
        let value = |parameter: ModelRepositoryParameter| match parameter.parameter_choice {
            None => Value::Null,
            Some(ParameterChoice::BoolParam(value)) => value.into(),
            Some(ParameterChoice::Int64Param(value)) => value.into(),
            Some(ParameterChoice::StringParam(text)) => text.into(),
            Some(ParameterChoice::BytesParam(bytes)) => bytes.into(),
        };
        let parameters = parameters.into_iter().map(|(name, parameter)| (name, value(parameter)));
        Self { parameters: Some(UniqueMap(parameters.collect())) }
    }
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
    /// Makes sure that a version of `model` is loaded: the one in the request, else the one that serves.
    pub(crate) async fn load(&self, model: &str, request: LoadRequest) -> Result<(), Problem> {
        request.check()?;
        let version = request.version()?;
        let selector = VersionSelector { model: Some(model), version, ..VersionSelector::default() };
        self.find(selector).await.map(|_| ())
    }

    /// Releases the versions of `model` that neither an alias nor the traffic nor the settings need, or the one in the request.
    pub(crate) async fn unload(&self, model: &str, request: LoadRequest) -> Result<(), Problem> {
        request.check()?;
        let version = request.version()?;
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
            Some(ReleaseReply::InTraffic) => {
                let version = version.unwrap_or_default();
                Err(Problem::conflict(format!(
                    "version {version} of '{name}' is in the traffic of the model; change the traffic instead"
                )))
            }
            Some(ReleaseReply::Required) => {
                let version = version.unwrap_or_default();
                Err(Problem::conflict(format!(
                    "version {version} of '{name}' is required by inference.required_models; remove it from the settings instead"
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
        let read = |text: &str| {
            let request = parse::<LoadRequest>(text.as_bytes())?;
            request.check()?;
            request.version()
        };
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
        for text in [
            r#"{"parameters": {"version": 0}}"#,
            r#"{"parameters": {"version": "x"}}"#,
            r#"{"parameters": {"unload_dependents": 1}}"#,
            r#"{"parameters": [null, null]}"#,
            "[]",
            "{",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        let problem = read(r#"{"parameters": {"version": true}}"#).unwrap_err();
        assert_eq!(problem.detail(), "parameters.version must be the number of a version");
    }
}
