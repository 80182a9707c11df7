//! Conformance tests, on a local folder and on an S3 endpoint over HTTP.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use trainyard_artifacts::{ArtifactError, Key, Store};
use trainyard_testkit::{Authority, SmallDisk, error_chain, free_port, s3, tls_proxy};

const MIB: usize = 1024 * 1024;
const ENOUGH: u64 = 1 << 30;

/// A store, and the folder with its objects as files, which tests damage.
struct TestStore {
    store: Store,
    files: PathBuf,
    folder: TempDir,
}

fn folder() -> TestStore {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("made/by/open");
    let store = Store::open_with(&format!("file://{}", files.display()), None, []).unwrap();
    TestStore { store, files, folder }
}

fn bucket() -> TestStore {
    let url = s3().fresh_bucket();
    let store = Store::open_with(&format!("{url}/some/prefix"), None, settings()).unwrap();
    TestStore { store, files: s3().files(&url).join("some/prefix"), folder: tempfile::tempdir().unwrap() }
}

fn settings() -> Vec<(String, String)> {
    // Without AWS_ALLOW_HTTP: an http endpoint must work without it.
    let env = s3().env().into_iter().filter(|(name, _)| *name != "AWS_ALLOW_HTTP");
    env.map(|(name, value)| (name.to_owned(), value)).collect()
}

impl TestStore {
    /// The bucket or the store's folder.
    fn root(&self) -> PathBuf {
        if self.files.starts_with(self.folder.path()) {
            return self.files.clone();
        }
        self.files.ancestors().nth(2).unwrap().to_owned()
    }

