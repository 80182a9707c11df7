//! Documents that the binary prints: the OpenAPI document.

use trainyard_http::ops;
use utoipa::openapi::OpenApi;

/// The OpenAPI document of all roles together.
pub fn contract() -> OpenApi {
    let mut document = trainyard_api::openapi();
    document.merge(trainyard_inference::openapi());
    document.merge(ops::openapi());
    document
}

/// The OpenAPI document as JSON.
pub fn openapi() -> String {
    let mut text = contract().to_pretty_json().expect("the document serializes to JSON");
    text.push('\n');
    text
}
