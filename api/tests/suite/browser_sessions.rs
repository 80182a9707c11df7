//! Sessions of browsers: the refresh token in a cookie, and the header against CSRF.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Caller};

const NAME: &str = "trainyard_session";

async fn signed_in(api: &Api, headers: &[(&str, &str)]) -> Answer {
    let ada = json!({"email": "ada@example.com", "password": "long enough"});
    api.anon().post("/signup", ada.clone()).await;
    let mut request = api.anon().request(Method::POST, "/login?session=cookie");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    api.anon().send(request.header("content-type", "application/json"), ada.to_string()).await
}

/// `name=value` of the cookie that the response sets, and its attributes.
fn set_cookie(answer: &Answer) -> (String, String) {
    let (pair, attributes) = answer.header("set-cookie").split_once("; ").unwrap_or_else(|| panic!("{answer:?}"));
    (pair.to_owned(), attributes.to_owned())
}

/// Sends a request without a body, as the console does.
async fn send(caller: &Caller<'_>, path: &str, cookie: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = caller.request(Method::POST, path).header("cookie", cookie);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    caller.send(request, "").await
}

const CSRF: (&str, &str) = ("x-trainyard-csrf", "1");

#[tokio::test]
async fn a_browser_keeps_its_refresh_token_in_a_cookie_that_scripts_cannot_read() {
    let api = Api::start().await;
    let answer = signed_in(&api, &[]).await;
    let (first, attributes) = set_cookie(&answer);
    assert!(first.starts_with(&format!("{NAME}=")), "{first}");
    assert_eq!(attributes, "Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict");
    assert_eq!(answer.header("cache-control"), "no-store");
    let session = answer.ok(200);
    assert_eq!(session["refresh_token"], Value::Null, "{session}");
    api.caller(&session).get("/me").await.ok(200);

    // Another cookie of the same host is ignored.
    let next = send(&api.anon(), "/refresh", &format!("theme=dark; {first}"), &[CSRF]).await;
    let (second, _) = set_cookie(&next);
    assert_ne!(first, second);
    let session = next.ok(200);
    assert_eq!(session["refresh_token"], Value::Null, "{session}");
    api.caller(&session).get("/me").await.ok(200);
    send(&api.anon(), "/refresh", &second, &[CSRF]).await.ok(200);
}

#[tokio::test]
async fn over_https_the_cookie_is_secure_and_bound_to_the_host() {
    let api = Api::start().await;
    for header in [("origin", "https://trainyard.example.com"), ("x-forwarded-proto", "https")] {
        let answer = signed_in(&api, &[header]).await;
        let (pair, attributes) = set_cookie(&answer);
        assert!(pair.starts_with("__Host-trainyard_session="), "{pair}");
        assert!(attributes.contains("; Secure") && attributes.contains("Path=/;"), "{attributes}");
        let next = send(&api.anon(), "/refresh", &pair, &[CSRF]).await;
        assert!(set_cookie(&next).1.contains("; Secure"), "{next:?}");
        next.ok(200);
    }
    let plain = signed_in(&api, &[("origin", "http://10.0.0.7:8080"), ("x-forwarded-proto", "https")]).await;
    assert!(!set_cookie(&plain).1.contains("Secure"), "the browser's own word counts first");
}

#[tokio::test]
async fn a_page_of_another_site_cannot_use_the_cookie() {
    let api = Api::start().await;
    let (cookie, _) = set_cookie(&signed_in(&api, &[]).await);
    let anon = api.anon();
    for path in ["/refresh", "/logout"] {
        send(&anon, path, &cookie, &[]).await.problem(400);
        send(&anon, path, &cookie, &[CSRF, ("sec-fetch-site", "cross-site")]).await.problem(403);
        send(&anon, path, &cookie, &[CSRF, ("sec-fetch-site", "same-site")]).await.problem(403);
        let missing = send(&anon, path, "theme=dark", &[CSRF]).await;
        assert_eq!(missing.problem(401)["code"], "invalid_credentials");
        send(&anon, path, &format!("{NAME}="), &[CSRF]).await.problem(401);
    }
    send(&anon, "/refresh", &cookie, &[CSRF, ("sec-fetch-site", "same-origin")]).await.ok(200);
}

#[tokio::test]
async fn sign_out_ends_the_session_and_removes_the_cookie() {
    let api = Api::start().await;
    let (cookie, _) = set_cookie(&signed_in(&api, &[]).await);
    let out = send(&api.anon(), "/logout", &cookie, &[CSRF]).await;
    assert_eq!(set_cookie(&out).0, format!("{NAME}="));
    assert!(set_cookie(&out).1.contains("Max-Age=0"), "{out:?}");
    out.ok(204);
    send(&api.anon(), "/refresh", &cookie, &[CSRF]).await.problem(401);
}

#[tokio::test]
async fn two_tabs_that_refresh_together_both_stay_signed_in() {
    let api = Api::start().await;
    let (cookie, _) = set_cookie(&signed_in(&api, &[]).await);
    let anon = api.anon();
    let (one, other) =
        tokio::join!(send(&anon, "/refresh", &cookie, &[CSRF]), send(&anon, "/refresh", &cookie, &[CSRF]));
    assert_eq!(set_cookie(&one).0, set_cookie(&other).0);
    assert_eq!(one.ok(200), other.ok(200));
}

#[tokio::test]
async fn a_token_in_the_body_is_used_before_the_cookie() {
    let api = Api::start().await;
    let (cookie, _) = set_cookie(&signed_in(&api, &[]).await);
    let ada = json!({"email": "ada@example.com", "password": "long enough"});
    let bearer = api.anon().post("/login?session=bearer", ada.clone()).await;
    assert_eq!(bearer.header("set-cookie"), "");
    let token = bearer.ok(200)["refresh_token"].clone();
    let request = api.anon().request(Method::POST, "/refresh").header("cookie", &cookie).header(CSRF.0, CSRF.1);
    let body = json!({"refresh_token": token}).to_string();
    let next = api.anon().send(request.header("content-type", "application/json"), body).await;
    assert_eq!(next.header("set-cookie"), "");
    assert!(next.ok(200)["refresh_token"].is_string());
    assert_eq!(api.anon().post("/login?session=tab", ada).await.refused(), ["session"]);
}
