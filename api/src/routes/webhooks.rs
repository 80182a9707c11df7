//! Routes of webhook deliveries: list, read, replay.

use std::collections::HashSet;

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use trainyard_domain::webhook::{self, Delivery, DeliveryStatus};
use trainyard_domain::{DeliveryId, FieldError, JobId};
use trainyard_http::page::{PageParams, Search};
use trainyard_http::{Json, List, Path, Principal, Problem};
use trainyard_storage::{DeliveryFilter, Tx};

use crate::audit::Actor;
use crate::schemas::webhook::{DeliveryStatusView, DeliveryView};
use crate::state::ApiState;

/// Which deliveries to list. A delivery must match every given filter.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// `pending`, `delivered` or `failed`.
    #[param(value_type = Option<DeliveryStatusView>, inline, example = "failed")]
    status: Option<String>,
    /// The job of the deliveries.
    #[param(value_type = Option<Uuid>)]
    job_id: Option<String>,
}

/// List webhook deliveries.
///
/// Lists the deliveries to the `webhook_url`s of jobs, newest first.
#[utoipa::path(
    get, path = "/webhooks/deliveries", operation_id = "list_webhook_deliveries", tag = "webhooks",
    params(PageParams, DeliveryQuery),
    responses(
        (status = 200, description = "A page of deliveries.", body = List<DeliveryView>),
        (status = 422, description = "A filter has an invalid value."),
    )
)]
pub async fn list(
    State(state): State<ApiState>,
    principal: Principal,
    search: Search<DeliveryQuery, DeliveryId>,
) -> Result<Json<List<DeliveryView>>, Problem> {
    let Search { filter, page } = search;
    let filter = filter.parse().map_err(Problem::validation)?;
    let mut tx = state.db.read().await?;
    let deliveries = tx.webhooks().list(filter, page.cursor, page.fetch()).await?;
    let own = own_jobs(&mut tx, &principal, &deliveries).await?;
    let view = |delivery| view(&principal, &own, delivery);
    Ok(Json(page.list(deliveries, |delivery| delivery.id, view)))
}

/// Get a webhook delivery.
///
/// Returns a delivery with its attempts and the last response.
#[utoipa::path(
    get, path = "/webhooks/deliveries/{id}", operation_id = "get_webhook_delivery", tag = "webhooks",
    params(("id" = Uuid, Path, description = "The delivery.")),
    responses(
        (status = 200, description = "The delivery.", body = DeliveryView),
        (status = 404, description = "The delivery does not exist, or has expired."),
    )
)]
pub async fn get(
    State(state): State<ApiState>,
    principal: Principal,
    Path(id): Path<DeliveryId>,
) -> Result<Json<DeliveryView>, Problem> {
    let mut tx = state.db.read().await?;
    let delivery = tx.webhooks().get(id).await?.ok_or_else(missing)?;
    let own = own_jobs(&mut tx, &principal, std::slice::from_ref(&delivery)).await?;
    Ok(Json(view(&principal, &own, delivery)))
}

/// The jobs of `deliveries` that the caller submitted. Administrators may read everything, so their jobs are not queried.
async fn own_jobs(tx: &mut Tx, principal: &Principal, deliveries: &[Delivery]) -> Result<HashSet<JobId>, Problem> {
    if principal.is_admin() {
        return Ok(HashSet::new());
    }
    let ids: HashSet<JobId> = deliveries.iter().map(|delivery| delivery.job_id).collect();
    let jobs = tx.jobs().get_many(&ids.into_iter().collect::<Vec<_>>()).await?;
    Ok(jobs.into_iter().filter(|job| job.created_by == principal.user_id).map(|job| job.id).collect())
}

fn view(principal: &Principal, own: &HashSet<JobId>, delivery: Delivery) -> DeliveryView {
    let may_see_url = principal.is_admin() || own.contains(&delivery.job_id);
    let view = DeliveryView::from(delivery);
    if may_see_url { view } else { DeliveryView { url: None, ..view } }
}

/// Replay a webhook delivery.
///
/// Makes a delivery in any status due at once, with a new series of attempts and the same `webhook-id`.
#[utoipa::path(
    post, path = "/webhooks/deliveries/{id}/replay", operation_id = "replay_webhook_delivery", tag = "webhooks",
    params(("id" = Uuid, Path, description = "The delivery.")),
    responses(
        (status = 202, description = "The delivery is due now.", body = DeliveryView),
        (status = 404, description = "The delivery does not exist, or has expired."),
    )
)]
pub async fn replay(
    State(state): State<ApiState>,
    actor: Actor,
    Path(id): Path<DeliveryId>,
) -> Result<(StatusCode, Json<DeliveryView>), Problem> {
    let mut tx = state.db.begin().await?;
    let now = tx.now().await?;
    let delivery = tx.webhooks().replay(id, now).await?.ok_or_else(missing)?;
    let detail = json!({"job": delivery.job_id, "url": webhook::masked(&delivery.url)});
    actor.record(&mut tx, "webhook.replay", format!("webhook:{id}"), detail).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(delivery.into())))
}

fn missing() -> Problem {
    Problem::not_found("this delivery does not exist, or has expired")
}

impl DeliveryQuery {
    fn parse(&self) -> Result<DeliveryFilter, Vec<FieldError>> {
        let mut refused = Vec::new();
        let status = self.status.as_deref().map(DeliveryStatus::parse);
        if status == Some(None) {
            let allowed = DeliveryStatus::ALL.map(DeliveryStatus::as_str).join(", ");
            refused.push(FieldError::new("status", format!("must be one of {allowed}")));
        }
        let job = self.job_id.as_deref().map(str::parse::<JobId>).transpose();
        if job.is_err() {
            refused.push(FieldError::new("job_id", "must be the id of a job (a UUID)"));
        }
        match job {
            Ok(job) if refused.is_empty() => Ok(DeliveryFilter { status: status.flatten(), job }),
            _ => Err(refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invalid_filter_is_named() {
        let query = DeliveryQuery { status: Some("sent".into()), job_id: Some("x".into()) };
        let fields: Vec<_> = query.parse().unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["status", "job_id"]);
        let query = DeliveryQuery { status: Some("failed".into()), job_id: None };
        assert_eq!(query.parse().unwrap().status, Some(DeliveryStatus::Failed));
        assert!(DeliveryQuery::default().parse().unwrap().status.is_none());
    }
}
