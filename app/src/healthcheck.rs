//! `trainyard healthcheck`: for containers that have no HTTP client.

use std::process::ExitCode;
use std::time::Duration;

/// 0 when `url` says that it is ready, 1 otherwise.
pub async fn run(url: &str) -> ExitCode {
    let ask = async {
        let client = reqwest::Client::builder().timeout(Duration::from_secs(6)).no_proxy().build()?;
        client.get(format!("{}/health/ready", url.trim_end_matches('/'))).send().await?.error_for_status()
    };
    match ask.await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{url} is not ready: {error}");
            ExitCode::FAILURE
        }
    }
}
