//! Every route of the API, with its access. Only routes in this table can be called.

pub mod algorithms;
pub mod api_keys;
pub mod auth;
pub mod datasets;
pub mod models;
pub mod predictions;
pub mod queue;
pub mod schedules;
pub mod training;
pub mod users;
pub mod webhooks;

use std::time::Duration;

use trainyard_domain::access::ReadSection;
use trainyard_http::{Route, Routes};
use utoipa_axum::routes;

use crate::accounts::AccountsConfig;
use crate::config::ApiConfig;
use crate::dataset_upload::body;
use crate::state::ApiState;
use auth::{login, password};
use datasets::{preview, upload};
use models::{aliases, artifact, card, delete, history, read, traffic};
use predictions::{predict, result};
use schedules::{change, trigger};
use training::{actions, control, events, list, retry_all, submit, watch};
use users::invite;

/// How far the limits of the route exceed the upload limits. The upload limits apply first and give better messages.
const SLACK_BYTES: u64 = 1 << 20;
const SLACK_S: u64 = 30;
/// Room for a thousand jobs with long lists of features.
const BULK_BYTES: usize = 16 << 20;
/// The longest `wait_s`, plus time for the response.
const LONG_POLL: Duration = Duration::from_secs(60 + 15);

/// The route table. Reading one of five sections needs the role `admin`, unless `auth.users_may_read` lists the section.
pub(crate) fn table(config: &ApiConfig, accounts: &AccountsConfig) -> Routes<ApiState> {
    let reads = |section: ReadSection| section.access(&accounts.users_may_read);
    let (read_training, read_datasets, read_schedules) =
        (reads(ReadSection::Training), reads(ReadSection::Datasets), reads(ReadSection::Schedules));
    let (read_webhooks, read_queue) = (reads(ReadSection::Webhooks), reads(ReadSection::Queue));
    Routes::new()
        // Accounts
        .anon(routes!(auth::signup))
        .anon(routes!(login::login))
        .anon(routes!(auth::refresh))
        .anon(routes!(auth::logout))
        .user(routes!(auth::me))
        .user(Route::new(routes!(password::put)).without_api_keys())
        .user(Route::new(routes!(api_keys::create)).without_api_keys())
        .user(routes!(api_keys::list))
        .user(Route::new(routes!(api_keys::delete)).without_api_keys())
        .admin(routes!(users::list))
        .admin(Route::new(routes!(invite::invite)).without_api_keys())
        .admin(Route::new(routes!(users::patch)).without_api_keys())
        .admin(Route::new(routes!(users::delete)).without_api_keys())
        .admin(Route::new(routes!(invite::reset_password)).without_api_keys())
        .admin(routes!(users::audit))
        // Datasets
        .route(read_datasets, routes!(datasets::list))
        .admin(upload_route(config))
        .route(read_datasets, routes!(datasets::get))
        .admin(routes!(datasets::delete))
        .route(read_datasets, routes!(preview::get))
        // Training
        .user(routes!(algorithms::list))
        .route(read_training, routes!(list::list))
        .route(read_training, routes!(list::count))
        .admin(routes!(submit::submit))
        .admin(Route::new(routes!(submit::bulk)).body_limit(BULK_BYTES))
        .owner(Route::new(routes!(watch::get)).timeout(LONG_POLL))
        .owner(routes!(events::get))
        .admin(routes!(control::cancel))
        .admin(routes!(control::retry))
        .admin(routes!(retry_all::retry_all))
        .admin(routes!(actions::start))
        .route(read_training, routes!(actions::get))
        .admin(routes!(predict::submit))
        .owner(routes!(result::get))
        .route(read_queue, routes!(queue::get))
        .route(read_queue, routes!(queue::history))
        .admin(routes!(queue::pause))
        .admin(routes!(queue::resume))
        // Webhooks
        .route(read_webhooks, routes!(webhooks::list))
        .route(read_webhooks, routes!(webhooks::get))
        .admin(routes!(webhooks::replay))
        // Schedules
        .admin(routes!(schedules::create))
        .route(read_schedules, routes!(schedules::list))
        .route(read_schedules, routes!(schedules::get))
        .route(read_schedules, routes!(schedules::runs))
        .admin(routes!(change::patch))
        .admin(routes!(schedules::delete))
        .admin(routes!(trigger::trigger))
        // Models
        .user(routes!(read::list))
        .user(routes!(read::get))
        .user(routes!(read::version))
        .admin(routes!(artifact::get))
        .user(routes!(card::get))
        .admin(routes!(aliases::put))
        .admin(routes!(aliases::delete))
        .user(routes!(history::list))
        .admin(routes!(history::roll_back))
        .user(routes!(traffic::get))
        .admin(routes!(traffic::put))
        .admin(routes!(traffic::delete))
        .admin(routes!(delete::model))
        .admin(routes!(delete::version))
}

/// An upload may be larger and take longer than other requests. `dataset_upload` enforces the exact limits.
fn upload_route(config: &ApiConfig) -> Route<ApiState> {
    let bytes = usize::try_from(config.max_dataset_bytes.saturating_add(SLACK_BYTES)).unwrap_or(usize::MAX);
    Route::new(routes!(upload::upload))
        .body_limit(bytes)
        .encodings(body::ENCODINGS)
        .timeout(config.upload_timeout() + Duration::from_secs(SLACK_S))
}
