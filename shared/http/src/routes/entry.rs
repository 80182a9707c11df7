//! One entry of the route table.

use std::time::Duration;

use axum::routing::MethodRouter;
use http::Method;
use trainyard_domain::Access;
use utoipa::openapi::path::{Operation, ParameterIn, PathItem};
use utoipa::openapi::{RefOr, Schema};
use utoipa_axum::router::UtoipaMethodRouter;

use super::RouteInfo;
use crate::auth::Authenticator;
use crate::in_flight::InFlightLimit;

/// A documented handler, or several handlers of one path, without an access: the result of `routes!(handler)`.
pub struct Route<S = ()> {
    paths: Vec<Documented>,
    schemas: Vec<(String, RefOr<Schema>)>,
    handler: MethodRouter<S>,
    body_bytes: Option<usize>,
    encodings: &'static [&'static str],
    timeout: Option<Duration>,
    refuses_api_keys: bool,
    is_grpc: bool,
}

struct Documented {
    path: String,
    operations: Vec<(Method, Option<Operation>)>,
}

impl<S> std::fmt::Debug for Route<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.paths.iter().map(|documented| &documented.path)).finish()
    }
}

impl<S: Clone + Send + Sync + 'static> Route<S> {
    /// The route of `routes!(handler)`, for a call that sets limits.
    pub fn new(documented: UtoipaMethodRouter<S>) -> Self {
        documented.into()
    }

    /// A `GET` route that is not part of the OpenAPI document.
    pub fn undocumented(path: &str, handler: MethodRouter<S>) -> Self {
        Self::of(vec![Documented { path: path.to_owned(), operations: vec![(Method::GET, None)] }], Vec::new(), handler)
    }

    /// A gRPC method with the path `/package.Service/Method`. It is not part of the OpenAPI document.
    pub fn grpc(path: &str, handler: MethodRouter<S>) -> Self {
        let paths = vec![Documented { path: path.to_owned(), operations: vec![(Method::POST, None)] }];
        Self { is_grpc: true, ..Self::of(paths, Vec::new(), handler) }
    }

    fn of(paths: Vec<Documented>, schemas: Vec<(String, RefOr<Schema>)>, handler: MethodRouter<S>) -> Self {
        Self {
            paths,
            schemas,
            handler,
            body_bytes: None,
            encodings: &[],
            timeout: None,
            refuses_api_keys: false,
            is_grpc: false,
        }
    }

    /// Limits bodies to `bytes` instead of the default.
    #[must_use]
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.body_bytes = Some(bytes);
        self
    }

    /// Accepts bodies with these values of `Content-Encoding`, besides plain ones. The handler decodes the bodies.
    #[must_use]
    pub fn encodings(mut self, encodings: &'static [&'static str]) -> Self {
        self.encodings = encodings;
        self
    }

    /// Sets the longest time until the head of the response.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Refuses callers with an API key, so that a copied key can't create further credentials.
    #[must_use]
    pub fn without_api_keys(mut self) -> Self {
        self.refuses_api_keys = true;
        self
    }

    pub(super) fn into_entries(self, access: Access) -> impl Iterator<Item = Entry<S>> {
        let Self { paths, mut schemas, handler, body_bytes, encodings, timeout, refuses_api_keys, is_grpc } = self;
        paths.into_iter().map(move |Documented { path, operations }| Entry {
            path,
            operations,
            access,
            schemas: std::mem::take(&mut schemas),
            handler: handler.clone(),
            body_bytes,
            encodings,
            timeout,
            refuses_api_keys,
            is_grpc,
            authenticator: None,
            in_flight: None,
        })
    }
}

impl<S: Clone + Send + Sync + 'static> From<UtoipaMethodRouter<S>> for Route<S> {
    fn from((schemas, paths, handler): UtoipaMethodRouter<S>) -> Self {
        let documented = |(path, item): (String, PathItem)| Documented {
            // utoipa represents the root as an empty path.
            path: if path.is_empty() { "/".to_owned() } else { path },
            operations: operations(item),
        };
        Self::of(paths.paths.into_iter().map(documented).collect(), schemas, handler)
    }
}

fn operations(item: PathItem) -> Vec<(Method, Option<Operation>)> {
    let all = [
        (Method::GET, item.get),
        (Method::POST, item.post),
        (Method::PUT, item.put),
        (Method::PATCH, item.patch),
        (Method::DELETE, item.delete),
    ];
    all.into_iter().filter(|(_, operation)| operation.is_some()).collect()
}

fn takes_no_query(operation: &Operation) -> bool {
    let mut parameters = operation.parameters.iter().flatten();
    parameters.all(|parameter| matches!(parameter, RefOr::T(parameter) if parameter.parameter_in != ParameterIn::Query))
}

/// A path with its methods, access and limits.
pub(super) struct Entry<S> {
    pub(super) path: String,
    pub(super) operations: Vec<(Method, Option<Operation>)>,
    pub(super) access: Access,
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
    pub(super) handler: MethodRouter<S>,
    pub(super) body_bytes: Option<usize>,
    pub(super) encodings: &'static [&'static str],
    pub(super) timeout: Option<Duration>,
    pub(super) refuses_api_keys: bool,
    pub(super) is_grpc: bool,
    pub(super) authenticator: Option<Authenticator>,
    /// The limit on requests in flight, which several routes can share.
    pub(super) in_flight: Option<InFlightLimit>,
}

impl<S> std::fmt::Debug for Entry<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} for {:?}", self.path, self.access)
    }
}

impl<S> Entry<S> {
    /// Whether requests with a query parameter are refused. A route that changes state must not ignore a parameter such as
    /// `dry_run`. Reads ignore unknown parameters, since probes and caches add some.
    pub(super) fn refuses_queries(&self) -> bool {
        let reads = self.operations.iter().any(|(method, _)| *method == Method::GET);
        !reads && self.operations.iter().all(|(_, operation)| operation.as_ref().is_some_and(takes_no_query))
    }
}

impl<S: Clone + Send + Sync + 'static> Entry<S> {
    pub(super) fn with_state(self, state: S) -> Entry<()> {
        Entry {
            path: self.path,
            operations: self.operations,
            access: self.access,
            schemas: self.schemas,
            handler: self.handler.with_state(state),
            body_bytes: self.body_bytes,
            encodings: self.encodings,
            timeout: self.timeout,
            refuses_api_keys: self.refuses_api_keys,
            is_grpc: self.is_grpc,
            authenticator: self.authenticator,
            in_flight: self.in_flight,
        }
    }

    pub(super) fn infos(&self) -> impl Iterator<Item = RouteInfo> {
        self.operations.iter().map(|(method, _)| RouteInfo {
            method: method.clone(),
            path: self.path.clone(),
            access: self.access,
        })
    }
}
