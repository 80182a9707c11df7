//! `trainyard healthcheck`, for container images without an HTTP client.

use std::process::ExitCode;
use std::time::Duration;

/// Returns status 0 if the role at `url` is ready, else 1.
pub async fn run(url: &str) -> ExitCode {
    let request = async {
        trainyard_tls::install_provider();
        let client = reqwest::Client::builder().timeout(Duration::from_secs(6)).no_proxy().build()?;
        client.get(format!("{}/health/ready", url.trim_end_matches('/'))).send().await?.error_for_status()
    };
    match request.await {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{url} is not ready: {error}");
            ExitCode::FAILURE
        }
    }
}
