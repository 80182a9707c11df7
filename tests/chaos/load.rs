//! Submits a stream of jobs: mostly quick, some urgent, scheduled, cancelled, sent twice, or failing by design. Each
//! submission is repeated with its idempotency key until a response arrives, as clients should do.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::Utc;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use trainyard_testkit::{Answer, Client, pause};

use crate::ledger::{Entry, Ledger, Meant};
use crate::rig::{quick_job, slow_job};

/// Number of concurrent clients.
const CLIENTS: usize = 4;
/// Request timeout of a client, which then repeats the request.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// A dataset whose rows with a target have no feature, which only training finds out.
pub const HOPELESS: &str = "hopeless";

/// Submits `jobs` jobs in total, as fast as `allow` permits.
pub struct Stream {
    pub ledger: Arc<Ledger>,
    allowance: Arc<Semaphore>,
    clients: Vec<tokio::task::JoinHandle<()>>,
}

impl Stream {
    pub fn start(admins: &[Client], seed: u64, jobs: usize) -> Self {
        let (ledger, allowance) = (Arc::new(Ledger::default()), Arc::new(Semaphore::new(0)));
        let next = Arc::new(AtomicUsize::new(0));
        let client = |_| {
            let customer = Customer { admins: admins.to_vec(), ledger: ledger.clone(), seed };
            let (allowance, next) = (allowance.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= jobs {
                        return;
                    }
                    allowance.acquire().await.unwrap().forget();
                    customer.order(number).await;
                }
            })
        };
        let clients = (0..CLIENTS).map(client).collect();
        Self { ledger, allowance, clients }
    }

    /// Permits this many more submissions.
    pub fn allow(&self, jobs: usize) {
        self.allowance.add_permits(jobs);
    }

    /// Waits until every job is accepted.
    pub async fn ended(self) -> Arc<Ledger> {
        for client in self.clients {
            client.await.unwrap();
        }
        self.ledger
    }
}

/// Uploads the datasets of the stream.
pub async fn prepare(admin: &Client) {
    admin.upload(HOPELESS, "x,y\n,a\n,b\n,a\n,b\n1,\n2,\n").await.expect(201);
}

struct Customer {
    admins: Vec<Client>,
    ledger: Arc<Ledger>,
    seed: u64,
}

impl Customer {
    /// Submits job `number`. Its kind depends only on the seed and the number.
    async fn order(&self, number: usize) {
        let mut rng = StdRng::seed_from_u64(self.seed.wrapping_mul(1_000_003).wrapping_add(number as u64));
        pause(Duration::from_millis(rng.random_range(0..300))).await;
        let model = format!("storm-{}", number % 7);
        let (meant, body) = draw(&mut rng, &model);
        let key = format!("{}-{number}", self.seed);
        let id = self.submit(&mut rng, &key, &body).await;
        let entry = Entry { id: id.clone(), model, meant, accepted_at: Utc::now(), cancel: None };
        self.ledger.pages().entries.push(entry);
        if rng.random_bool(0.1) {
            let again = self.submit(&mut rng, &key, &body).await;
            let mut pages = self.ledger.pages();
            pages.repeated += 1;
            if again != id {
                pages.broken.push(format!("the key {key} made the jobs {id} and {again}"));
            }
        }
        if rng.random_bool(0.08) {
            pause(Duration::from_millis(rng.random_range(0..1_500))).await;
            let status = self.cancel(&mut rng, &id).await;
            let mut pages = self.ledger.pages();
            pages.entries.iter_mut().filter(|entry| entry.id == id).for_each(|entry| entry.cancel = Some(status));
        }
    }

    async fn submit(&self, rng: &mut StdRng, key: &str, body: &Value) -> String {
        loop {
            let answer = self.ask(rng, "/training", Some((key, body))).await;
            match answer.status {
                202 => return answer.body["job_id"].as_str().unwrap().to_owned(),
                409 | 429 | 503 | 504 => pause(Duration::from_millis(200)).await,
                _ => panic!("{answer:?}"),
            }
        }
    }

    /// The final status of a cancel request: 202, or 409 if the job had already ended.
    async fn cancel(&self, rng: &mut StdRng, id: &str) -> u16 {
        loop {
            let answer = self.ask(rng, &format!("/training/{id}/cancel"), None).await;
            match answer.status {
                202 | 409 => return answer.status,
                429 | 503 | 504 => pause(Duration::from_millis(200)).await,
                _ => panic!("{answer:?}"),
            }
        }
    }

    /// Sends the request to one API after the other until one responds.
    async fn ask(&self, rng: &mut StdRng, path: &str, order: Option<(&str, &Value)>) -> Answer {
        loop {
            let admin = self.admins.choose(rng).unwrap();
            let mut request = admin.request(Method::POST, path).timeout(REQUEST_TIMEOUT);
            if let Some((key, body)) = order {
                request = request.header("idempotency-key", key).json(body);
            }
            match admin.try_send(request).await {
                Ok(answer) => {
                    self.ledger.answered(answer.status);
                    return answer;
                }
                Err(_) => {
                    self.ledger.answered(0);
                    pause(Duration::from_millis(200)).await;
                }
            }
        }
    }
}

fn draw(rng: &mut StdRng, model: &str) -> (Meant, Value) {
    let (meant, mut body) = match rng.random_range(0..100) {
        0..8 => (Meant::Success, slow_job(model)),
        8..11 => {
            let body = json!({"name": model, "algorithm": "random_forest", "dataset": HOPELESS, "target": "y",
                "features": ["x"]});
            (Meant::BadData, body)
        }
        11..13 => {
            let endless = json!({"c": 10_000.0, "kernel": "polynomial", "degree": 5});
            let body = json!({"name": model, "algorithm": "svm", "features": ["*"], "params": endless, "timeout_s": 1});
            (Meant::Timeout, body)
        }
        _ => (Meant::Success, quick_job(model)),
    };
    body["seed"] = json!(rng.random_range(0..1_000_000));
    if rng.random_bool(0.3) {
        body["priority"] = json!(rng.random_range(-10..=10));
    }
    if rng.random_bool(0.1) {
        body["run_at"] = json!((Utc::now() + Duration::from_secs(1)).to_rfc3339());
    }
    (meant, body)
}
