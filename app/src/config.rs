//! The settings: `default.toml` ← `--config FILE` ← environment ← command line, validated before the process starts.
//!
//! `default.toml` defines every key and its default. An unknown key, or a value of another type than the default, is an
//! error that names the key.

mod bounds;
mod environment;
mod reference;
mod sections;

use std::path::Path;

use figment::Figment;
use figment::providers::{Format, Serialized, Toml};
use figment::value::{Dict, Value};

pub use reference::markdown;
pub use sections::{AuthConfig, Config};

/// The text of `default.toml`.
pub const DEFAULT: &str = include_str!("default.toml");

/// An error in the settings. The text names the key and the expected value.
#[derive(Debug)]
pub struct ConfigError(pub String);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ConfigError {}

/// Values from the command line, such as `("server.listen", "0.0.0.0:80".into())`. They override all other sources.
pub type Flags = Vec<(&'static str, Value)>;

/// Reads and validates the settings.
///
/// # Errors
/// The first wrong key or value.
pub fn load(file: Option<&Path>, flags: &Flags) -> Result<Config, ConfigError> {
    let variables = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    merge(file, variables, flags)
}

fn merge(file: Option<&Path>, variables: Vec<(String, String)>, flags: &Flags) -> Result<Config, ConfigError> {
    let defaults = defaults();
    let mut figment = Figment::from(Toml::string(DEFAULT));
    if let Some(path) = file {
        if !path.is_file() {
            return Err(ConfigError(format!("--config {}: the file does not exist", path.display())));
        }
        figment = figment.merge(Toml::file_exact(path));
    }
    for (key, value) in environment::overlay(&defaults, variables)? {
        figment = figment.merge(Serialized::default(&key, value));
    }
    for (key, value) in flags {
        figment = figment.merge(Serialized::default(key, value));
    }
    // Before deserialization, whose errors would not name the bounds.
    bounds::check(&figment.extract().map_err(|error| ConfigError(explain(&error)))?)?;
    let config: Config = figment.extract().map_err(|error| ConfigError(explain(&error)))?;
    config.check()?;
    Ok(config)
}

impl Config {
    /// The defaults.
    pub fn built_in() -> Self {
        merge(None, Vec::new(), &Flags::new()).expect("a test loads default.toml")
    }
}

/// The defaults as a tree of sections.
fn defaults() -> Dict {
    Figment::from(Toml::string(DEFAULT)).extract().expect("a test parses default.toml")
}

fn explain(error: &figment::Error) -> String {
    let key = error.path.join(".");
    let source = error.metadata.as_ref().and_then(|metadata| metadata.source.as_ref());
    let location = source.map(|source| format!(" in {source}")).unwrap_or_default();
    match &error.kind {
        figment::error::Kind::UnknownField(_, known) => {
            format!("unknown key {key}{location}; expected one of {}", known.join(", "))
        }
        kind => format!("{key}{location}: {kind}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        merge(None, variables, &Vec::new())
    }

    #[test]
    fn the_defaults_are_complete() {
        assert_eq!(Config::built_in().server.listen, "127.0.0.1:8080");
    }

    #[test]
    fn every_key_has_an_environment_name_and_conventional_ones_work() {
        let config = with(&[
            ("TRAINYARD__WORKER__CONCURRENCY", "7"),
            ("LISTEN", "127.0.0.1:9"),
            ("ADMIN_PASSWORD", "12345678"),
            ("SKIP_AUTH", "false"),
            ("TRAINYARD__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1,"),
            ("TRAINYARD__AUTH__USERS_MAY_READ", ""),
        ])
        .unwrap();
        assert_eq!(config.server.trusted_proxies, ["10.0.0.0/8", "::1"]);
        assert!(config.auth.users_may_read.is_empty());
        assert_eq!(config.worker.concurrency, 7);
        assert_eq!(config.server.listen, "127.0.0.1:9");
        assert_eq!(config.auth.admin_password, "12345678", "digits are a string if the key is a string");
    }

    #[test]
    fn wrong_keys_and_values_are_named() {
        let refused = |variables: &[(&str, &str)]| with(variables).unwrap_err().0;
        assert!(refused(&[("TRAINYARD__WORKER__CONCURENCY", "1")]).contains("TRAINYARD__WORKER__CONCURENCY"));
        let wrong = refused(&[("TRAINYARD__WORKER__CONCURRENCY", "many")]);
        assert!(wrong.contains("TRAINYARD__WORKER__CONCURRENCY") && wrong.contains("whole number"), "{wrong}");
        assert!(refused(&[("JWT_SECRET", "short")]).contains("auth.jwt_secret"));
        assert!(refused(&[("SKIP_AUTH", "true")]).contains("server.mode"));
        assert!(refused(&[("TRAINYARD__WORKER__LEASE_S", "9")]).contains("worker.renew_every_s"));
        assert!(refused(&[("TRAINYARD__WORKER__CHILD_UID", "4294967295")]).contains("worker.child_uid"));
        let sandbox = refused(&[("TRAINYARD__WORKER__SANDBOX", "maybe")]);
        assert!(sandbox.contains("worker.sandbox") && sandbox.contains("best_effort"), "{sandbox}");
        assert!(refused(&[("TRAINYARD__WORKER__LEASE_S", "15")]).contains("sweep.worker_dead_after_s"));
        let secret = refused(&[("TRAINYARD__WEBHOOKS__SECRET", "whsec_short")]);
        assert!(secret.contains("webhooks.secret") && !secret.contains("short"), "{secret}");
        assert!(refused(&[("TRAINYARD__WEBHOOKS__RETRY_PAUSES_S", "soon")]).contains("webhooks.retry_pauses_s"));
        assert!(refused(&[("DATABASE_URL", "mysql://x")]).contains("database.url"));
        assert!(refused(&[("REDIS_URL", "redis+sharded://x")]).contains("queue.url"));
        assert!(refused(&[("TRAINYARD__QUEUE__PREFIX", "{braces}")]).contains("queue.prefix"));
        assert!(refused(&[("TRAINYARD__QUEUE__RESPONSE_TIMEOUT_MS", "0")]).contains("queue.response_timeout_ms"));
        assert!(refused(&[("TRAINYARD__DATABASE__STATEMENT_TIMEOUT_S", "31")]).contains("statement_timeout_s"));
        for (name, key, value, expected) in [
            ("DATABASE_URL", "database.url", "postgres://user:hu@sh@host:notaport/db", "port"),
            ("DATABASE_URL", "database.url", "postgres://user:hu/sh@host/db", "%"),
            ("DATABASE_URL", "database.url", "postgres://user:hush@host/db?sslmode=hush", "a parameter"),
            ("DATABASE_URL", "database.url", "postgres://user:hush@host:0/db", "port"),
            ("DATABASE_URL", "database.url", "sqlite://:memory:", "sqlite://path"),
            ("DATABASE_URL", "database.url", "hush", "postgres://"),
            ("REDIS_URL", "queue.url", "redis://:hush@host:notaport", "redis://host"),
            ("REDIS_URL", "queue.url", "redis://:hush@host/notadb", "redis://host"),
            ("REDIS_URL", "queue.url", "rediss+cluster://:hush@host:notaport", "host:port"),
            ("ARTIFACT_URL", "artifacts.url", "s3://key:hush@bucket", "s3://bucket/prefix"),
            ("ARTIFACT_URL", "artifacts.url", "s3://", "s3://bucket/prefix"),
            ("ARTIFACT_URL", "artifacts.url", "file://relative/folder", "file:///absolute/folder"),
        ] {
            let error = refused(&[(name, value)]);
            assert!(error.contains(key) && error.contains(name), "{value}: {error}");
            assert!(
                error.contains(expected) && !error.contains("hu@sh") && !error.contains("hush"),
                "{value}: {error}"
            );
        }
        assert!(refused(&[("TRAINYARD__SWEEP__EVERY_MS", "10000")]).contains("sweep.lease_s"));
        for (setting, value) in [("SWEEP__ORPHAN_AGE_S", "899"), ("API__UPLOAD_TIMEOUT_S", "3301")] {
            let young = refused(&[(&format!("TRAINYARD__{setting}"), value)]);
            assert!(young.contains("sweep.orphan_age_s") && young.contains("api.upload_timeout_s"), "{young}");
        }
        assert!(with(&[("TRAINYARD__SWEEP__ORPHAN_AGE_S", "900")]).is_ok());
        assert!(refused(&[("TRAINYARD__WORKER__UNHEALTHY_AFTER_S", "5")]).contains("worker.unhealthy_after_s"));
        assert!(refused(&[("TRAINYARD__TRACES__BATCH_SPANS", "4096")]).contains("traces.batch_spans"));
        let bouncer = refused(&[("DATABASE_URL", "sqlite://x"), ("TRAINYARD__DATABASE__PGBOUNCER", "true")]);
        assert!(bouncer.contains("database.pgbouncer"), "{bouncer}");
        let proxies = refused(&[("TRAINYARD__SERVER__TRUSTED_PROXIES", "10.0.0.0/8, proxy.example")]);
        assert!(proxies.contains("server.trusted_proxies") && proxies.contains("'proxy.example'"), "{proxies}");
        let sections = refused(&[("TRAINYARD__AUTH__USERS_MAY_READ", "queue, everything")]);
        assert!(sections.contains("auth.users_may_read") && sections.contains("everything"), "{sections}");
        let models = refused(&[("TRAINYARD__INFERENCE__REQUIRED_MODELS", "titanic-rf, Demo@3")]);
        assert!(models.contains("inference.required_models") && models.contains("'Demo@3'"), "{models}");
        assert!(refused(&[("TRAINYARD__AUTH__SIGNUP", "maybe")]).contains("auth.signup"));
        assert!(refused(&[("TRAINYARD__AUTH__MAX_FAILED_LOGINS", "0")]).contains("auth.max_failed_logins"));
        assert!(refused(&[("TRAINYARD__ARTIFACTS__TLS_CA", "/ca.pem")]).contains("artifacts.tls_ca"));
        for key in ["api.upload_dir", "inference.cache_dir", "worker.work_dir"] {
            let error = refused(&[(&environment::name_of(key), "")]);
            assert_eq!(error, format!("{key} must name a folder"));
        }
        let issuers = |text| refused(&[("TRAINYARD__AUTH__ISSUERS", text)]);
        let error = issuers("secret=hush");
        assert!(error.contains("auth.issuers must be a JSON list") && !error.contains("hush"), "{error}");
        let error = issuers(r#"[{"name": "web", "kind": "authjs", "secret": "hush"}]"#);
        assert!(error.contains("auth.issuers[0].secret must") && !error.contains("hush"), "{error}");
        assert!(issuers(r#"[{"name": "web", "kind": "authjs", "salt": "x"}]"#).contains("salt"));
        for (name, key, wrong) in [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "traces.endpoint", "collector:4318"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "traces.headers", "hush"),
            ("OTEL_TRACES_SAMPLER_ARG", "traces.ratio", "1.5"),
            ("OTEL_TRACES_SAMPLER_ARG", "traces.ratio", "always"),
        ] {
            let error = refused(&[(name, wrong)]);
            assert!(error.contains(key) && !error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_file_is_overlaid_and_its_unknown_keys_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trainyard.toml");
        std::fs::write(&path, "[worker]\nconcurrency = 5\n").unwrap();
        assert_eq!(merge(Some(&path), vec![], &Vec::new()).unwrap().worker.concurrency, 5);
        std::fs::write(&path, "[worker]\nslots = 5\n").unwrap();
        let error = merge(Some(&path), vec![], &Vec::new()).unwrap_err().0;
        assert!(error.starts_with("unknown key worker.slots in ") && error.contains("trainyard.toml"), "{error}");
        std::fs::write(&path, "[wroker]\nconcurrency = 5\n").unwrap();
        let error = merge(Some(&path), vec![], &Vec::new()).unwrap_err().0;
        assert!(error.starts_with("unknown key wroker in "), "{error}");
    }

    #[test]
    fn issuers_can_be_tables_of_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trainyard.toml");
        let secret = "s".repeat(32);
        let text = format!("[[auth.issuers]]\nname = 'a'\nkind = 'authjs'\nsecret = '{secret}'\n");
        std::fs::write(&path, text).unwrap();
        let config = merge(Some(&path), vec![], &Vec::new()).unwrap();
        assert_eq!(config.auth.issuers.iter().map(|issuer| issuer.name.as_str()).collect::<Vec<_>>(), ["a"]);
    }

    #[test]
    fn secrets_can_come_from_files() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        std::fs::write(&path, format!("{}\n", "s".repeat(40))).unwrap();
        let config = with(&[("JWT_SECRET_FILE", path.to_str().unwrap())]).unwrap();
        assert_eq!(config.auth.jwt_secret, "s".repeat(40));
    }
}
