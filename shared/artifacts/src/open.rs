//! Opens a store from a URL and environment variables.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;
use object_store::prefix::PrefixStore;
use object_store::{BackoffConfig, Certificate, ClientOptions, ObjectStore, RetryConfig};
use url::Url;

use crate::error::{ArtifactError, Result};
use crate::store::{Backend, FolderId, Store};

const CONNECT_LIMIT: Duration = Duration::from_secs(3);
/// An attempt fails if no byte arrives for this long.
const SILENCE_LIMIT: Duration = Duration::from_secs(20);
/// Timeout of a request with its body: an upload of 8 MiB, or a download of an object.
const REQUEST_LIMIT: Duration = Duration::from_secs(300);

impl Store {
    /// Opens the store at `url`, with S3's settings from the environment. Sends no request; see [`Store::ping`].
    ///
    /// `file:///absolute/folder` is created if it does not exist. `s3://bucket/prefix` uses `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL` (or `AWS_ENDPOINT`) and the other `AWS_*` variables. An
    /// `http://` endpoint needs no `AWS_ALLOW_HTTP`. A variable with the suffix `_FILE` names a file that contains the
    /// value. `tls_ca` are additional certificate authorities in PEM.
    ///
    /// # Errors
    /// [`ArtifactError::BadUrl`] for an invalid URL or setting.
    pub fn open(url: &str, tls_ca: Option<&[u8]>) -> Result<Self> {
        let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((key.into_string().ok()?, value.into_string().ok()?))
        };
        Self::open_with(url, tls_ca, std::env::vars_os().filter_map(text))
    }

    /// As [`Store::open`], with the given environment variables.
    pub fn open_with(
        url: &str,
        tls_ca: Option<&[u8]>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self> {
        match Address::parse(url)? {
            Address::Folder(folder) => open_folder(folder),
            Address::Bucket { bucket, prefix } => open_s3(&bucket, prefix, client(tls_ca)?, environment),
        }
    }

    /// Validates a URL. The error does not contain the URL, which may contain a password.
    pub fn check_url(url: &str) -> Result<()> {
        Address::parse(url).map(drop)
    }
}

/// A parsed URL, with percent-encoding decoded.
#[derive(Debug, PartialEq, Eq)]
enum Address {
    Folder(PathBuf),
    Bucket { bucket: String, prefix: ObjectPath },
}

impl Address {
    fn parse(url: &str) -> Result<Self> {
        let bad = |reason: &str| ArtifactError::BadUrl(reason.to_owned());
        let parsed = Url::parse(url).map_err(|error| bad(&format!("{error}; expected {FORMS}")))?;
        if parsed.query().is_some() || parsed.fragment().is_some() {
            return Err(bad("write ? and # as %3F and %23"));
        }
        match parsed.scheme() {
            "file" => {
                let folder = parsed.to_file_path().map_err(|()| bad("file URLs must be file:///absolute/folder"))?;
                Ok(Self::Folder(folder))
            }
            "s3" => {
                let has_more = !parsed.username().is_empty() || parsed.password().is_some() || parsed.port().is_some();
                let bucket = parsed.host_str().filter(|host| !host.is_empty() && !has_more);
                let bucket = bucket.ok_or_else(|| {
                    bad("s3 URLs must be s3://bucket/prefix; keys and endpoint are AWS_ACCESS_KEY_ID, \
                         AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL")
                })?;
                let prefix = ObjectPath::from_url_path(parsed.path().trim_matches('/'))
                    .map_err(|_| bad("the prefix of an s3 URL must not contain empty segments, . or .."))?;
                Ok(Self::Bucket { bucket: bucket.to_owned(), prefix })
            }
            other => Err(bad(&format!("unknown scheme {other:?}; expected {FORMS}"))),
        }
    }
}

const FORMS: &str = "file:///absolute/folder or s3://bucket/prefix";

