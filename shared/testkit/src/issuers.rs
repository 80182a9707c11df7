//! Real token issuers: Auth.js, NextAuth and an OpenID provider, on Node.js.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::client::get_blocking;
use crate::process::{ChildGuard, free_port, spawn_guarded};
use crate::wait::wait_until;

/// The programs, which are written next to their packages.
const PROGRAMS: [(&str, &str); 2] =
    [("authjs.mjs", include_str!("../issuers/authjs.mjs")), ("provider.mjs", include_str!("../issuers/provider.mjs"))];

/// The folder where `scripts/ensure issuers` installs the packages.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/issuers");
        assert!(folder.join("installed").exists(), "Auth.js is not installed: run `scripts/ensure issuers`");
        for (name, text) in PROGRAMS {
            // Renamed, because another test process may read the file.
            let new = folder.join(format!("{name}.{}", std::process::id()));
            std::fs::write(&new, text).unwrap();
            std::fs::rename(&new, folder.join(name)).unwrap();
        }
        folder
    })
}

fn node(program: &str) -> Command {
    let machine = if cfg!(target_arch = "aarch64") { "arm64" } else { "x64" };
    let mut command = Command::new(folder().join(format!("node_modules/node-linux-{machine}/bin/node")));
    command.arg(folder().join(program));
    command
}

/// Session tokens of `@auth/core`, or of NextAuth 4 for requests with `"version": 4`. A request has `secret`, `token`
/// (the claims), `salt` (the cookie's name, for Auth.js), `maxAge` in seconds, and `now` (null for the current time).
pub fn auth_js_tokens(requests: &[Value]) -> Vec<String> {
    let mut process = node("authjs.mjs").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut input = process.stdin.take().unwrap();
    for request in requests {
        writeln!(input, "{request}").unwrap();
    }
    drop(input);
    let output = process.wait_with_output().unwrap();
    let tokens: Vec<_> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
    assert_eq!(tokens.len(), requests.len(), "Auth.js did not create every token");
    tokens
}

/// A running OpenID provider that issues JWT access tokens for client credentials.
#[derive(Debug)]
pub struct OpenIdProvider {
    issuer: String,
    http: reqwest::Client,
    _process: ChildGuard,
}

impl OpenIdProvider {
    /// The default `aud` of the tokens.
    pub const AUDIENCE: &str = "urn:trainyard";

    /// Starts a provider on a free port, with new keys for RS256, ES256 and EdDSA.
    pub fn start() -> Self {
        let port = free_port();
        let mut command = node("provider.mjs");
        command.arg(port.to_string()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = spawn_guarded(command, libc::SIGKILL);
        let mut line = String::new();
        BufReader::new(process.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let issuer = format!("http://127.0.0.1:{port}");
        let ready = || get_blocking(&format!("{issuer}/jwks")).filter(|status| *status == 200);
        wait_until("the OpenID provider is ready", Duration::from_secs(30), ready);
        trainyard_tls::install_provider();
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { issuer, http, _process: process }
    }

    /// The `iss` of the tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Requests an access token with the options `alg`, `claims`, `aud` and `ttl` in seconds, all optional. Equal
    /// options give the same `sub`.
    pub async fn token(&self, options: &Value) -> String {
        let client = URL_SAFE_NO_PAD.encode(options.to_string());
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret=not%20a%20secret&scope=train&resource={}",
            Self::AUDIENCE
        );
        let request = self.http.post(format!("{}/token", self.issuer));
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("no token: {answer}")).to_owned()
    }

    /// Replaces the keys.
    pub async fn rotate(&self) {
        self.control("rotate").await;
    }

    /// Makes the keys unavailable or available.
    pub async fn fail(&self, on: bool) {
        self.control(&format!("fail?on={on}")).await;
    }

    /// How often the keys were fetched.
    pub async fn fetches(&self) -> u64 {
        self.control("fetches").await.parse().unwrap()
    }

    async fn control(&self, what: &str) -> String {
        let answer = self.http.post(format!("{}/test/{what}", self.issuer)).send().await.unwrap();
        answer.text().await.unwrap()
    }
}

/// The options of [`OpenIdProvider::token`] for these claims.
pub fn token_options(alg: &str, claims: Value) -> Value {
    json!({"alg": alg, "claims": claims})
}
