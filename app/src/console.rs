//! The console in a browser, which the API serves.

use trainyard_api::Signup;
use trainyard_http::Routes;
use trainyard_web::Settings;

use crate::config::Config;

/// The routes of the console that this binary contains.
pub fn console(config: &Config) -> Routes {
    let settings = Settings {
        signup_open: config.auth.signup == Signup::Open,
        max_dataset_bytes: config.api.max_dataset_bytes,
        version: env!("CARGO_PKG_VERSION"),
    };
    trainyard_web::routes(trainyard_web::FILES, settings)
}