fn open_folder(folder: PathBuf) -> Result<Store> {
    let failed = |error: &dyn std::fmt::Display| ArtifactError::BadUrl(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
    // fsync: an accepted upload must survive a power failure, as on S3. Files appear under their name when complete.
    let files = LocalFileSystem::new_with_prefix(&folder).map_err(|error| failed(&error))?;
    let files = files.with_automatic_cleanup(true).with_fsync(true);
    let opened = FolderId::of(&folder).map_err(|error| failed(&error))?;
    Ok(Store::new(Arc::new(files), Backend::Folder { path: folder, opened }))
}

fn open_s3(
    bucket: &str,
    prefix: ObjectPath,
    client: ClientOptions,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Store> {
    let environment: Vec<(String, String)> = environment.into_iter().collect();
    // The start of the inference role would wait until all certificates of the system are read.
    let client = client.with_no_system_certificates(needs_no_certificates(&environment));
    let mut builder = AmazonS3Builder::new().with_client_options(client).with_retry(retries());
    let mut is_plain_http = false;
    for (name, value) in environment {
        if let Some((key, value)) = s3_setting(&name, value)? {
            is_plain_http |= name.starts_with("AWS_ENDPOINT") && value.starts_with("http://");
            builder = builder.with_config(key, value);
        }
    }
    if is_plain_http {
        builder = builder.with_allow_http(true);
    }
    let s3 = builder.with_bucket_name(bucket).build().map_err(|error| ArtifactError::BadUrl(error.to_string()))?;
    let s3: Arc<dyn ObjectStore> =
        if prefix.as_ref().is_empty() { Arc::new(s3) } else { Arc::new(PrefixStore::new(s3, prefix)) };
    Ok(Store::new(s3, Backend::Remote))
}

/// Whether no connection can use TLS: the endpoint is plain HTTP, the credentials are given, and there is no proxy.
fn needs_no_certificates(environment: &[(String, String)]) -> bool {
    let is_set = |name: &str| environment.iter().any(|(set, _)| set.strip_suffix("_FILE").unwrap_or(set) == name);
    let mut endpoints = environment.iter().filter(|(name, _)| name.starts_with("AWS_ENDPOINT")).peekable();
    let uses_others = environment.iter().any(|(name, _)| {
        let name = name.to_ascii_uppercase();
        name.ends_with("_PROXY") || name.starts_with("AWS_PROXY") || name == "AWS_S3_EXPRESS"
    });
    endpoints.peek().is_some()
        && endpoints.all(|(_, value)| value.starts_with("http://"))
        && is_set("AWS_ACCESS_KEY_ID")
        && is_set("AWS_SECRET_ACCESS_KEY")
        && !uses_others
}

/// A setting from an environment variable, or from the file that a `_FILE` variable names.
fn s3_setting(name: &str, value: String) -> Result<Option<(AmazonS3ConfigKey, String)>> {
    let key = |name: &str| name.to_ascii_lowercase().parse().ok().filter(|_| name.starts_with("AWS_"));
    // First the full name: some AWS variables end in _FILE.
    if let Some(key) = key(name) {
        return Ok(Some((key, value)));
    }
    let Some(key) = name.strip_suffix("_FILE").and_then(key) else { return Ok(None) };
    let text = std::fs::read_to_string(&value)
        .map_err(|error| ArtifactError::BadUrl(format!("{name}: cannot read {value}: {error}")))?;
    Ok(Some((key, text.trim_end_matches(['\r', '\n']).to_owned())))
}

fn client(tls_ca: Option<&[u8]>) -> Result<ClientOptions> {
    trainyard_tls::install_provider();
    let options = ClientOptions::new()
        .with_connect_timeout(CONNECT_LIMIT)
        .with_read_timeout(SILENCE_LIMIT)
        .with_timeout(REQUEST_LIMIT);
    let unusable =
        |error: object_store::Error| ArtifactError::BadUrl(format!("invalid certificate authority: {error}"));
    let authorities = Certificate::from_pem_bundle(tls_ca.unwrap_or_default()).map_err(unusable)?;
    Ok(authorities.into_iter().fold(options, ClientOptions::with_root_certificate))
}

/// Retries for ten seconds. Longer outages are left to the job's own retries.
fn retries() -> RetryConfig {
    RetryConfig {
        backoff: BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(2),
            base: 2.0,
        },
        max_retries: 8,
        retry_timeout: Duration::from_secs(10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_decoded_once() {
        let bucket = |prefix: &str| Address::Bucket { bucket: "b".into(), prefix: ObjectPath::parse(prefix).unwrap() };
        for (url, expected) in [
            ("s3://b", bucket("")),
            ("s3://b/", bucket("")),
            ("s3://b/a%20b/c/", bucket("a b/c")),
            ("s3://b/a b", bucket("a b")),
            ("s3://b/a%2520b", bucket("a%20b")),
            ("s3://b/%C3%A9", bucket("é")),
            ("file:///a%20b", Address::Folder("/a b".into())),
            ("file:///a%2520b", Address::Folder("/a%20b".into())),
        ] {
            assert_eq!(Address::parse(url).unwrap(), expected, "{url}");
        }
    }

    #[test]
    fn only_plain_http_with_given_credentials_needs_no_certificates() {
        let needs_none = |more: &[(&str, &str)]| {
            let keys = [("AWS_ACCESS_KEY_ID", "k"), ("AWS_SECRET_ACCESS_KEY_FILE", "/secret")];
            let all = keys.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            needs_no_certificates(&all.collect::<Vec<_>>())
        };
        let plain = ("AWS_ENDPOINT_URL", "http://s3:8333");
        assert!(needs_none(&[plain]));
        assert!(!needs_none(&[]) && !needs_none(&[("AWS_ENDPOINT_URL", "https://s3")]));
        assert!(!needs_none(&[plain, ("https_proxy", "https://proxy")]));
        let without_keys = [("AWS_ENDPOINT_URL".to_owned(), "http://s3".to_owned())];
        assert!(!needs_no_certificates(&without_keys), "the credentials come from another server");
    }

    #[test]
    fn urls_with_unsupported_parts_are_refused_without_repeating_them() {
        for url in
            ["s3://key:secret@b/x", "s3://b:9000/x", "s3://b/x?secret", "file:///a#secret", "s3://b/a//b", "s3:/"]
        {
            let text = Address::parse(url).unwrap_err().to_string();
            assert!(!text.contains("secret"), "{text}");
        }
    }
}
