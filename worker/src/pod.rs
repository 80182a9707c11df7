//! Raises the deletion cost of the worker's own pod while jobs run, so that Kubernetes scales in idle workers first. Best
//! effort; does nothing outside Kubernetes.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use reqwest::Certificate;
use reqwest::header::CONTENT_TYPE;
use reqwest::redirect::Policy;
use serde_json::json;
use tokio::sync::watch;

use crate::config::WorkerConfig;

/// The annotation by which Kubernetes chooses which pods of a replica set to delete.
const ANNOTATION: &str = "controller.kubernetes.io/pod-deletion-cost";
/// The cost of one running job.
const COST_PER_JOB: usize = 100;
/// Time limit of a request to the API server.
const LIMIT: Duration = Duration::from_secs(10);

/// This process's pod.
pub(crate) struct Pod {
    client: reqwest::Client,
    url: String,
    /// Read for each request, because Kubernetes replaces the token every hour.
    token: PathBuf,
    lower_after: Duration,
}

impl Pod {
    /// The pod named in the settings; `None` without a name or outside Kubernetes.
    pub(crate) fn find(config: &WorkerConfig) -> Option<Self> {
        if config.pod_name.is_empty() {
            return None;
        }
        let server =
            Some(config.kubernetes_url.clone()).filter(|url| !url.is_empty()).or_else(server_from_environment)?;
        match Self::at(&server, config) {
            Ok(pod) => Some(pod),
            Err(error) => {
                let error: &(dyn std::error::Error + 'static) = &*error;
                tracing::warn!(error, "this pod's deletion cost can't be set; scaling in may stop a busy worker");
                None
            }
        }
    }

    fn at(server: &str, config: &WorkerConfig) -> Result<Self, Box<dyn std::error::Error>> {
        let account = &config.kubernetes_account_dir;
        let namespace = fs::read_to_string(account.join("namespace"))?;
        let (namespace, pod) = (checked_name(namespace.trim())?, checked_name(&config.pod_name)?);
        trainyard_tls::install_provider();
        let mut client = reqwest::Client::builder().timeout(LIMIT).no_proxy().redirect(Policy::none());
        if server.starts_with("https:") {
            let authority = fs::read(account.join("ca.crt"))?;
            client = client.tls_certs_only(Certificate::from_pem_bundle(&authority)?);
        }
        Ok(Self {
            client: client.build()?,
            url: format!("{}/api/v1/namespaces/{namespace}/pods/{pod}", server.trim_end_matches('/')),
            token: account.join("token"),
            lower_after: Duration::from_secs(config.pod_cost_lower_after_s),
        })
    }

    /// Updates the cost with the number of running jobs. The cost rises at once and falls late, so that many short jobs need
    /// few requests.
    pub(crate) async fn track_cost(self, mut running: watch::Receiver<usize>) {
        // The cost that an earlier process has set is unknown.
        let (mut reported, mut failing) = (None, false);
        while running.wait_for(|now| reported != Some(*now)).await.is_ok() {
            if reported.is_some_and(|reported| *running.borrow() < reported) {
                tokio::time::sleep(self.lower_after).await;
            }
            let now = *running.borrow();
            match self.set_cost(now * COST_PER_JOB).await {
                Ok(()) => (reported, failing) = (Some(now), false),
                Err(error) => {
                    if !failing {
                        let error: &(dyn std::error::Error + 'static) = &*error;
                        tracing::warn!(error, "this pod's deletion cost was not set; retrying");
                    }
                    failing = true;
                    tokio::time::sleep(self.lower_after).await;
                }
            }
        }
    }

    async fn set_cost(&self, cost: usize) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let token = tokio::fs::read_to_string(&self.token).await?;
        let patch = json!({"metadata": {"annotations": {ANNOTATION: cost.to_string()}}});
        let request = self.client.patch(&self.url).bearer_auth(token.trim());
        let answer =
            request.header(CONTENT_TYPE, "application/merge-patch+json").body(patch.to_string()).send().await?;
        answer.error_for_status()?;
        tracing::debug!(cost, "this pod's deletion cost is set");
        Ok(())
    }
}

/// The API server from the environment that Kubernetes gives to pods.
fn server_from_environment() -> Option<String> {
    let host = std::env::var("KUBERNETES_SERVICE_HOST").ok()?;
    let port = std::env::var("KUBERNETES_SERVICE_PORT").unwrap_or_else(|_| "443".into());
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    Some(format!("https://{host}:{port}"))
}

/// Checks a Kubernetes name, which needs no escapes in a URL.
fn checked_name(name: &str) -> io::Result<&str> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
    let invalid = || io::Error::new(io::ErrorKind::InvalidInput, format!("{name:?} is not a valid Kubernetes name"));
    if !name.is_empty() && name.chars().all(is_plain) { Ok(name) } else { Err(invalid()) }
}
