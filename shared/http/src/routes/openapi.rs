//! The OpenAPI 3.1 document, made from the table's entries: what every route answers alike is added here.

mod answers;

use http::Method;
use trainyard_domain::Access;
use utoipa::openapi::path::{HttpMethod, Operation, Paths};
use utoipa::openapi::schema::{Object, OneOf, SchemaType};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Components, Info, OpenApi, RefOr, Schema, Type};

use super::entry::Entry;
use answers::Facts;

const BEARER: &str = "bearer";

pub(super) fn document<S>(entries: &[Entry<S>]) -> OpenApi {
    let mut components = Components::new();
    let mut paths = Paths::new();
    components.schemas.extend(answers::problem_schemas());
    for entry in entries {
        components.schemas.extend(entry.schemas.iter().cloned());
        for (method, operation) in &entry.operations {
            if let Some(operation) = operation {
                let strict_query = entry.refuses_queries();
                let facts = Facts { path: &entry.path, access: entry.access, strict_query };
                let operation = complete(operation.clone(), facts);
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

/// Adds the security, the answers and the parameters' types that an operation has without saying so.
fn complete(mut operation: Operation, facts: Facts<'_>) -> Operation {
    operation.security = Some(match facts.access {
        Access::Anon => Vec::new(),
        _ => vec![SecurityRequirement::new(BEARER, Vec::<String>::new())],
    });
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            parameter.schema = parameter.schema.take().map(without_null);
        }
    }
    answers::complete(&mut operation, facts);
    operation
}

/// A parameter that is optional is left out; there is no null in a URL or a header.
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
