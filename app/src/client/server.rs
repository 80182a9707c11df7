//! The connection to the server: URLs, tokens and their renewal, requests, responses.

use std::time::Duration;

use chrono::Utc;
use reqwest::{Method, RequestBuilder, Response, StatusCode, header};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use crate::client::GlobalArgs;
use crate::client::error::{ClientError, Refusal};
use crate::client::session::{Session, SessionFile};

/// The address of `trainyard up`.
const DEFAULT_URL: &str = "http://127.0.0.1:8080";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Timeout of a request.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

const EVENT_STREAM: &str = "text/event-stream";

/// A response with a success status or 304.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// The body as it was received.
    pub(crate) raw: String,
    /// The parsed body; `null` when empty.
    pub(crate) body: Value,
    /// The `ETag` header.
    pub(crate) etag: Option<String>,
}

/// The source of the credentials.
enum Identity {
    Unknown,
    /// `TRAINYARD_TOKEN`: an API key or an access token, which can't be renewed.
    Given(String),
    /// The session file; renewed tokens are saved there.
    Saved(Session),
    /// A login for this command only, with `TRAINYARD_EMAIL` and `TRAINYARD_PASSWORD`.
    Temporary(Session),
}

/// The server that the commands use.
pub(crate) struct Server {
    http: reqwest::Client,
    url: Url,
    inference_url: Url,
    file: SessionFile,
    identity: Mutex<Identity>,
}

impl Server {
    /// The server that the arguments, the environment or the saved session name, in this order.
    pub(crate) fn new(global: &GlobalArgs) -> Result<Self, ClientError> {
        let file = SessionFile::of_user()?;
        let saved = file.load().map(|session| session.url);
        // An empty variable counts as unset.
        let [given, inference] =
            [&global.url, &global.inference_url].map(|url| url.as_deref().filter(|url| !url.is_empty()));
        let url = parse_url(given.or(saved.as_deref()).unwrap_or(DEFAULT_URL))?;
        let inference_url = inference.map(parse_url).transpose()?.unwrap_or_else(|| url.clone());
        trainyard_tls::install_provider();
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("trainyard/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT_TIMEOUT);
        if [&url, &inference_url].into_iter().any(is_local) {
            // Proxies can't reach loopback addresses of this machine.
            http = http.no_proxy();
        }
        let http = http.build().map_err(|error| ClientError::Protocol(error.to_string()))?;
        Ok(Self { http, url, inference_url, file, identity: Mutex::new(Identity::Unknown) })
    }

    /// The base URL, without a trailing slash.
    pub(crate) fn address(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }

    /// The session file.
    pub(crate) fn file(&self) -> &SessionFile {
        &self.file
    }

    /// The URL of a resource. Path segments are escaped, so that a name can't change the path.
    pub(crate) fn at(&self, segments: &[&str]) -> Url {
        join(&self.url, segments)
    }

    /// The URL of `POST /inference`.
    pub(crate) fn inference(&self) -> Url {
        join(&self.inference_url, &["inference"])
    }

    /// Sends a GET request.
    pub(crate) async fn get(&self, url: Url) -> Result<Answer, ClientError> {
        self.send(|http| http.get(url.clone())).await
    }

    /// Sends a request with a JSON body.
    pub(crate) async fn send_json(&self, method: Method, url: Url, body: &Value) -> Result<Answer, ClientError> {
        self.send(|http| http.request(method.clone(), url.clone()).json(body)).await
    }

    /// Sends an authenticated request. After `token_expired` the token is renewed and the request repeated once.
    pub(crate) async fn send(
        &self,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Answer, ClientError> {
        let token = self.token(false).await?;
        let answer = self.execute(request(&self.http).bearer_auth(token)).await;
        match answer {
            Err(ClientError::Refused(refusal)) if refusal.code == "token_expired" => {
                let token = self.token(true).await?;
                self.signed_out(self.execute(request(&self.http).bearer_auth(token)).await).await
            }
            answer => self.signed_out(answer).await,
        }
    }

    /// Adds what to do to the refusal of the credentials.
    async fn signed_out(&self, answer: Result<Answer, ClientError>) -> Result<Answer, ClientError> {
        match answer {
            // `invalid_credentials` means a wrong password in the request, not an expired session.
            Err(ClientError::Refused(refusal)) if refusal.status == 401 && refusal.code != "invalid_credentials" => {
                let given = matches!(*self.identity.lock().await, Identity::Given(_));
                let next = if given { "check TRAINYARD_TOKEN" } else { "sign in with: trainyard login" };
                Err(ClientError::NotSignedIn(format!("{}; {next}", refusal.detail)))
            }
            answer => answer,
        }
    }

    /// Opens a job's event stream, after the event `last_id` if given. There is no timeout: the stream can last as long
    /// as the job.
    pub(crate) async fn open(&self, url: Url, last_id: Option<&str>) -> Result<Response, ClientError> {
        let mut request = self.http.get(url).bearer_auth(self.token(false).await?).header(header::ACCEPT, EVENT_STREAM);
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        Ok(self.answer(request, None).await?.0)
    }

    /// Opens a download. There is no timeout: a result can be large.
    pub(crate) async fn download(&self, url: Url) -> Result<Response, ClientError> {
        let request = self.http.get(url).bearer_auth(self.token(false).await?);
        Ok(self.answer(request, None).await?.0)
    }

    /// Signs in. The caller decides whether to save the session.
    pub(crate) async fn login(&self, email: &str, password: &str) -> Result<(Session, Answer), ClientError> {
        let body = json!({"email": email, "password": password});
        let answer = self.execute(self.http.post(self.at(&["login"])).json(&body)).await?;
        Ok((Session::from_answer(self.address(), &answer.body, Utc::now())?, answer))
    }

    /// Sends a request without a token.
    pub(crate) async fn send_anonymous(&self, url: Url, body: &Value) -> Result<Answer, ClientError> {
        self.execute(self.http.post(url).json(body)).await
    }

    async fn token(&self, renew: bool) -> Result<String, ClientError> {
        let mut identity = self.identity.lock().await;
        if matches!(*identity, Identity::Unknown) {
            *identity = self.identify().await?;
        }
        match &mut *identity {
            Identity::Given(token) => Ok(token.clone()),
            Identity::Saved(session) => {
                if renew || session.is_stale(Utc::now()) {
                    *session = self.renew(session).await?;
                }
                Ok(session.access_token.clone())
            }
            Identity::Temporary(session) => Ok(session.access_token.clone()),
            Identity::Unknown => Err(self.not_signed_in()),
        }
    }

    async fn identify(&self) -> Result<Identity, ClientError> {
        if let Some(token) = variable("TRAINYARD_TOKEN") {
            return Ok(Identity::Given(token));
        }
        // A token is sent only to the server that issued it.
        if let Some(session) = self.file.load().filter(|session| session.url == self.address()) {
            return Ok(Identity::Saved(session));
        }
        match (variable("TRAINYARD_EMAIL"), variable("TRAINYARD_PASSWORD")) {
            (Some(email), Some(password)) => Ok(Identity::Temporary(self.login(&email, &password).await?.0)),
            _ => Err(self.not_signed_in()),
        }
    }

    fn not_signed_in(&self) -> ClientError {
        let address = self.address();
        ClientError::NotSignedIn(format!("not signed in at {address}; sign in with: trainyard login --url {address}"))
    }

    async fn renew(&self, stale: &Session) -> Result<Session, ClientError> {
        let file = self.file.clone();
        let _lock = tokio::task::spawn_blocking(move || file.lock())
            .await
            .map_err(|error| ClientError::Protocol(error.to_string()))??;
        // Another command may have renewed the session while this one waited for the lock.
        let current = self.file.load().filter(|session| session.url == stale.url);
        if let Some(current) = current.filter(|current| current.refresh_token != stale.refresh_token) {
            return Ok(current);
        }
        let body = json!({"refresh_token": stale.refresh_token});
        match self.execute(self.http.post(self.at(&["refresh"])).json(&body)).await {
            Ok(answer) => {
                let session = Session::from_answer(&stale.url, &answer.body, Utc::now())?;
                self.file.save(&session)?;
                Ok(session)
            }
            Err(ClientError::Refused(refusal)) if refusal.status == 401 => Err(ClientError::NotSignedIn(format!(
                "the session at {0} has expired; sign in again with: trainyard login --url {0}",
                self.address()
            ))),
            Err(error) => Err(error),
        }
    }

    async fn execute(&self, request: RequestBuilder) -> Result<Answer, ClientError> {
        let (response, url) = self.answer(request, Some(REQUEST_TIMEOUT)).await?;
        let status = response.status();
        let etag = response.headers().get(header::ETAG).and_then(|etag| Some(etag.to_str().ok()?.to_owned()));
        let raw = response.text().await.map_err(|error| unreachable(&url, &error))?;
        let body = if raw.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&raw) };
        let body = body.map_err(|_| {
            ClientError::Protocol(format!("{} did not return JSON; is it a Trainyard server?", origin(&url)))
        })?;
        Ok(Answer { status, raw, body, etag })
    }

