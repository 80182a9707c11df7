//! The OpenAPI 3.1 document, made from the table's entries: what every route answers alike is added here.

use http::Method;
use trainyard_domain::Access;
use utoipa::openapi::path::{HttpMethod, Operation, Paths};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Content, HeaderBuilder, Info, ObjectBuilder, OpenApi, Ref, RefOr, Response, Type};
use utoipa::{PartialSchema, ToSchema};

use super::entry::Entry;
use crate::problem::{Code, PROBLEM_JSON, ProblemBody};

const BEARER: &str = "bearer";

pub(super) fn document<S>(entries: &[Entry<S>]) -> OpenApi {
    let mut components = Components::new();
    let mut paths = Paths::new();
    let mut schemas = vec![(ProblemBody::name().into_owned(), ProblemBody::schema())];
    ProblemBody::schemas(&mut schemas);
    components.schemas.extend(schemas);
    for entry in entries {
        components.schemas.extend(entry.schemas.iter().cloned());
        for (method, operation) in &entry.operations {
            if let Some(operation) = operation {
                let operation = complete(operation.clone(), entry.access);
                paths.add_path_operation(&entry.path, vec![method_of(method)], operation);
            }
        }
    }
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The `access_token` of `POST /login`."))
        .build();
    components.security_schemes.insert(BEARER.to_owned(), SecurityScheme::Http(scheme).into());
    let mut document = OpenApi::new(Info::new("Trainyard", env!("CARGO_PKG_VERSION")), paths);
    document.components = Some(components);
    document
}

fn method_of(method: &Method) -> HttpMethod {
    match *method {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        _ => HttpMethod::Get,
    }
}

/// Adds the security and the answers that a route with `access` has without saying so.
fn complete(mut operation: Operation, access: Access) -> Operation {
    operation.security = Some(match access {
        Access::Anon => Vec::new(),
        Access::User | Access::Admin => vec![SecurityRequirement::new(BEARER, Vec::<String>::new())],
    });
    for code in common(&operation, access) {
        let status = code.status().as_str().to_owned();
        operation.responses.responses.entry(status).or_insert_with(|| RefOr::T(Response::new(code.title())));
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response {
            describe(status, response);
        }
    }
    operation
}

fn common(operation: &Operation, access: Access) -> Vec<Code> {
    let mut codes = vec![Code::RateLimited, Code::Internal, Code::Unavailable];
    if access != Access::Anon {
        codes.push(Code::Unauthenticated);
    }
    if access == Access::Admin {
        codes.push(Code::Forbidden);
    }
    if operation.request_body.is_some() {
        codes.extend([Code::MalformedJson, Code::PayloadTooLarge, Code::UnsupportedMediaType]);
    }
    if operation.request_body.is_some() || operation.parameters.is_some() {
        codes.push(Code::ValidationFailed);
    }
    codes
}

/// Every answer carries the request's id; every refusal without a body of its own is a problem document.
fn describe(status: &str, response: &mut Response) {
    let text = RefOr::T(ObjectBuilder::new().schema_type(Type::String).build().into());
    let header =
        HeaderBuilder::new().schema(Some(text)).description(Some("Names this request in the server's logs.")).build();
    response.headers.insert("x-request-id".to_owned(), header.into());
    if status.starts_with(['4', '5']) && response.content.is_empty() {
        let problem = Ref::from_schema_name(ProblemBody::name());
        response.content.insert(PROBLEM_JSON.to_owned(), Content::new(Some(problem)).into());
    }
}
