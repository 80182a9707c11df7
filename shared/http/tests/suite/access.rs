//! Access: each route requires the access in the table, before it reads a body.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use futures::StreamExt;
use http::Method;
use http::header::{AUTHORIZATION, CONTENT_LENGTH};
use trainyard_domain::{Access, Clock, Role, UserId};
use trainyard_http::auth::{Authenticator, DisabledUsers, PrincipalCheck};
use trainyard_http::{Principal, Routes};

use crate::support::{app, call_as, get, jwt, person, request, routes, send, settings, start, token};

#[tokio::test]
async fn every_route_requires_the_access_in_the_table() {
    let table = routes().table();
    assert_eq!(table.len(), 14);
    assert!(table.iter().any(|r| r.method == Method::DELETE && r.path == "/things/{id}" && r.access == Access::Admin));
    for route in table {
        let path = route.path.replace("{id}", "0199c0de-0000-7000-8000-000000000000");
        for role in [None, Some(Role::User), Some(Role::Admin)] {
            let mut call = request(route.method.as_str(), &path);
            if let Some(role) = role {
                call = call.header(AUTHORIZATION, format!("Bearer {}", token(role)));
            }
            let status = send(app(), call.body(Body::empty()).unwrap()).await.status;
            let refused = match route.access.check(role) {
                Ok(()) => None,
                Err(trainyard_domain::access::Refusal::SignIn) => Some(401),
                Err(trainyard_domain::access::Refusal::RoleTooLow) => Some(403),
            };
            match refused {
                Some(expected) => assert_eq!(status, expected, "{route:?} as {role:?}"),
                None => assert!(![401, 403].contains(&status), "{route:?} as {role:?}"),
            }
        }
    }
}

#[tokio::test]
async fn two_methods_of_one_path_keep_their_own_access() {
    let path = "/things/0199c0de-0000-7000-8000-000000000000";
    assert_eq!(get(path).await.status, 200);
    assert_eq!(call_as(Role::User, "DELETE", path).await.problem(), "forbidden");
    assert_eq!(call_as(Role::Admin, "DELETE", path).await.status, 204);
}

#[tokio::test]
async fn the_body_of_a_refused_request_is_not_read() {
    let body = Body::from_stream(
        futures::stream::once(async { panic!("read") }).map(|()| Ok::<_, std::io::Error>(Bytes::new())),
    );
    let refused = send(app(), request("POST", "/uploads").body(body).unwrap()).await;
    assert_eq!(refused.status, 401);
    // The body is also too large, but the access is checked first.
    let large = request("POST", "/uploads").header(CONTENT_LENGTH, 1 << 30).body(Body::empty()).unwrap();
    assert_eq!(send(app(), large).await.status, 401);
}

#[tokio::test]
async fn a_route_without_authentication_ignores_an_invalid_token() {
    let call = request("GET", "/numbers").header(AUTHORIZATION, "Bearer over").body(Body::empty()).unwrap();
    assert_eq!(send(app(), call).await.status, 200);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_problems() {
    let nowhere = get("/nowhere").await;
    assert_eq!((nowhere.status, nowhere.problem().as_str()), (404, "not_found"));
    let put = send(app(), request("PUT", "/things/1").body(Body::empty()).unwrap()).await;
    assert_eq!((put.status, put.problem().as_str()), (405, "method_not_allowed"));
    let mut allowed: Vec<_> = put.header("allow").split(',').map(str::trim).collect();
    allowed.sort_unstable();
    assert_eq!(allowed, ["DELETE", "GET", "HEAD"]);
    let head = send(app(), request("HEAD", "/numbers").body(Body::empty()).unwrap()).await;
    assert_eq!((head.status, head.text.as_str()), (200, ""));
}

#[tokio::test]
async fn a_disabled_account_is_refused_once_the_set_is_replaced() {
    let disabled = DisabledUsers::default();
    let check = PrincipalCheck::Claims(disabled.clone());
    let user = person(Role::User);
    let jwt = Arc::new(jwt());
    let bearer = format!("Bearer {}", jwt.issue(&user, start()).unwrap());
    let app = routes().into_router(Authenticator::new(jwt, Clock::manual(start()), check), settings().requests());
    let me = || send(app.clone(), request("GET", "/me").header(AUTHORIZATION, &bearer).body(Body::empty()).unwrap());
    assert_eq!(me().await.status, 200);
    disabled.replace([user.id]);
    assert_eq!(me().await.problem(), "unauthenticated");
    disabled.replace([]);
    assert_eq!(me().await.status, 200);
}

#[tokio::test]
async fn a_fixed_principal_needs_no_token() {
    let developer = Principal {
        user_id: UserId::at(start()),
        email: "dev@example.com".into(),
        role: Role::Admin,
        session: None,
        api_key: None,
    };
    let app = routes().into_router(Authenticator::fixed(developer), settings().requests());
    assert_eq!(send(app, request("GET", "/me").body(Body::empty()).unwrap()).await.text, "dev@example.com admin");
}

#[tokio::test]
async fn routes_of_two_roles_keep_their_own_authenticator() {
    let fixed = |email: &str| {
        let principal = Principal {
            user_id: UserId::at(start()),
            email: email.into(),
            role: Role::User,
            session: None,
            api_key: None,
        };
        Authenticator::fixed(principal)
    };
    let own: Routes = routes().authenticated_by(&fixed("own@example.com"));
    let app = Routes::new().merge(own).into_router(fixed("other@example.com"), settings().requests());
    assert_eq!(send(app, request("GET", "/me").body(Body::empty()).unwrap()).await.text, "own@example.com user");
}
