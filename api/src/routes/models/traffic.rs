//! Routes of the traffic of a model: weights and shadow versions.

use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};
use trainyard_domain::traffic::{MAX_SHADOWS, MAX_WEIGHT, MAX_WEIGHTED};
use trainyard_domain::{FieldError, Guarded, ModelName, PRODUCTION, Traffic};
use trainyard_http::json::unique_map;
use trainyard_http::{Json, Path, Problem, integer};
use trainyard_storage::Tx;
use utoipa::ToSchema;
use utoipa::openapi::{Array, ArrayBuilder, Object, ObjectBuilder, Type};

use super::guard::GuardRequest;
use super::{missing, model_name};
use crate::announce::announce;
use crate::audit::Actor;
use crate::schemas::model::{GuardView, TrafficView};
use crate::state::ApiState;

/// Which versions answer requests without a version and without an alias, and which versions get copies of these requests.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"versions": {"3": 90, "4": 10}, "shadow": [5]}))]
pub struct TrafficRequest {
    /// The weight of each version. Left out or empty, `production` answers, and `shadow` must have a version.
    #[serde(default, deserialize_with = "unique_map")]
    #[schema(schema_with = weights)]
    versions: Map<String, Value>,
    /// Versions that get a copy of each request. Their predictions are compared with the answers and never returned.
    #[serde(default, deserialize_with = "versions")]
    #[schema(schema_with = shadow)]
    shadow: Vec<i64>,
    /// Limits on the predictions of the versions with a weight, except the one that `production` points at. If one is exceeded,
    /// the weights are deleted, so that `production` answers.
    guard: Option<GuardRequest>,
}

/// Version numbers as JSON Schema defines integers.
fn versions<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Version(#[serde(deserialize_with = "integer::i64")] i64);
    let list: Vec<Version> = Deserialize::deserialize(deserializer)?;
    Ok(list.into_iter().map(|Version(version)| version).collect())
}

fn weights() -> Object {
    let weight = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1)).maximum(Some(MAX_WEIGHT));
    ObjectBuilder::new()
        .additional_properties(Some(weight))
        .max_properties(Some(MAX_WEIGHTED))
        .description(Some(
            "The weight of each version; the sum is at most 1,000,000. Left out or empty, `production` answers, and `shadow` must \
             have a version.",
        ))
        .build()
}

fn shadow() -> Array {
    let version = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(1));
    let about =
        "Versions that get a copy of each request. Their predictions are compared with the answers and never returned.";
    ArrayBuilder::new().items(version).unique_items(true).max_items(Some(MAX_SHADOWS)).description(Some(about)).build()
}

/// Get the traffic of a model.
///
/// Returns the weights and the shadow versions of a model; both are empty if no traffic is set.
#[utoipa::path(
    get, path = "/models/{name}/traffic", operation_id = "get_traffic", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model.")),
    responses(
        (status = 200, description = "The traffic.", body = TrafficView),
        (status = 404, description = "The model does not exist."),
    )
)]
pub async fn get(State(state): State<ApiState>, Path(name): Path<String>) -> Result<Json<TrafficView>, Problem> {
    let name = model_name(&name)?;
    let mut tx = state.db.read().await?;
    tx.models().get(&name).await?.ok_or_else(missing)?;
    view(&mut tx, &name).await.map(Json)
}

