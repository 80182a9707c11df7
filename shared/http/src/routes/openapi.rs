//! The OpenAPI 3.1 document, built from the route table. Responses that all routes share are added here.

mod responses;

use http::Method;
use trainyard_domain::Access;
use utoipa::openapi::path::{HttpMethod, Operation, Paths};
use utoipa::openapi::schema::{Object, OneOf, SchemaType};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, RefOr, Schema, Type};

use super::entry::Entry;
use responses::RouteFacts;

const BEARER: &str = "bearer";

pub(super) fn document<S>(entries: &[Entry<S>]) -> OpenApi {
    let mut components = Components::new();
    let mut paths = Paths::new();
    components.schemas.extend(responses::error_schemas(entries.iter().map(|entry| entry.path.as_str())));
    for entry in entries {
        components.schemas.extend(entry.schemas.iter().cloned());
        for (method, operation) in &entry.operations {
            if let Some(operation) = operation {
                let strict_query = entry.refuses_queries();
                let (access, refuses_api_keys) = (entry.access, entry.refuses_api_keys);
                let facts = RouteFacts { path: &entry.path, access, strict_query, refuses_api_keys };
                let operation = complete(operation.clone(), facts);
                paths.add_path_operation(&entry.path, vec![method_of(method)], operation);
            }
        }
    }
    let scheme = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The `access_token` of `POST /login`, or the `key` of `POST /api-keys`."))
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

/// Adds the security and the common responses of an operation, and corrects the types of its parameters.
fn complete(mut operation: Operation, facts: RouteFacts<'_>) -> Operation {
    operation.security = Some(match facts.access {
        Access::Anon => Vec::new(),
        _ => vec![SecurityRequirement::new(BEARER, Vec::<String>::new())],
    });
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            parameter.schema = parameter.schema.take().map(without_null);
        }
    }
    responses::complete(&mut operation, facts);
    operation
}

/// Removes null from the schema of an optional parameter: URLs and headers have no null.
fn without_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            if let SchemaType::Array(types) = &mut object.schema_type {
                types.retain(|kind| *kind != Type::Null);
                if let [one] = types.as_slice() {
                    object.schema_type = SchemaType::new(one.clone());
                }
            }
            RefOr::T(Schema::Object(object))
        }
        RefOr::T(Schema::OneOf(mut either)) => {
            either.items.retain(|item| !matches!(item, RefOr::T(Schema::Object(object)) if is_null(object)));
            match <[_; 1]>::try_from(either.items) {
                Ok([one]) => one,
                Err(items) => RefOr::T(Schema::OneOf(OneOf { items, ..either })),
            }
        }
        other => other,
    }
}

fn is_null(object: &Object) -> bool {
    matches!(&object.schema_type, SchemaType::Type(Type::Null))
}
