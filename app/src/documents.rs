//! What the binary can print about itself.

use trainyard_http::ops;
use utoipa::openapi::OpenApi;

/// The OpenAPI document of all roles together.
pub fn contract() -> OpenApi {
    let mut document = trainyard_api::openapi();
    document.merge(trainyard_inference::openapi());
    document.merge(ops::openapi());
    document
}

/// The same as JSON text.
pub fn openapi() -> String {
    let mut text = contract().to_pretty_json().expect("the document is plain data");
    text.push('\n');
    text
}
