//! Browser sessions: the refresh token is in a cookie that scripts can't read.
//!
//! Browsers send the cookie with every request to this server. So a request that uses the cookie also needs the header
//! `X-Trainyard-CSRF`, which a page of another site can't add without a permission of this server, which gives none.

use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header::{COOKIE, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use serde::Deserialize;
use trainyard_http::json::{JsonBytes, parse};
use trainyard_http::{Code, Json, Problem};
use utoipa::{IntoParams, ToSchema};

use super::RefreshRequest;
use crate::schemas::account::SessionView;
use crate::state::ApiState;

/// Any value will do.
const CSRF: HeaderName = HeaderName::from_static("x-trainyard-csrf");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Browsers accept the prefix only from https, without a domain and for all paths. So no other host can set the cookie.
const SECURE_NAME: &str = "__Host-trainyard_session";
const PLAIN_NAME: &str = "trainyard_session";

/// Where a sign-in keeps the refresh token.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SessionKind {
    /// In the response.
    Bearer,
    /// In a cookie, for browsers.
    Cookie,
}

/// Options of a sign-in.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct LoginQuery {
    /// `cookie` keeps the refresh token in an HttpOnly cookie instead of the response; `bearer` when left out.
    #[param(value_type = Option<SessionKind>, inline)]
    session: Option<SessionKind>,
}

impl LoginQuery {
    /// How the session of this sign-in is kept. `headers` are those of the request.
    pub fn keep(&self, headers: &HeaderMap) -> Keep {
        match self.session {
            Some(SessionKind::Cookie) => Keep::Cookie { secure: is_https(headers) },
            Some(SessionKind::Bearer) | None => Keep::Bearer,
        }
    }
}

/// Where the client keeps its refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// The client reads it from the response.
    Bearer,
    /// The browser keeps it in a cookie.
    Cookie {
        /// Whether the browser sends the cookie over https only.
        secure: bool,
    },
}

impl Keep {
    /// The response with `session`.
    pub fn answer(self, mut session: SessionView, ttl_s: i64) -> Response {
        match (self, session.refresh_token.take()) {
            (Self::Cookie { secure }, Some(token)) => (Cookie { secure, token, ttl_s }, Json(session)).into_response(),
            (_, token) => Json(SessionView { refresh_token: token, ..session }).into_response(),
        }
    }

    /// Removes the cookie of an ended session.
    pub fn cleared(self) -> Option<Cookie> {
        match self {
            Self::Bearer => None,
            Self::Cookie { secure } => Some(Cookie { secure, token: String::new(), ttl_s: 0 }),
        }
    }
}

/// The cookie of a browser session, for a response.
#[derive(Debug)]
pub struct Cookie {
    secure: bool,
    token: String,
    ttl_s: i64,
}

impl IntoResponseParts for Cookie {
    type Error = Problem;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Problem> {
        let Self { secure, token, ttl_s } = self;
        let (name, secure) = if secure { (SECURE_NAME, "; Secure") } else { (PLAIN_NAME, "") };
        let text = format!("{name}={token}; Path=/; Max-Age={ttl_s}; HttpOnly; SameSite=Strict{secure}");
        response.headers_mut().append(SET_COOKIE, HeaderValue::try_from(text).map_err(Problem::internal)?);
        Ok(response)
    }
}

/// The refresh token of a request: in the body, or in the cookie of a browser.
#[derive(Debug)]
pub struct PresentedToken {
    /// The token.
    pub token: String,
    /// Where the client keeps it.
    pub keep: Keep,
}

impl FromRequest<ApiState> for PresentedToken {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let browser = BrowserToken::from_request_parts(&mut parts, state).await;
        let JsonBytes(bytes) = JsonBytes::from_request(Request::from_parts(parts, body), state).await?;
        if bytes.is_empty()
            && let Some(presented) = browser?.0
        {
            return Ok(presented);
        }
        let body: RefreshRequest = parse(&bytes)?;
        Ok(Self { token: body.refresh_token, keep: Keep::Bearer })
    }
}

/// The token in the cookie, for requests with the header against CSRF.
struct BrowserToken(Option<PresentedToken>);

impl FromRequestParts<ApiState> for BrowserToken {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let headers = &parts.headers;
        if !headers.contains_key(CSRF) {
            return Ok(Self(None));
        }
        let site = headers.get(SEC_FETCH_SITE).and_then(|value| value.to_str().ok());
        if site.is_some_and(|site| !matches!(site, "same-origin" | "none")) {
            return Err(Problem::new(Code::Forbidden, "a browser session can be used only by pages of this server"));
        }
        let found = [(SECURE_NAME, true), (PLAIN_NAME, false)].into_iter().find_map(|(name, secure)| {
            Some(PresentedToken { token: cookie(headers, name)?, keep: Keep::Cookie { secure } })
        });
        let missing = || Problem::new(Code::InvalidCredentials, "this browser has no session; sign in");
        found.map(|presented| Self(Some(presented))).ok_or_else(missing)
    }
}

/// The value of a cookie; `None` for an empty one.
fn cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(found, value)| *found == name && !value.is_empty()).map(|(_, value)| value.to_owned())
}

/// Whether the browser's connection is encrypted. A false claim only changes the cookie of the client that makes it.
fn is_https(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match text(&ORIGIN) {
        Some(origin) if origin != "null" => origin.starts_with("https://"),
        _ => text(&X_FORWARDED_PROTO) == Some("https"),
    }
}
