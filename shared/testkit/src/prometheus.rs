//! A private Prometheus.

use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::client::get_blocking;
use crate::folder::temporary_folder;
use crate::process::{ChildGuard, free_port, spawn_guarded};
use crate::wait::wait_until;

/// A running `prometheus` that scrapes every second.
#[derive(Debug)]
pub struct PrometheusServer {
    url: String,
    http: reqwest::Client,
    _process: ChildGuard,
    _folder: TempDir,
}

impl PrometheusServer {
    /// Starts a server that scrapes `targets` (job name and base URL) and evaluates the rules file `rules`.
    pub fn start(targets: &[(String, String)], rules: &str) -> Self {
        let folder = temporary_folder("prometheus");
        let config = folder.path().join("prometheus.yml");
        std::fs::write(&config, configuration(targets)).unwrap();
        std::fs::write(folder.path().join("rules.yml"), rules).unwrap();
        let address = format!("127.0.0.1:{}", free_port());
        let mut command = Command::new("prometheus");
        command.arg(format!("--config.file={}", config.display()));
        command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
        command.arg(format!("--web.listen-address={address}")).arg("--log.level=warn").stdout(Stdio::null());
        let process = spawn_guarded(command, libc::SIGKILL);
        let url = format!("http://{address}");
        let ready = || get_blocking(&format!("{url}/-/ready")).filter(|status| *status == 200);
        wait_until("Prometheus is ready", Duration::from_secs(30), ready);
        trainyard_tls::install_provider();
        Self { url, http: reqwest::Client::new(), _process: process, _folder: folder }
    }

    /// Sends a GET request to the HTTP API and returns the `data`.
    ///
    /// # Errors
    /// The error message of Prometheus.
    pub async fn get(&self, path: &str, parameters: &[(&str, &str)]) -> Result<Value, String> {
        let url = reqwest::Url::parse_with_params(&format!("{}/api/v1/{path}", self.url), parameters).unwrap();
        let mut answer: Value = self.http.get(url).send().await.unwrap().json().await.unwrap();
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].take()),
            _ => Err(answer["error"].as_str().unwrap_or_default().to_owned()),
        }
    }
}

fn configuration(targets: &[(String, String)]) -> String {
    let mut text = "global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}\n\
                    rule_files: [rules.yml]\nscrape_configs:\n"
        .to_owned();
    let mut jobs: Vec<_> = targets.iter().map(|(job, _)| job).collect();
    jobs.dedup();
    for job in jobs {
        let addresses =
            targets.iter().filter(|(name, _)| name == job).map(|(_, url)| url.trim_start_matches("http://"));
        let addresses: Vec<_> = addresses.map(|address| format!("'{address}'")).collect();
        text += &format!("  - {{job_name: {job}, static_configs: [{{targets: [{}]}}]}}\n", addresses.join(", "));
    }
    text
}
