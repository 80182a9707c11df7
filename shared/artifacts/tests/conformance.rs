//! What every store must do, tried on a local folder and on an S3 endpoint over HTTP.

#![allow(clippy::unwrap_used, reason = "a test fails where it unwraps")]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::future::join_all;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use trainyard_artifacts::{ArtifactError, Key, Store};
use trainyard_testkit::{Authority, SmallDisk, free_port, s3, tls_front, with_causes};

const MIB: usize = 1024 * 1024;
const ENOUGH: u64 = 1 << 30;

/// A store, and where its objects lie as files, so that tests can damage them.
struct Bench {
    store: Store,
    files: PathBuf,
    folder: TempDir,
}

fn folder() -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("made/by/open");
    let store = Store::open_with(&format!("file://{}", files.display()), None, []).unwrap();
    Bench { store, files, folder }
}

fn bucket() -> Bench {
    let url = s3().fresh_bucket();
    let store = Store::open_with(&format!("{url}/some/prefix"), None, settings()).unwrap();
    Bench { store, files: s3().files(&url).join("some/prefix"), folder: tempfile::tempdir().unwrap() }
}

fn settings() -> Vec<(String, String)> {
    // Without AWS_ALLOW_HTTP: an http endpoint says it already.
    let env = s3().env().into_iter().filter(|(name, _)| *name != "AWS_ALLOW_HTTP");
    env.map(|(name, value)| (name.to_owned(), value)).collect()
}

impl Bench {
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

/// Bytes that repeat nowhere near a part's size, so that parts in the wrong order show.
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
    bytes_and_files_come_back_as_they_went,
    large_files_go_up_in_parts_and_come_back_whole,
    what_was_altered_or_cut_is_never_handed_out,
    an_object_over_the_limit_is_refused,
    what_is_absent_is_said_to_be,
    deleting_twice_is_fine,
    listing_names_what_is_there,
    writing_again_replaces,
    it_answers_a_ping,
    an_object_of_a_store_that_is_gone_may_come_back,
);

async fn bytes_and_files_come_back_as_they_went(bench: Bench) {
    for size in [0, 1, 100_000] {
        let content = noise(size);
        let name = key(&format!("datasets/{size}.csv"));
        let stored = bench.store.put_bytes(&name, Bytes::from(content.clone())).await.unwrap();
        assert_eq!((stored.size, &stored.sha256), (size as u64, &sha256(&content)));
        assert_eq!(bench.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap(), content);
        let (down, copy) = (bench.local("down"), key("copy"));
        bench.store.get_to_file(&name, &stored.sha256, &down, ENOUGH).await.unwrap();
        assert_eq!(std::fs::read(&down).unwrap(), content);
        assert_eq!(bench.store.put_file(&copy, &down).await.unwrap(), stored);
        assert_eq!(bench.store.get_bytes(&copy, &stored.sha256.to_uppercase(), ENOUGH).await.unwrap(), content);
    }
}

async fn large_files_go_up_in_parts_and_come_back_whole(bench: Bench) {
    // Below, at, and between multiples of the part size.
    for size in [8 * MIB, 16 * MIB, 20 * MIB + 17] {
        let content = noise(size);
        let (up, down, name) = (bench.local("up"), bench.local("down"), key("artifacts/large.tym"));
        std::fs::write(&up, &content).unwrap();
        let stored = bench.store.put_file(&name, &up).await.unwrap();
        assert_eq!((stored.size, &stored.sha256), (size as u64, &sha256(&content)));
        bench.store.get_to_file(&name, &stored.sha256, &down, ENOUGH).await.unwrap();
        assert!(std::fs::read(&down).unwrap() == content, "{size} bytes came back altered");
        assert_eq!(bench.store.put_bytes(&name, Bytes::from(content.clone())).await.unwrap(), stored);
        assert!(bench.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap() == content);
    }
}

