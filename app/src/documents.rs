//! Documents that the binary prints: the OpenAPI document.

use trainyard_http::ops;
use utoipa::openapi::OpenApi;

use crate::config::Config;

/// The OpenAPI document of all roles together, with the limits of these settings.
pub fn contract(config: &Config) -> OpenApi {
    let mut document = trainyard_api::openapi(&config.api, &config.auth.accounts());
    document.merge(trainyard_inference::openapi(&config.inference));
    document.merge(ops::openapi());
    document
}

/// The OpenAPI document with the default settings as JSON.
pub fn openapi() -> String {
    let mut text = contract(&Config::built_in()).to_pretty_json().expect("the document serializes to JSON");
    text.push('\n');
    text
}
