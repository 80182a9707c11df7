//! Invalid settings of issuers are named.

use serde_json::{Value, json};
use trainyard_domain::Clock;
use trainyard_http::auth::{IssuerConfig, Issuers, check_issuers};

use super::fixture::{OWN, SECRET};
use crate::support::start;

fn refusal(issuers: Value, insecure: bool) -> String {
    let configs: Vec<IssuerConfig> = serde_json::from_value(issuers).unwrap();
    Issuers::start(configs, OWN, insecure, &Clock::manual(start())).unwrap_err().to_string()
}

#[tokio::test]
async fn each_invalid_setting_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let short = file("short", "short\n");
    let own = file("own", &format!("{}\n", OWN.secret));
    let web = |changes: Value| {
        let mut issuer = json!({"name": "web", "kind": "authjs", "secret": SECRET});
        issuer.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        issuer
    };
    let id = |changes: Value| {
        let mut issuer = json!({"name": "id", "kind": "oidc", "issuer": "https://id.example.com", "audience": "yard"});
        issuer.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        issuer
    };
    for (issuers, expected) in [
        (json!([web(json!({"name": ""}))]), "[0].name must"),
        (json!([web(json!({"name": "Web"}))]), "[0].name must"),
        (json!([web(json!({"name": "-web"}))]), "[0].name must"),
        (json!([web(json!({"name": "web-"}))]), "[0].name must"),
        (json!([web(json!({"name": "w".repeat(33)}))]), "[0].name must"),
        (json!([web(json!({"role_claim": "roles"}))]), "[0].admin_values must"),
        (json!([web(json!({"admin_values": "chief"}))]), "[0].admin_values must"),
        (json!([web(json!({"jwks_url": "https://id.example.com/keys"}))]), "[0].jwks_url must be empty, like tls_ca"),
        (json!([web(json!({"tls_ca": "/ca.pem"}))]), "[0].jwks_url must be empty, like tls_ca, unless kind is oidc"),
        (json!([web(json!({"secret": ""}))]), "[0].secret must be set"),
        (json!([web(json!({"secret_file": short}))]), "[0].secret must be set, or else secret_file"),
        (json!([web(json!({"secret": "short"}))]), "[0].secret must have at least 32 bytes"),
        (json!([web(json!({"secret": "", "secret_file": short}))]), "[0].secret must have at least 32 bytes"),
        (json!([web(json!({"secret": "", "secret_file": "/no/such/file"}))]), "[0].secret_file must be a readable"),
        (json!([web(json!({"secret": "", "secret_file": own}))]), "[0].secret must differ from auth.jwt_secret"),
        (json!([web(json!({"secret": OWN.secret}))]), "[0].secret must differ from auth.jwt_secret"),
        (json!([web(json!({"previous_secret": OWN.secret}))]), "[0].secret must differ from auth.jwt_secret"),
        (json!([web(json!({"previous_secret": "short"}))]), "[0].previous_secret must"),
        (json!([web(json!({"cookie_names": []}))]), "[0].cookie_names must"),
        (json!([web(json!({"cookie_names": [""]}))]), "[0].cookie_names must"),
        (json!([web(json!({})), web(json!({"issuer": "https://x.example.com"}))]), "[1].name must differ"),
        (json!([web(json!({"issuer": "trainyard"}))]), "[0].issuer must differ from auth.issuer"),
        (json!([id(json!({})), id(json!({"name": "other"}))]), "[1].issuer must differ"),
        (json!([id(json!({"secret": SECRET}))]), "[0].secret must be empty unless kind is authjs"),
        (json!([id(json!({"previous_secret": SECRET}))]), "[0].secret must be empty unless kind is authjs"),
        (json!([id(json!({"secret_file": short}))]), "[0].secret must be empty unless kind is authjs"),
        (json!([id(json!({"issuer": ""}))]), "[0].issuer must be the https URL of the provider"),
        (json!([id(json!({"issuer": "http://id.example.com"}))]), "[0].issuer must be the https URL of the provider"),
        (json!([id(json!({"issuer": "mailto:ada@example.com"}))]), "[0].issuer must be the https URL of the provider"),
        (json!([id(json!({"jwks_url": "ftp://localhost/keys"}))]), "[0].jwks_url must be an https URL"),
        (json!([id(json!({"audience": []}))]), "[0].audience must"),
        (json!([id(json!({"audience": ["yard", ""]}))]), "[0].audience must"),
        (json!([id(json!({"tls_ca": "/no/such/file"}))]), "[0].tls_ca must"),
    ] {
        let refusal = refusal(issuers, false);
        assert!(refusal.starts_with("auth.issuers") && refusal.contains(expected), "{refusal}: {expected}");
        assert!(!refusal.contains(SECRET), "{refusal}");
    }
    // Development settings allow providers without TLS.
    let plain = json!([id(json!({"issuer": "http://keycloak:8080/realms/yard"}))]);
    let configs: Vec<IssuerConfig> = serde_json::from_value(plain).unwrap();
    assert!(check_issuers(&configs, OWN, true).is_ok() && check_issuers(&configs, OWN, false).is_err());
    let local = ["http://localhost:8080", "http://127.0.0.1:8080", "http://[::1]:8080"];
    for issuer in local {
        let configs: Vec<IssuerConfig> = serde_json::from_value(json!([id(json!({"issuer": issuer}))])).unwrap();
        assert!(check_issuers(&configs, OWN, false).is_ok(), "{issuer}");
    }
}

#[tokio::test]
async fn unknown_keys_and_wrong_types_are_refused_and_secrets_are_not_printed() {
    let parse = |issuer: Value| serde_json::from_value::<IssuerConfig>(issuer);
    assert!(parse(json!({"name": "a", "kind": "saml"})).is_err());
    assert!(parse(json!({"name": "a", "kind": "authjs", "salt": "x"})).is_err());
    let error = parse(json!({"name": "a", "kind": "authjs", "audience": 7})).unwrap_err().to_string();
    assert!(error.contains("a text or a list of texts"), "{error}");
    let shown = format!("{:?}", parse(json!({"name": "a", "kind": "authjs", "secret": SECRET})).unwrap());
    assert!(shown.contains("AuthJs") && !shown.contains(SECRET), "{shown}");
    assert!(!format!("{OWN:?}").contains(OWN.secret));
}
