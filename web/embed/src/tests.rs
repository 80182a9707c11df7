//! Tests of the routes with files of their own, so that they need no build of the console.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;
use trainyard_http::Authenticator;
use trainyard_http::body::Pace;
use trainyard_http::routes::Limits;

use super::{File, Settings, routes};

const PAGE: File =
    File { name: "index.html", etag: "\"5-aa\"", plain: b"<html", brotli: Some(b"br"), gzip: Some(b"gzip") };
const SCRIPT: File = File { name: "assets/a-1.js", etag: "\"2-bb\"", plain: b"js", brotli: None, gzip: None };
const BUILT: &[File] = &[PAGE, SCRIPT];
const BROWSER: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");

fn router(files: &'static [File]) -> Router {
    let pace = Pace { pause: std::time::Duration::from_secs(1), min_bytes_per_s: 0 };
    let limits = Limits { body_bytes: 1024, timeout_s: 5, pace };
    routes(files, Settings { signup_open: true, max_dataset_bytes: 1000, version: "1.2.3" })
        .into_router(Authenticator::reject_all(), limits)
}

struct Answer {
    status: StatusCode,
    headers: axum::http::HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn get(files: &'static [File], path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router(files).oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer { status: parts.status, headers: parts.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

#[tokio::test]
async fn every_page_of_a_browser_is_the_same_page_with_strict_headers() {
    for path in ["/", "/console/", "/console/models", "/console/jobs/some.id"] {
        let page = get(BUILT, path, &[BROWSER]).await;
        assert_eq!((page.status, page.body.as_str()), (StatusCode::OK, "<html"), "{path}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("cache-control"), "no-cache");
    }
}

#[tokio::test]
async fn requests_that_are_no_navigation_get_404_for_unknown_paths() {
    for (path, headers) in [
        ("/console/models", &[("accept", "application/json")][..]),
        ("/console/models", &[]),
        ("/console/assets/old-0.js", &[BROWSER]),
        ("/unknown", &[BROWSER]),
        ("/assets/a-1.js", &[]),
    ] {
        let answer = get(BUILT, path, headers).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(answer.header("content-type"), "application/problem+json", "{path}");
    }
}

#[tokio::test]
async fn the_best_accepted_encoding_is_sent_with_its_own_entity_tag() {
    for (accepts, encoding, body) in [
        ("gzip, deflate, br", "br", "br"),
        ("gzip", "gzip", "gzip"),
        ("br;q=0, gzip;q=0.5", "gzip", "gzip"),
        ("identity", "", "<html"),
    ] {
        let page = get(BUILT, "/", &[("accept-encoding", accepts)]).await;
        assert_eq!((page.header("content-encoding"), page.body.as_str()), (encoding, body), "{accepts}");
        assert_eq!(page.header("vary"), "accept-encoding");
        let same = get(BUILT, "/", &[("accept-encoding", accepts), ("if-none-match", page.header("etag"))]).await;
        assert_eq!((same.status, same.body.as_str()), (StatusCode::NOT_MODIFIED, ""), "{accepts}");
        let other = get(BUILT, "/", &[("accept-encoding", accepts), ("if-none-match", "\"5-ab\"")]).await;
        assert_eq!(other.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn hashed_files_are_cached_for_ever() {
    let script = get(BUILT, "/console/assets/a-1.js", &[("accept-encoding", "br")]).await;
    assert_eq!((script.status, script.body.as_str()), (StatusCode::OK, "js"));
    assert_eq!(script.header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(script.header("cache-control"), "public, max-age=31536000, immutable");
    assert_eq!(script.header("content-encoding"), "");
}

#[tokio::test]
async fn a_binary_without_the_console_says_how_to_get_it() {
    let page = get(&[], "/", &[BROWSER]).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("make web") && page.body.contains("/docs/"), "{}", page.body);
    assert_eq!(page.header("cache-control"), "no-store");
}

#[tokio::test]
async fn the_settings_of_the_console_are_public() {
    let settings = get(BUILT, "/console/settings.json", &[]).await;
    assert_eq!(settings.body, r#"{"signup_open":true,"max_dataset_bytes":1000,"version":"1.2.3"}"#);
}