async fn what_was_altered_or_cut_is_never_handed_out(bench: Bench) {
    type Damage = fn(&mut Vec<u8>);
    let damages: [Damage; 4] =
        [|bytes| bytes[70_000] ^= 1, |bytes| bytes.truncate(99_999), |bytes| bytes.push(0), Vec::clear];
    for damage in damages {
        let name = key("artifacts/job/1.tym");
        let stored = bench.store.put_bytes(&name, Bytes::from(noise(100_000))).await.unwrap();
        bench.damage(&name, damage);
        let error = bench.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap_err();
        let ArtifactError::DigestMismatch { expected, found } = error else { panic!("{error:?}") };
        assert_eq!(expected, stored.sha256);
        assert_ne!(found, stored.sha256);
        let target = bench.local("cache/model.tym");
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(&target, "the last good one").unwrap();
        let error = bench.store.get_to_file(&name, &stored.sha256, &target, ENOUGH).await.unwrap_err();
        assert!(matches!(error, ArtifactError::DigestMismatch { .. }), "{error:?}");
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "the last good one");
        assert_eq!(entries(target.parent().unwrap()), 1, "a part of the download was left behind");
    }
}

async fn an_object_over_the_limit_is_refused(bench: Bench) {
    let name = key("datasets/big.csv");
    let stored = bench.store.put_bytes(&name, Bytes::from(noise(1000))).await.unwrap();
    let error = bench.store.get_bytes(&name, &stored.sha256, 999).await.unwrap_err();
    assert!(matches!(error, ArtifactError::TooLarge { max: 999 }), "{error:?}");
    let target = bench.local("out");
    assert!(bench.store.get_to_file(&name, &stored.sha256, &target, 999).await.is_err());
    assert_eq!(entries(bench.folder.path()), usize::from(bench.files.starts_with(bench.folder.path())));
    bench.store.get_to_file(&name, &stored.sha256, &target, 1000).await.unwrap();
}

async fn what_is_absent_is_said_to_be(bench: Bench) {
    let error = bench.store.get_bytes(&key("artifacts/none.tym"), &sha256(b""), ENOUGH).await.unwrap_err();
    assert!(matches!(error, ArtifactError::NotFound), "{error:?}");
    let error = bench.store.put_file(&key("x"), &bench.local("no such file")).await.unwrap_err();
    assert!(matches!(error, ArtifactError::Io(_)), "{error:?}");
    assert!(!error.is_disk_full());
}

async fn deleting_twice_is_fine(bench: Bench) {
    let name = key("artifacts/job/1.tym");
    let stored = bench.store.put_bytes(&name, Bytes::from_static(b"model")).await.unwrap();
    bench.store.delete(&name).await.unwrap();
    bench.store.delete(&name).await.unwrap();
    let gone = bench.store.get_bytes(&name, &stored.sha256, ENOUGH).await;
    assert!(matches!(gone, Err(ArtifactError::NotFound)), "{gone:?}");
    bench.store.put_bytes(&name, Bytes::from_static(b"model")).await.unwrap();
}

async fn listing_names_what_is_there(bench: Bench) {
    assert!(bench.keys("").await.is_empty());
    for name in ["artifacts/a/1.tym", "artifacts/b/2.tym", "datasets/c.csv", "artifacts-of-others/d"] {
        bench.store.put_bytes(&key(name), Bytes::from(name)).await.unwrap();
    }
    std::fs::write(bench.files.join("artifacts/not a key"), "").unwrap();
    assert_eq!(bench.keys("artifacts").await, ["artifacts/a/1.tym", "artifacts/b/2.tym"]);
    assert_eq!(bench.keys("artifacts/").await, ["artifacts/a/1.tym", "artifacts/b/2.tym"]);
    assert_eq!(bench.keys("").await.len(), 4);
    let (_, size, written) = bench.store.list("datasets").await.unwrap().remove(0);
    assert_eq!(size, "datasets/c.csv".len() as u64);
    assert!((chrono::Utc::now() - written).num_seconds().abs() < 60);
}

async fn writing_again_replaces(bench: Bench) {
    let name = key("datasets/x.csv");
    bench.store.put_bytes(&name, Bytes::from(noise(500))).await.unwrap();
    let stored = bench.store.put_bytes(&name, Bytes::from_static(b"short")).await.unwrap();
    assert_eq!(bench.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap(), "short");
}

async fn it_answers_a_ping(bench: Bench) {
    bench.store.ping().await.unwrap();
    std::fs::remove_dir_all(&bench.files).ok();
    if bench.files.starts_with(bench.folder.path()) {
        assert!(bench.store.ping().await.is_err(), "the folder is gone");
    }
}

