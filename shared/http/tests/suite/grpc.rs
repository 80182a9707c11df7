//! gRPC methods are routes: access, limits and problems are those of every route, in the form of gRPC.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::post;
use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER};
use http::{Request, Version};
use http_body_util::BodyExt;
use tower::ServiceExt;
use trainyard_domain::{Clock, Role};
use trainyard_http::auth::{DisabledUsers, PrincipalCheck};
use trainyard_http::grpc::{Call, Reply};
use trainyard_http::{Authenticator, Code, Problem, Route, Routes};

use crate::support::{Answer, jwt, settings, start, token};

const MESSAGE: &[u8] = &[0, 0, 0, 0, 2, b'h', b'i'];

async fn echo(Call(message): Call) -> Result<Reply, Problem> {
    Reply::encode(message.len(), |body| {
        body.extend_from_slice(&message);
        Ok(())
    })
}

fn app() -> Router {
    let failing = |problem: fn() -> Problem| post(move || async move { problem() });
    let routes = Routes::new()
        .user(Route::grpc("/t.Service/Echo", post(echo)).body_limit(16))
        .admin(Route::grpc("/t.Service/Admin", post(echo)))
        .anon(Route::grpc("/t.Service/Stuck", post(std::future::pending::<()>)).timeout(Duration::from_millis(10)))
        .anon(Route::grpc("/t.Service/Broken", failing(|| Problem::internal("SELECT * FROM users failed"))))
        .anon(Route::grpc("/t.Service/Away", failing(|| Problem::unavailable("the database", "10.0.0.7 refused"))))
        .anon(Route::grpc("/t.Service/Taken", failing(|| Problem::conflict("'ö' is taken: 100 %"))))
        .anon(Route::grpc("/t.Service/Slow", failing(|| Problem::new(Code::RateLimited, "slow down").retry_after(7))));
    let check = PrincipalCheck::Claims(DisabledUsers::default());
    routes.into_router(Authenticator::new(Arc::new(jwt()), Clock::manual(start()), check), settings().requests())
}

/// The answer, and the status in its trailers.
async fn call(method: &str, role: Option<Role>, headers: &[(&str, &str)], body: &[u8]) -> (Answer, Option<String>) {
    let mut request = Request::builder().method("POST").uri(format!("/t.Service/{method}")).version(Version::HTTP_2);
    if let Some(role) = role {
        request = request.header(AUTHORIZATION, format!("Bearer {}", token(role)));
    }
    if !headers.iter().any(|(name, _)| *name == "content-type") {
        request = request.header(CONTENT_TYPE, "application/grpc");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = app().oneshot(request.body(Body::from(body.to_vec())).unwrap()).await.unwrap().into_parts();
    let collected = body.collect().await.unwrap();
    let trailer = collected.trailers().map(|trailers| trailers["grpc-status"].to_str().unwrap().to_owned());
    let text = String::from_utf8(collected.to_bytes().to_vec()).unwrap();
    (Answer { status: parts.status.as_u16(), headers: parts.headers, text }, trailer)
}

#[tokio::test]
async fn a_reply_is_a_message_with_its_status_in_the_trailers() {
    let (answer, trailer) = call("Echo", Some(Role::User), &[], MESSAGE).await;
    assert_eq!((answer.status, answer.text.as_bytes(), trailer.as_deref()), (200, MESSAGE, Some("0")));
    assert_eq!(answer.header("content-type"), "application/grpc");
    assert!(!answer.header("x-request-id").is_empty() && !answer.header("traceparent").is_empty());
    assert!(!answer.headers.contains_key("grpc-status"));
}

#[tokio::test]
async fn a_problem_is_a_status_with_its_sentence() {
    let user = Some(Role::User);
    let large = [&[0, 0, 0, 0, 20][..], &[b'x'; 20]].concat();
    for (method, role, headers, body, status, sentence) in [
        ("Echo", None, vec![], MESSAGE, "16", "access token"),
        ("Admin", user, vec![], MESSAGE, "7", "this request needs the role admin"),
        ("Echo", user, vec![], &large[..], "8", "the body must have at most 16 bytes"),
        ("Echo", user, vec![], &MESSAGE[..6], "3", "2 bytes, but 1 bytes follow"),
        ("Echo", user, vec![("grpc-timeout", "1x")], MESSAGE, "3", "grpc-timeout"),
        ("Echo", user, vec![("grpc-timeout", "0n")], MESSAGE, "4", "the deadline of the call has passed"),
        ("Stuck", None, vec![("grpc-timeout", "1m")], MESSAGE, "4", "its grpc-timeout is 1ms"),
        ("Stuck", None, vec![("grpc-timeout", "1H")], MESSAGE, "14", "no response within"),
        ("Nothing", user, vec![], MESSAGE, "12", "this server has no gRPC method 't.Service/Nothing'"),
        ("Broken", None, vec![], MESSAGE, "13", "internal error; search the server's log for the request id"),
        ("Away", None, vec![], MESSAGE, "14", "the database is unavailable; try again shortly"),
        ("Taken", None, vec![], MESSAGE, "9", "'%C3%B6' is taken: 100 %25"),
        ("Slow", None, vec![], MESSAGE, "8", "slow down"),
    ] {
        let (answer, trailer) = call(method, role, &headers, body).await;
        assert_eq!((answer.status, answer.header("grpc-status"), trailer), (200, status, None), "{method} {answer:?}");
        assert!(answer.header("grpc-message").contains(sentence), "{method} {answer:?}");
        assert_eq!((answer.text.as_str(), answer.header("content-type")), ("", "application/grpc"), "{method}");
        assert!(!answer.header("x-request-id").is_empty());
    }
    assert_eq!(call("Slow", None, &[], MESSAGE).await.0.headers[RETRY_AFTER], "7");
    let (json, _) = call("Echo", user, &[("content-type", "application/json")], b"{}").await;
    assert_eq!((json.status, json.problem().as_str()), (415, "unsupported_media_type"));
}
