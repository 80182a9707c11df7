//! Trainyard with models that were trained through its API, and the processes of its inference role.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use trainyard_ml::artifact;
use trainyard_ml::model::Estimator;

use super::contender::Running;
use super::protocol::MODEL;
use super::table::TARGET;
use crate::http::{Connection, request};
use crate::load::pause;
use crate::machine::CoreSet;
use crate::servers::{Servers, sql};
use crate::trainyard::{Role, Trainyard};

const DATASET: &str = "bench";
const TRAIN_LIMIT: Duration = Duration::from_secs(300);
const SETTINGS: [(&str, &str); 1] = [("TRAINYARD__WORKER__CONCURRENCY", "2")];

/// An installation.
#[derive(Debug)]
pub(crate) struct Pool {
    trainyard: Trainyard,
    /// An access token.
    pub(crate) token: String,
    versions: usize,
    models: usize,
}

impl Pool {
    /// Installs Trainyard, uploads the table, and trains the first version of [`MODEL`], which `production` points at.
    ///
    /// # Errors
    /// If a step fails.
    pub(crate) fn install(binary: &Path, servers: &Servers, table: &str) -> anyhow::Result<Self> {
        let trainyard = Trainyard::install(binary, servers, &SETTINGS)?;
        trainyard.upload(DATASET, table)?;
        let api = trainyard.start("api")?;
        let token = trainyard.token(&api)?;
        api.stop();
        let mut pool = Self { trainyard, token, versions: 0, models: 0 };
        pool.train_versions(1)?;
        Ok(pool)
    }

    /// Trains further versions of [`MODEL`] until there are `count`. Their forests differ by their seeds.
    ///
    /// # Errors
    /// If a job fails.
    pub(crate) fn train_versions(&mut self, count: usize) -> anyhow::Result<()> {
        let jobs: Vec<_> = (self.versions..count).map(|seed| job(MODEL, seed)).collect();
        self.train(&jobs)?;
        self.versions = self.versions.max(count);
        Ok(())
    }

    /// Trains further models until there are `count` besides [`MODEL`]. Returns the names of these.
    ///
    /// # Errors
    /// If a job fails.
    pub(crate) fn train_models(&mut self, count: usize) -> anyhow::Result<Vec<String>> {
        let name = |index: usize| format!("{MODEL}-{index}");
        let jobs: Vec<_> = (self.models..count).map(|index| job(&name(index), 10_000 + index)).collect();
        self.train(&jobs)?;
        self.models = self.models.max(count);
        Ok((0..count).map(name).collect())
    }

    fn train(&self, jobs: &[Value]) -> anyhow::Result<()> {
        if jobs.is_empty() {
            return Ok(());
        }
        let expected = self.trainyard.published()? + jobs.len() as u64;
        let (api, worker) = (self.trainyard.start("api")?, self.trainyard.start("worker")?);
        let body = json!({"jobs": jobs}).to_string();
        let submit = request("POST", "/training/bulk", &self.token, &body);
        let mut connection = Connection::open(api.port)?;
        let (status, answer) = connection.call(&submit)?;
        ensure!(status == 202, "POST /training/bulk answered {status} with {}", String::from_utf8_lossy(answer));
        let deadline = Instant::now() + TRAIN_LIMIT;
        while self.trainyard.published()? < expected {
            let failed = sql(&self.trainyard.database, "SELECT count(*) FROM jobs WHERE status = 'failed'")?;
            ensure!(failed == "0", "{failed} training jobs failed");
            ensure!(Instant::now() < deadline, "{} models were not trained in {TRAIN_LIMIT:?}", jobs.len());
            pause(Duration::from_millis(200));
        }
        worker.stop();
        api.stop();
        Ok(())
    }

    /// Starts one process of the inference role, and waits until it is ready.
    ///
    /// # Errors
    /// The log of a process that ended.
    pub(crate) fn start(&self) -> anyhow::Result<Running> {
        Ok(running(self.trainyard.start("inference")?))
    }

    /// Starts one process of the inference role on these cores only, and waits until it is ready.
    ///
    /// # Errors
    /// The log of a process that ended.
    pub(crate) fn start_on(&self, cores: CoreSet) -> anyhow::Result<Running> {
        Ok(running(self.trainyard.start_on("inference", cores)?))
    }

    /// Starts one process of the inference role, and does not wait.
    ///
    /// # Errors
    /// If the log can't be created.
    pub(crate) fn launch(&self) -> anyhow::Result<Running> {
        Ok(running(self.trainyard.launch("inference")?))
    }

    /// Starts the API.
    ///
    /// # Errors
    /// The log of a process that ended.
    pub(crate) fn start_api(&self) -> anyhow::Result<Role> {
        self.trainyard.start("api")
    }

    /// The request that moves `production` of [`MODEL`] to a version.
    pub(crate) fn promotion(&self, version: usize) -> Vec<u8> {
        let body = json!({"version": version}).to_string();
        request("PUT", &format!("/models/{MODEL}/aliases/production"), &self.token, &body)
    }

    /// Number of nodes, and size in bytes, of the first version.
    ///
    /// # Errors
    /// If the artifact can't be read.
    pub(crate) fn forest(&self) -> anyhow::Result<(usize, usize)> {
        let query = format!("SELECT artifact_key FROM model_versions WHERE model_name = '{MODEL}' AND version = 1");
        let path = self.trainyard.folder.path().join("artifacts").join(sql(&self.trainyard.database, &query)?);
        let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
        match artifact::decode(&bytes)?.estimator {
            Estimator::Trees(trees) => Ok((trees.nodes(), bytes.len())),
            _ => anyhow::bail!("{MODEL} is not a forest"),
        }
    }
}

/// Moves `production` and returns when the API has answered.
///
/// # Errors
/// If the API does not answer with 200.
pub(crate) fn promote(api: &mut Connection, promotion: &[u8]) -> anyhow::Result<()> {
    let (status, answer) = api.call(promotion)?;
    ensure!(status == 200, "moving production answered {status} with {}", String::from_utf8_lossy(answer));
    Ok(())
}

fn running(role: Role) -> Running {
    Running { process: role.process, port: role.port }
}

fn job(name: &str, seed: usize) -> Value {
    json!({
        "name": name, "algorithm": "random_forest", "features": ["*"], "dataset": DATASET, "target": TARGET,
        "params": {"n_trees": 100}, "seed": seed
    })
}
