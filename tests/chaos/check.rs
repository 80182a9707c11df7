//! Compares the submission log with the API's answers and the stored data.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use trainyard_testkit::{Client, pause};

use crate::ledger::{Entry, Ledger, Meant};
use crate::rig::{Rig, versions};

/// Every job must have ended this long after the last fault.
const DRAIN_LIMIT: Duration = Duration::from_secs(240);

/// The results of the check.
#[derive(Debug, Default)]
pub struct Findings {
    /// Number of jobs by result: `succeeded`, `cancelled`, `failed: <code>`.
    pub ends: BTreeMap<String, usize>,
    /// When jobs ended and when they were accepted, to compute the recovery times.
    pub times: Vec<(DateTime<Utc>, DateTime<Utc>)>,
    /// Downloaded artifacts with the expected digest.
    pub artifacts: usize,
    /// Accepted jobs without a final status.
    pub lost: Vec<String>,
    /// Jobs with more than one version, and versions of jobs that did not succeed.
    pub published_twice: Vec<String>,
    /// Other violated guarantees.
    pub broken: Vec<String>,
    pub drained_after: Duration,
}

impl Findings {
    /// All violations, as sentences.
    pub fn violations(&self) -> Vec<String> {
        let lost = self.lost.iter().map(|what| format!("lost: {what}"));
        let twice = self.published_twice.iter().map(|what| format!("published twice: {what}"));
        lost.chain(twice).chain(self.broken.iter().cloned()).collect()
    }
}

/// Waits until every accepted job has ended, then checks every guarantee. All faults must have ended.
pub async fn check(rig: &mut Rig, admin: &Client, ledger: &Ledger) -> Findings {
    let mut findings = Findings { broken: ledger.pages().broken.clone(), ..Findings::default() };
    let entries = ledger.pages().entries.clone();
    let started = Instant::now();
    let ended = drain(rig, admin, &entries).await;
    findings.drained_after = started.elapsed();
    for entry in &entries {
        match ended.get(&entry.id) {
            Some(view) => judge(&mut findings, entry, view),
            None => findings.lost.push(format!("job {} of {} never ended", entry.id, entry.model)),
        }
    }
    let models: BTreeSet<_> = entries.iter().map(|entry| entry.model.clone()).collect();
    for model in &models {
        check_versions(&mut findings, admin, model, &ended).await;
        check_jobs_of(&mut findings, admin, model, &entries).await;
    }
    check_leftovers(&mut findings, rig, admin).await;
    // A final status never changes.
    for (id, before) in &ended {
        let now = admin.get(&format!("/training/{id}")).await.expect(200);
        if &now != before {
            findings.broken.push(format!("job {id} changed after its end: {before} became {now}"));
        }
    }
    for status in ledger.pages().answers.keys().filter(|status| ![0, 202, 409, 429, 503, 504].contains(*status)) {
        findings.broken.push(format!("a request was answered {status}"));
    }
    findings
}

/// The last response about every ended job, by id.
async fn drain(rig: &mut Rig, admin: &Client, entries: &[Entry]) -> HashMap<String, Value> {
    let deadline = Instant::now() + DRAIN_LIMIT;
    let mut ended = HashMap::new();
    let mut open: Vec<_> = entries.iter().map(|entry| entry.id.clone()).collect();
    while !open.is_empty() && Instant::now() < deadline {
        rig.system.restart_ended();
        let mut still_open = Vec::new();
        for id in open {
            let answer = admin.try_send(admin.request(Method::GET, &format!("/training/{id}"))).await;
            let view = answer.ok().filter(|answer| answer.status == 200).map(|answer| answer.body);
            let is_final = |view: &Value| ["succeeded", "failed", "cancelled"].iter().any(|end| view["status"] == *end);
            match view.filter(is_final) {
                Some(view) => drop(ended.insert(id, view)),
                None => still_open.push(id),
            }
        }
        open = still_open;
        pause(Duration::from_millis(200)).await;
    }
    ended
}