async fn an_object_of_a_store_that_is_gone_may_come_back(bench: Bench) {
    let (name, other) = (key("datasets/x.csv"), key("datasets/y.csv"));
    let stored = bench.store.put_bytes(&name, Bytes::from_static(b"1")).await.unwrap();
    bench.store.put_bytes(&other, Bytes::from_static(b"2")).await.unwrap();
    bench.store.delete(&name).await.unwrap();
    let gone = bench.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap_err();
    assert!(matches!(gone, ArtifactError::NotFound) && !gone.is_retryable(), "{gone:?}");
    // The bucket, or the folder that a volume is mounted on.
    let (root, away) = (bench.root(), bench.root().with_extension("away"));
    std::fs::rename(&root, &away).unwrap();
    for mounted in [false, true] {
        if mounted {
            std::fs::create_dir(&root).unwrap();
        }
        if mounted && !bench.files.starts_with(bench.folder.path()) {
            // An empty bucket is one that lost its object.
            continue;
        }
        let error = bench.store.get_bytes(&name, &stored.sha256, ENOUGH).await.unwrap_err();
        assert!(matches!(error, ArtifactError::NoBucket(_)) && error.is_retryable(), "{error:?}");
        let error = bench.store.head(&name, 1).await.unwrap_err();
        assert!(error.is_retryable(), "{error:?}");
    }
    std::fs::remove_dir_all(&root).unwrap();
    std::fs::rename(&away, &root).unwrap();
    assert_eq!(bench.store.get_bytes(&other, &sha256(b"2"), ENOUGH).await.unwrap(), "2");
}

#[tokio::test]
async fn a_folder_without_room_is_full_and_takes_objects_again() {
    let Some(disk) = SmallDisk::mount(2) else { return };
    let store = Store::open_with(&format!("file://{}", disk.path().display()), None, []).unwrap();
    disk.fill();
    // As one file, and in parts.
    for size in [MIB, 9 * MIB] {
        let error = store.put_bytes(&key("artifacts/a.tym"), Bytes::from(noise(size))).await.unwrap_err();
        assert!(matches!(error, ArtifactError::Full(_)) && error.is_retryable() && !error.is_disk_full(), "{error:?}");
    }
    disk.free();
    store.put_bytes(&key("artifacts/a.tym"), Bytes::from(noise(MIB))).await.unwrap();
}

#[tokio::test]
async fn escapes_in_a_prefix_are_decoded_once() {
    let url = s3().fresh_bucket();
    let store = Store::open_with(&format!("{url}/a%20b"), None, settings()).unwrap();
    store.put_bytes(&key("x"), Bytes::from_static(b"1")).await.unwrap();
    assert!(s3().files(&url).join("a b/x").is_file(), "{:?}", std::fs::read_dir(s3().files(&url)).unwrap().next());
    assert_eq!(store.get_bytes(&key("x"), &sha256(b"1"), ENOUGH).await.unwrap(), "1");
    assert_eq!(store.list("").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_ping_fails_soon_when_the_endpoint_is_away_or_the_bucket_is_not_ours() {
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
async fn keys_can_be_kept_in_files() {
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
async fn an_endpoint_with_a_certificate_of_our_own_is_trusted_by_name_alone() {
    let (ours, other) = (Authority::made(), Authority::made());
    let port = tls_front(s3().port(), &ours);
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
    // They are tried again for a while, as all that fails on the way is.
    let suspicious =
        [open(None), open(Some(&other))].map(async |store| store.put_bytes(&key("b"), Bytes::from_static(b"b")).await);
    for refused in join_all(suspicious).await {
        let error = refused.unwrap_err();
        let told = with_causes(&error);
        assert!(matches!(error, ArtifactError::Unavailable(_)) && told.contains("certificate"), "{told}");
    }
}

#[tokio::test]
async fn an_upload_to_an_endpoint_that_is_away_gives_up_in_bounded_time() {
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
fn addresses_that_can_not_be_used_are_refused() {
    let opened =
        Store::open_with("s3://bucket", Some(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----"), []);
    assert!(matches!(opened, Err(ArtifactError::BadUrl(_))), "{opened:?}");
    for bad in ["", "nonsense", "ftp://x/y", "file://relative/path", "s3://", "/tmp/x"] {
        let opened = Store::open_with(bad, None, []);
        assert!(matches!(opened, Err(ArtifactError::BadUrl(_))), "{bad:?} gave {opened:?}");
    }
}