    /// Returns a response with a success status or 304, its body unread, and the URL. `limit` applies to requests
    /// without a timeout.
    async fn answer(&self, request: RequestBuilder, limit: Option<Duration>) -> Result<(Response, Url), ClientError> {
        let (http, request) = request.build_split();
        let mut request = request.map_err(|error| ClientError::Usage(error.to_string()))?;
        let url = request.url().clone();
        *request.timeout_mut() = request.timeout().copied().or(limit);
        let response = http.execute(request).await.map_err(|error| unreachable(&url, &error))?;
        let status = response.status();
        if !status.is_success() && status != StatusCode::NOT_MODIFIED {
            let raw = response.text().await.map_err(|error| unreachable(&url, &error))?;
            return Err(ClientError::Refused(Box::new(Refusal::read(status.as_u16(), &raw))));
        }
        Ok((response, url))
    }
}

pub(crate) fn unreachable(url: &Url, error: &reqwest::Error) -> ClientError {
    ClientError::Unreachable { url: origin(url), cause: root_cause(error) }
}

fn parse_url(text: &str) -> Result<Url, ClientError> {
    let wrong = || ClientError::Usage(format!("'{text}' is not a server URL such as {DEFAULT_URL}"));
    let url = Url::parse(text).map_err(|_| wrong())?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() { Ok(url) } else { Err(wrong()) }
}

fn join(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    // Fails only for URLs without a path, which `parse_url` refuses.
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// The innermost error names the cause, such as "Connection refused".
fn root_cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "the request timed out".into();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

/// The value of an environment variable that is set and not empty.
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_paths() {
        let base = parse_url("http://h:1/prefix/").unwrap();
        assert_eq!(join(&base, &["models", "../admin?x"]).as_str(), "http://h:1/prefix/models/..%2Fadmin%3Fx");
        assert!(parse_url("h:1").is_err());
        assert!(parse_url("file:///etc").is_err());
    }
}