/// Whether the result of a job is permitted.
fn judge(findings: &mut Findings, entry: &Entry, view: &Value) {
    let (status, code) = (view["status"].as_str().unwrap(), view["error"]["code"].as_str().unwrap_or_default());
    let end = if status == "failed" { format!("failed: {code}") } else { status.to_owned() };
    *findings.ends.entry(end).or_default() += 1;
    let finished: DateTime<Utc> = view["finished_at"].as_str().unwrap().parse().unwrap();
    findings.times.push((entry.accepted_at, finished));
    let as_meant = match (entry.meant, status) {
        (_, "cancelled") => entry.cancel == Some(202),
        // A job whose cancel request was accepted must not publish a version.
        (Meant::Success, "succeeded") => entry.cancel != Some(202),
        (Meant::BadData, "failed") => matches!(code, "bad_data" | "crashed"),
        (Meant::Timeout, "failed") => matches!(code, "timeout" | "crashed"),
        // Three kills by chance make a job poison, which is a permitted failure.
        (Meant::Success, "failed") => code == "crashed",
        _ => false,
    };
    if !as_meant {
        findings.broken.push(format!("a job meant {:?} (cancel: {:?}) ended so: {view}", entry.meant, entry.cancel));
    }
}

/// Checks that every successful job has exactly one version with a readable artifact.
async fn check_versions(findings: &mut Findings, admin: &Client, model: &str, ended: &HashMap<String, Value>) {
    let of_model = |view: &&Value| view["name"] == *model && view["status"] == "succeeded";
    let mut promised: HashMap<&str, i64> = ended
        .values()
        .filter(of_model)
        .map(|view| (view["job_id"].as_str().unwrap(), view["model"]["version"].as_i64().unwrap()))
        .collect();
    for version in versions(admin, model).await {
        let (job, number) = (version["job_id"].as_str().unwrap(), version["version"].as_i64().unwrap());
        if promised.remove(job) != Some(number) {
            findings.published_twice.push(format!("{model} version {number} of job {job}"));
        }
        let path = format!("/models/{model}/versions/{number}/artifact");
        let answer = admin.request(Method::GET, &path).send().await.unwrap();
        let (status, bytes) = (answer.status(), answer.bytes().await.unwrap_or_default());
        let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        if status == 200 && version["sha256"] == digest && version["size"] == bytes.len() {
            findings.artifacts += 1;
        } else {
            findings.broken.push(format!("the artifact of {model} version {number} answers {status}, digest {digest}"));
        }
    }
    for (job, number) in promised {
        findings.lost.push(format!("{model} version {number}, which job {job} says it published"));
    }
}

/// Checks that every stored job was accepted: a submission without a response created no job.
async fn check_jobs_of(findings: &mut Findings, admin: &Client, model: &str, entries: &[Entry]) {
    let accepted: BTreeSet<_> = entries.iter().filter(|entry| entry.model == model).map(|entry| &entry.id).collect();
    let (mut seen, mut cursor) = (0, String::new());
    loop {
        let page = admin.get(&format!("/training?name={model}&limit=100{cursor}")).await.expect(200);
        for item in page["items"].as_array().unwrap() {
            seen += 1;
            if !accepted.contains(&item["job_id"].as_str().unwrap().to_owned()) {
                findings.broken.push(format!("job {} was made without a 202", item["job_id"]));
            }
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    if seen != accepted.len() {
        findings.broken.push(format!("{} jobs of {model} were accepted, {seen} are listed", accepted.len()));
    }
}

/// Checks that no row is stuck, that Redis has no entries of finished jobs, and that published versions are served.
async fn check_leftovers(findings: &mut Findings, rig: &Rig, admin: &Client) {
    let queue = admin.get("/queue").await.expect(200);
    if queue["depth"] != 0 || queue["by_status"]["running"].as_i64().unwrap_or(0) != 0 {
        findings.broken.push(format!("jobs are stuck: {queue}"));
    }
    // The entries of a killed worker are reclaimed after 30 s of idle time.
    if !within(Duration::from_secs(60), async || rig.entries_in_redis() == 0).await {
        findings.broken.push(format!("Redis still holds {} ids", rig.entries_in_redis()));
    }
    let models = admin.get("/models?limit=100").await.expect(200);
    for model in models["items"].as_array().unwrap() {
        let (name, version) = (&model["name"], &model["aliases"]["production"]);
        let body = json!({"model": name, "features": {"sex": "female", "age": 30, "pclass": 1}});
        let serves = async || {
            let answer = admin.infer(body.clone()).await;
            answer.status == 200 && &answer.body["version"] == version
        };
        if !within(Duration::from_secs(30), serves).await {
            findings.broken.push(format!("{name} version {version} is not served"));
        }
    }
}

/// Waits for a condition, up to a limit. Returns instead of panicking, so that the check reports all violations.
async fn within(limit: Duration, mut holds: impl AsyncFnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while !holds().await {
        if Instant::now() > deadline {
            return false;
        }
        pause(Duration::from_millis(100)).await;
    }
    true
}