    fn local(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn damage(&self, key: &Key, change: impl FnOnce(&mut Vec<u8>)) {
        let path = self.files.join(key.as_str());
        let mut bytes = std::fs::read(&path).unwrap();
        change(&mut bytes);
        std::fs::write(path, bytes).unwrap();
    }

    async fn keys(&self, prefix: &str) -> Vec<String> {
        let mut keys: Vec<_> =
            self.store.list(prefix).await.unwrap().into_iter().map(|(key, ..)| key.to_string()).collect();
        keys.sort();
        keys
    }
}

fn key(text: &str) -> Key {
    Key::parse(text).unwrap()
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Bytes without repetition within a part's size, so that reordered parts are detected.
fn noise(size: usize) -> Vec<u8> {
    (0..size as u64).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8).collect()
}

fn entries(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

macro_rules! on_both {
    ($($name:ident),+ $(,)?) => {
        mod file {
            $(#[tokio::test] async fn $name() { super::$name(super::folder()).await })+
        }
        mod s3 {
            $(#[tokio::test] async fn $name() { super::$name(super::bucket()).await })+
        }
    };
}

on_both!(
    bytes_and_files_read_back_as_written,
    large_files_are_uploaded_in_parts_and_read_back,
    altered_and_truncated_objects_are_never_returned,
    an_object_over_the_limit_is_refused,
    missing_objects_and_files_are_reported,
    deleting_twice_succeeds,
    a_list_has_every_object_under_its_prefix,
    a_second_write_replaces_the_object,
    a_ping_succeeds,
    a_missing_store_is_retryable_and_a_missing_object_is_not,
);

async fn bytes_and_files_read_back_as_written(test: TestStore) {
    for size in [0, 1, 100_000] {
        let content = noise(size);
        let name = key(&format!("datasets/{size}.csv"));
        let stored = test.store.put_bytes(&name, Bytes::from(content.clone())).await.unwrap();
        assert_eq!((stored.size, &stored.sha256), (size as u64, &sha256(&content)));
        assert_eq!(test.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap(), content);
        let (down, copy) = (test.local("down"), key("copy"));
        test.store.get_to_file(&name, &stored.sha256, &down, ENOUGH).await.unwrap();
        assert_eq!(std::fs::read(&down).unwrap(), content);
        assert_eq!(test.store.put_file(&copy, &down).await.unwrap(), stored);
        assert_eq!(test.store.put_hashed_file(&copy, &down, &stored.sha256).await.unwrap(), stored);
        assert_eq!(test.store.get_bytes(&copy, &stored.sha256.to_uppercase(), ENOUGH).await.unwrap(), content);
        let new = key(&format!("new/{size}.csv"));
        assert_eq!(test.store.put_hashed_file(&new, &down, &stored.sha256).await.unwrap(), stored);
        std::fs::remove_file(&down).unwrap();
        assert_eq!(test.store.get_bytes(&new, &stored.sha256, ENOUGH).await.unwrap(), content);
    }
}

async fn large_files_are_uploaded_in_parts_and_read_back(test: TestStore) {
    // Multiples of the part size, and a size between two.
    for size in [8 * MIB, 16 * MIB, 20 * MIB + 17] {
        let content = noise(size);
        let (up, down, name) = (test.local("up"), test.local("down"), key("artifacts/large.tym"));
        std::fs::write(&up, &content).unwrap();
        let stored = test.store.put_file(&name, &up).await.unwrap();
        assert_eq!((stored.size, &stored.sha256), (size as u64, &sha256(&content)));
        assert_eq!(test.store.put_hashed_file(&name, &up, &stored.sha256).await.unwrap(), stored);
        test.store.get_to_file(&name, &stored.sha256, &down, ENOUGH).await.unwrap();
        assert!(std::fs::read(&down).unwrap() == content, "{size} bytes came back altered");
        assert_eq!(test.store.put_bytes(&name, Bytes::from(content.clone())).await.unwrap(), stored);
        assert!(test.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap() == content);
    }
}

async fn altered_and_truncated_objects_are_never_returned(test: TestStore) {
    type Damage = fn(&mut Vec<u8>);
    let damages: [Damage; 4] =
        [|bytes| bytes[70_000] ^= 1, |bytes| bytes.truncate(99_999), |bytes| bytes.push(0), Vec::clear];
    for damage in damages {
        let name = key("artifacts/job/1.tym");
        let stored = test.store.put_bytes(&name, Bytes::from(noise(100_000))).await.unwrap();
        test.damage(&name, damage);
        let error = test.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap_err();
        let ArtifactError::DigestMismatch { expected, found } = error else { panic!("{error:?}") };
        assert_eq!(expected, stored.sha256);
        assert_ne!(found, stored.sha256);
        let target = test.local("cache/model.tym");
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(&target, "the last good one").unwrap();
        let error = test.store.get_to_file(&name, &stored.sha256, &target, ENOUGH).await.unwrap_err();
        assert!(matches!(error, ArtifactError::DigestMismatch { .. }), "{error:?}");
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "the last good one");
        assert_eq!(entries(target.parent().unwrap()), 1, "an incomplete download was left behind");
    }
}

async fn an_object_over_the_limit_is_refused(test: TestStore) {
    let name = key("datasets/big.csv");
    let stored = test.store.put_bytes(&name, Bytes::from(noise(1000))).await.unwrap();
    let error = test.store.get_bytes(&name, &stored.sha256, 999).await.unwrap_err();
    assert!(matches!(error, ArtifactError::TooLarge { max: 999 }), "{error:?}");
    let target = test.local("out");
    assert!(test.store.get_to_file(&name, &stored.sha256, &target, 999).await.is_err());
    assert_eq!(entries(test.folder.path()), usize::from(test.files.starts_with(test.folder.path())));
    test.store.get_to_file(&name, &stored.sha256, &target, 1000).await.unwrap();
}

async fn missing_objects_and_files_are_reported(test: TestStore) {
    let error = test.store.get_bytes(&key("artifacts/none.tym"), &sha256(b""), ENOUGH).await.unwrap_err();
    assert!(matches!(error, ArtifactError::NotFound), "{error:?}");
    let error = test.store.put_file(&key("x"), &test.local("no such file")).await.unwrap_err();
    assert!(matches!(error, ArtifactError::Io(_)), "{error:?}");
    assert!(!error.is_disk_full());
}

async fn deleting_twice_succeeds(test: TestStore) {
    let name = key("artifacts/job/1.tym");
    let stored = test.store.put_bytes(&name, Bytes::from_static(b"model")).await.unwrap();
    test.store.delete(&name).await.unwrap();
    test.store.delete(&name).await.unwrap();
    let gone = test.store.get_bytes(&name, &stored.sha256, ENOUGH).await;
    assert!(matches!(gone, Err(ArtifactError::NotFound)), "{gone:?}");
    test.store.put_bytes(&name, Bytes::from_static(b"model")).await.unwrap();
}

async fn a_list_has_every_object_under_its_prefix(test: TestStore) {
    assert!(test.keys("").await.is_empty());
    for name in ["artifacts/a/1.tym", "artifacts/b/2.tym", "datasets/c.csv", "artifacts-of-others/d"] {
        test.store.put_bytes(&key(name), Bytes::from(name)).await.unwrap();
    }
    std::fs::write(test.files.join("artifacts/not a key"), "").unwrap();
    assert_eq!(test.keys("artifacts").await, ["artifacts/a/1.tym", "artifacts/b/2.tym"]);
    assert_eq!(test.keys("artifacts/").await, ["artifacts/a/1.tym", "artifacts/b/2.tym"]);
    assert_eq!(test.keys("").await.len(), 4);
    let (_, size, written) = test.store.list("datasets").await.unwrap().remove(0);
    assert_eq!(size, "datasets/c.csv".len() as u64);
    assert!((chrono::Utc::now() - written).num_seconds().abs() < 60);
}

async fn a_second_write_replaces_the_object(test: TestStore) {
    let name = key("datasets/x.csv");
    test.store.put_bytes(&name, Bytes::from(noise(500))).await.unwrap();
    let stored = test.store.put_bytes(&name, Bytes::from_static(b"short")).await.unwrap();
    assert_eq!(test.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap(), "short");
}

async fn a_ping_succeeds(test: TestStore) {
    test.store.ping().await.unwrap();
    std::fs::remove_dir_all(&test.files).ok();
    if test.files.starts_with(test.folder.path()) {
        assert!(test.store.ping().await.is_err(), "the folder is gone");
    }
}

async fn a_missing_store_is_retryable_and_a_missing_object_is_not(test: TestStore) {
    let (name, other) = (key("datasets/x.csv"), key("datasets/y.csv"));
    let stored = test.store.put_bytes(&name, Bytes::from_static(b"1")).await.unwrap();
    test.store.put_bytes(&other, Bytes::from_static(b"2")).await.unwrap();
    test.store.delete(&name).await.unwrap();
    let gone = test.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap_err();
    assert!(matches!(gone, ArtifactError::NotFound) && !gone.is_retryable(), "{gone:?}");
    // Move the bucket or the folder away, as an unmounted volume does.
    let (root, away) = (test.root(), test.root().with_extension("away"));
    std::fs::rename(&root, &away).unwrap();
    for mounted in [false, true] {
        if mounted {
            std::fs::create_dir(&root).unwrap();
        }
        if mounted && !test.files.starts_with(test.folder.path()) {
            // An empty bucket exists and lacks the object.
            continue;
        }
        let error = test.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap_err();
        assert!(matches!(error, ArtifactError::NoBucket(_)) && error.is_retryable(), "{error:?}");
        let error = test.store.head(&name, 1).await.unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
    }
    std::fs::remove_dir_all(&root).unwrap();
    std::fs::rename(&away, &root).unwrap();
    assert_eq!(test.store.get_bytes(&other, &sha256(b"2"), ENOUGH).await.unwrap(), "2");
}

#[tokio::test]
async fn a_full_folder_accepts_objects_once_it_has_room() {
    let Some(disk) = SmallDisk::mount(2) else { return };
    let store = Store::open_with(&format!("file://{}", disk.path().display()), None, []).unwrap();
    disk.fill();
    // In one request, and in parts.
    for size in [MIB, 9 * MIB] {
        let error = store.put_bytes(&key("artifacts/a.tym"), Bytes::from(noise(size))).await.unwrap_err();
        assert!(matches!(error, ArtifactError::Full(_)) && error.is_retryable() && !error.is_disk_full(), "{error:?}");
    }
    disk.free();
    store.put_bytes(&key("artifacts/a.tym"), Bytes::from(noise(MIB))).await.unwrap();
}

#[tokio::test]
async fn percent_encoding_in_a_prefix_is_decoded_once() {
    let url = s3().fresh_bucket();
    let store = Store::open_with(&format!("{url}/a%20b"), None, settings()).unwrap();
    store.put_bytes(&key("x"), Bytes::from_static(b"1")).await.unwrap();
    assert!(s3().files(&url).join("a b/x").is_file(), "{:?}", std::fs::read_dir(s3().files(&url)).unwrap().next());
    assert_eq!(store.get_bytes(&key("x"), &sha256(b"1"), ENOUGH).await.unwrap(), "1");
    assert_eq!(store.list("").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_ping_fails_soon_without_endpoint_bucket_or_access() {
    let away = |name: &str, value: String| {
        if name == "AWS_ENDPOINT_URL" { format!("http://127.0.0.1:{}", free_port()) } else { value }
    };
    let wrong_key = |name: &str, value: String| if name == "AWS_SECRET_ACCESS_KEY" { "wrong".into() } else { value };
    let bucket = s3().fresh_bucket();
    let with = |url: &str, change: &dyn Fn(&str, String) -> String| {
        let env = settings().into_iter().map(|(name, value)| {
            let value = change(&name, value);
            (name, value)
        });
        Store::open_with(url, None, env).unwrap()
    };
    type Expected = fn(&ArtifactError) -> bool;
    let cases: [(Store, Expected); 3] = [
        (with(&bucket, &away), |error| matches!(error, ArtifactError::Unavailable(_))),
        (with(&bucket, &wrong_key), |error| matches!(error, ArtifactError::Denied(_))),
        (with("s3://no-such-bucket", &|_, value| value), |error| matches!(error, ArtifactError::NoBucket(_))),
    ];
    for (store, expected) in cases {
        let start = Instant::now();
        let error = store.ping().await.unwrap_err();
        assert!(expected(&error) && error.is_retryable(), "{error:?}");
        let absent = store.get_bytes(&key("x"), &sha256(b""), ENOUGH).await.unwrap_err();
        assert!(absent.is_retryable(), "{absent:?}");
        assert!(start.elapsed() < Duration::from_secs(15), "took {:?}", start.elapsed());
    }
}

#[tokio::test]
async fn credentials_are_read_from_files() {
    let folder = tempfile::tempdir().unwrap();
    let in_files = settings().into_iter().map(|(name, value)| {
        let path = folder.path().join(&name);
        std::fs::write(&path, format!("{value}\n")).unwrap();
        (format!("{name}_FILE"), path.display().to_string())
    });
    let store = Store::open_with(&s3().fresh_bucket(), None, in_files).unwrap();
    store.ping().await.unwrap();

    let missing = [("AWS_SECRET_ACCESS_KEY_FILE".to_owned(), "/no/such/file".to_owned())];
    let error = Store::open_with("s3://bucket", None, missing).unwrap_err().to_string();
    assert!(error.contains("AWS_SECRET_ACCESS_KEY_FILE") && error.contains("/no/such/file"), "{error}");
}

#[tokio::test]
async fn an_endpoint_is_trusted_by_the_configured_authority_only() {
    let (ours, other) = (Authority::create(), Authority::create());
    let port = tls_proxy(s3().port(), &ours);
    let env = settings().into_iter().map(|(name, value)| match name.as_str() {
        "AWS_ENDPOINT_URL" => (name, format!("https://localhost:{port}")),
        _ => (name, value),
    });
    let (bucket, env) = (s3().fresh_bucket(), env.collect::<Vec<_>>());
    let open = |ca: Option<&Authority>| {
        let ca = ca.map(|authority| std::fs::read(authority.ca()).unwrap());
        Store::open_with(&bucket, ca.as_deref(), env.clone()).unwrap()
    };
    let (trusting, payload) = (open(Some(&ours)), Bytes::from(noise(3 * MIB)));
    let stored = trusting.put_bytes(&key("a"), payload.clone()).await.unwrap();
    assert_eq!(trusting.get_bytes(&key("a"), &stored.sha256, ENOUGH).await.unwrap(), payload);
    // Certificate errors are retried, as all connection errors are.
    let untrusting =
        [open(None), open(Some(&other))].map(async |store| store.put_bytes(&key("b"), Bytes::from_static(b"b")).await);
    for refused in join_all(untrusting).await {
        let error = refused.unwrap_err();
        let text = error_chain(&error);
        assert!(matches!(error, ArtifactError::Unavailable(_)) && text.contains("certificate"), "{text}");
    }
}

#[tokio::test]
async fn an_upload_to_a_missing_endpoint_fails_in_bounded_time() {
    let env = vec![
        ("AWS_ACCESS_KEY_ID".to_owned(), "x".to_owned()),
        ("AWS_SECRET_ACCESS_KEY".to_owned(), "y".to_owned()),
        ("AWS_ENDPOINT".to_owned(), format!("http://127.0.0.1:{}", free_port())),
    ];
    let store = Store::open_with("s3://bucket", None, env).unwrap();
    let start = Instant::now();
    let error = store.put_bytes(&key("a"), Bytes::from_static(b"b")).await.unwrap_err();
    assert!(matches!(error, ArtifactError::Unavailable(_)), "{error:?}");
    assert!(start.elapsed() < Duration::from_secs(15), "took {:?}", start.elapsed());
}

#[test]
fn invalid_urls_are_refused() {
    let opened =
        Store::open_with("s3://bucket", Some(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"), []);
    assert!(matches!(opened, Err(ArtifactError::BadUrl(_))), "{opened:?}");
    for bad in ["", "nonsense", "ftp://x/y", "file://relative/path", "s3://", "/tmp/x"] {
        let opened = Store::open_with(bad, None, []);
        assert!(matches!(opened, Err(ArtifactError::BadUrl(_))), "{bad:?} gave {opened:?}");
    }
}