/// Set the traffic of a model.
///
/// Distributes requests that name neither a version nor an alias over several versions by weights, and sends copies of these
/// requests to shadow versions. Requests with the same `X-Trainyard-Request-Key` are answered by the same version, and a changed
/// weight moves as few keys as possible. The weights decide instead of `production` until they are deleted. A process that has not
/// loaded a version yet answers with the version that served before.
#[utoipa::path(
    put, path = "/models/{name}/traffic", operation_id = "set_traffic", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model.")),
    request_body = TrafficRequest,
    responses(
        (status = 200, description = "The traffic.", body = TrafficView),
        (status = 404, description = "The model does not exist."),
        (status = 422, description = "Some fields are not valid, or versions do not exist; `errors` lists them."),
    )
)]
pub async fn put(
    State(state): State<ApiState>,
    actor: Actor,
    Path(name): Path<String>,
    Json(body): Json<TrafficRequest>,
) -> Result<Json<TrafficView>, Problem> {
    let name = model_name(&name)?;
    let (traffic, mut refused) = Traffic::parse(&body.versions, &body.shadow);
    let is_traffic_valid = refused.is_empty();
    refused.extend(body.guard.iter().flat_map(GuardRequest::errors));
    let mut tx = state.db.begin().await?;
    if !tx.models().lock(&name).await? {
        return Err(if refused.is_empty() { missing() } else { Problem::validation(refused) });
    }
    let named = traffic.versions();
    // A list beyond its limit is refused without a query for each version.
    if named.len() <= MAX_WEIGHTED + MAX_SHADOWS {
        let unknown = tx.models().missing_versions(&name, &named).await?;
        refused.extend(traffic.missing_errors(&unknown, &body.shadow, name.as_str()));
    }
    let mut guarded = Vec::new();
    if body.guard.is_some() && is_traffic_valid {
        match guarded_versions(&mut tx, &name, &traffic).await? {
            Ok(versions) => guarded = versions,
            Err(error) => refused.push(error),
        }
    }
    if !refused.is_empty() {
        return Err(Problem::validation(refused));
    }
    let now = tx.now().await?;
    tx.models().set_traffic(&name, &traffic, now).await?;
    if let Some(guard) = body.guard {
        for version in guarded {
            tx.models().insert_guard(&guard.start(&name, version, Guarded::Weights, now)).await?;
        }
    }
    let detail = json!({"versions": traffic.weights, "shadow": traffic.shadow, "guard": body.guard});
    actor.record(&mut tx, "model.traffic", format!("model:{name}"), detail).await?;
    let view = view(&mut tx, &name).await?;
    tx.commit().await?;
    announce(&state).await;
    Ok(Json(view))
}

/// Delete the traffic of a model.
///
/// Deletes the weights and the shadow versions of a model, so that `production` answers.
#[utoipa::path(
    delete, path = "/models/{name}/traffic", operation_id = "delete_traffic", tag = "models",
    params(("name" = String, Path, pattern = "^[a-z0-9][a-z0-9._-]{0,63}$", description = "The model.")),
    responses(
        (status = 204, description = "The traffic is deleted."),
        (status = 404, description = "The model does not exist, or has no traffic."),
    )
)]
pub async fn delete(
    State(state): State<ApiState>,
    actor: Actor,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let name = model_name(&name)?;
    let mut tx = state.db.begin().await?;
    tx.models().get(&name).await?.ok_or_else(missing)?;
    if !tx.models().delete_traffic(&name).await? {
        return Err(Problem::not_found("this model has no traffic"));
    }
    actor.record(&mut tx, "model.traffic_delete", format!("model:{name}"), json!({})).await?;
    tx.commit().await?;
    announce(&state).await;
    Ok(StatusCode::NO_CONTENT)
}

/// The versions that a guard of the weights watches. `production` must exist, because it answers once the weights are deleted.
async fn guarded_versions(
    tx: &mut Tx,
    name: &ModelName,
    traffic: &Traffic,
) -> Result<Result<Vec<i64>, FieldError>, Problem> {
    let refuse = |message: String| Ok(Err(FieldError::new("guard", message)));
    let Some(production) = tx.models().alias(name, PRODUCTION).await? else {
        return refuse("needs the alias production, which answers after a rollback".into());
    };
    let guarded: Vec<i64> = traffic.weights.keys().copied().filter(|version| *version != production).collect();
    if guarded.is_empty() {
        return refuse(format!("needs a weight of another version than {production}, which production points at"));
    }
    Ok(Ok(guarded))
}

async fn view(tx: &mut Tx, name: &ModelName) -> Result<TrafficView, Problem> {
    let stored = tx.models().traffic(name).await?;
    let guards = tx.models().guards_of(name).await?;
    let guards = guards.into_iter().filter(|(guard, _)| guard.guarded == Guarded::Weights);
    Ok(TrafficView::new(name, stored, guards.map(GuardView::from).collect()))
}
