//! The responses that follow from a route's access, body and parameters, and from the middleware.

use trainyard_domain::Access;
use utoipa::openapi::path::{Operation, ParameterIn};
use utoipa::openapi::{Content, Header, HeaderBuilder, ObjectBuilder, Ref, RefOr, Response, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::{Code, ErrorFormat, ProblemBody, V2Error};

/// The properties of a route that its handler's documentation does not contain.
#[derive(Debug, Clone, Copy)]
pub(super) struct RouteFacts<'a> {
    pub(super) path: &'a str,
    pub(super) access: Access,
    /// Whether unknown query parameters are refused.
    pub(super) strict_query: bool,
    /// Whether callers with an API key are refused.
    pub(super) refuses_api_keys: bool,
}

/// Adds the responses that `operation` lacks, and the headers of all responses.
pub(super) fn complete(operation: &mut Operation, facts: RouteFacts<'_>) {
    let format = ErrorFormat::of(facts.path);
    for code in common(operation, facts) {
        let status = format.status(code).as_str().to_owned();
        operation.responses.responses.entry(status).or_insert_with(|| RefOr::T(Response::new(code.title())));
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            describe(status, response, format);
        }
    }
}

fn common(operation: &Operation, facts: RouteFacts<'_>) -> Vec<Code> {
    // For every route: an invalid head, another method, a failure of the server, a timeout.
    let mut codes = vec![Code::BadRequest, Code::MethodNotAllowed, Code::Internal, Code::Unavailable];
    if facts.access != Access::Anon {
        codes.push(Code::Unauthenticated);
    }
    if facts.refuses_api_keys || !matches!(facts.access, Access::Anon | Access::User) {
        codes.push(Code::Forbidden);
    }
    if facts.path.contains('{') {
        codes.push(Code::NotFound);
    }
    if operation.request_body.is_some() {
        codes.extend([Code::RequestTimeout, Code::PayloadTooLarge, Code::UnsupportedMediaType]);
    }
    let parameters = operation.parameters.iter().flatten();
    let checked = parameters
        .filter(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in != ParameterIn::Path));
    if operation.request_body.is_some() || facts.strict_query || checked.count() > 0 {
        codes.push(Code::ValidationFailed);
    }
    // A handler with a rate limit documents 429 itself.
    codes
}

/// Adds the request id to every response, and the error object to every error response without a body.
fn describe(status: &str, response: &mut Response, format: ErrorFormat) {
    let mut add = |name: &str, kind: Type, description: &str| {
        response.headers.entry(name.to_owned()).or_insert_with(|| RefOr::T(header(kind, description)));
    };
    add("x-request-id", Type::String, "Identifies this request in the logs of the server.");
    match status {
        "401" => add("WWW-Authenticate", Type::String, "`Bearer`, with an error code if the token was refused."),
        "405" => add("Allow", Type::String, "The methods that the path supports."),
        "429" => add("Retry-After", Type::Integer, "Seconds to wait before the next attempt."),
        "503" if response.content.is_empty() => {
            add("Retry-After", Type::Integer, "Seconds to wait before the next attempt.");
        }
        _ => {}
    }
    if status.starts_with(['4', '5']) && response.content.is_empty() {
        let error = Ref::from_schema_name(match format {
            ErrorFormat::Problem => ProblemBody::name(),
            ErrorFormat::OpenInference => V2Error::name(),
        });
        response.content.insert(format.media_type().to_owned(), Content::new(Some(error)).into());
    }
}

fn header(kind: Type, description: &str) -> Header {
    let schema: Schema = match kind {
        Type::Integer => ObjectBuilder::new().schema_type(kind).minimum(Some(0)).build().into(),
        kind => ObjectBuilder::new().schema_type(kind).build().into(),
    };
    HeaderBuilder::new().schema(Some(RefOr::T(schema))).description(Some(description)).build()
}

/// The schemas of the error objects of these paths.
pub(super) fn error_schemas<'p>(mut paths: impl Iterator<Item = &'p str>) -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![(ProblemBody::name().into_owned(), ProblemBody::schema())];
    ProblemBody::schemas(&mut schemas);
    if paths.any(|path| ErrorFormat::of(path) == ErrorFormat::OpenInference) {
        schemas.push((V2Error::name().into_owned(), V2Error::schema()));
    }
    schemas
}
