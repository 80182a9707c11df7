//! What jobs told the world when they ended: to look at, and to send again.

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
use crate::state::ApiState;
use crate::views::webhook::{DeliveryStatusView, DeliveryView};

/// Which deliveries to list; all of what is given has to fit.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveryQuery {
    /// `pending`, `delivered` or `failed`.
    #[param(value_type = Option<DeliveryStatusView>, inline, example = "failed")]
    status: Option<String>,
    /// The job they tell of.
    #[param(value_type = Option<Uuid>)]
    job_id: Option<String>,
}

/// List webhook deliveries.
///
/// What was sent to the `webhook_url`s of jobs, or is still to be, newest first.
#[utoipa::path(
    get, path = "/webhooks/deliveries", operation_id = "list_webhook_deliveries", tag = "webhooks",
    params(PageParams, DeliveryQuery),
    responses(
        (status = 200, description = "A page of deliveries.", body = List<DeliveryView>),
        (status = 422, description = "A filter with a value that no delivery can have."),
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

/// Look at a webhook delivery.
///
/// What was sent, how often, and what the receiver answered last.
#[utoipa::path(
    get, path = "/webhooks/deliveries/{id}", operation_id = "get_webhook_delivery", tag = "webhooks",
    params(("id" = Uuid, Path, description = "The delivery.")),
    responses(
        (status = 200, description = "The delivery.", body = DeliveryView),
        (status = 404, description = "There is no such delivery, or it is too old to be kept."),
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

/// Which of the jobs that these tell of the caller submitted; not asked for administrators, who see everything.
async fn own_jobs(tx: &mut Tx, principal: &Principal, of: &[Delivery]) -> Result<HashSet<JobId>, Problem> {
    if principal.is_admin() {
        return Ok(HashSet::new());
    }
    let ids: HashSet<JobId> = of.iter().map(|delivery| delivery.job_id).collect();
    let jobs = tx.jobs().get_many(&ids.into_iter().collect::<Vec<_>>()).await?;
    Ok(jobs.into_iter().filter(|job| job.created_by == principal.user_id).map(|job| job.id).collect())
}

fn view(principal: &Principal, own: &HashSet<JobId>, delivery: Delivery) -> DeliveryView {
    let may_see_url = principal.is_admin() || own.contains(&delivery.job_id);
    let view = DeliveryView::from(delivery);
    if may_see_url { view } else { DeliveryView { url: None, ..view } }
}

/// Send a webhook again.
///
/// Makes a delivery due at once, as a new series of attempts under the same `webhook-id`, wherever it stood.
#[utoipa::path(
    post, path = "/webhooks/deliveries/{id}/replay", operation_id = "replay_webhook_delivery", tag = "webhooks",
    params(("id" = Uuid, Path, description = "The delivery.")),
    responses(
        (status = 202, description = "It will be sent in a moment.", body = DeliveryView),
        (status = 404, description = "There is no such delivery, or it is too old to be kept."),
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
    actor.did(&mut tx, "webhook.replay", format!("webhook:{id}"), detail).await?;
    tx.commit().await?;
    Ok((StatusCode::ACCEPTED, Json(delivery.into())))
}

fn missing() -> Problem {
    Problem::not_found("there is no such delivery")
}

impl DeliveryQuery {
    fn parse(&self) -> Result<DeliveryFilter, Vec<FieldError>> {
        let mut refused = Vec::new();
        let status = self.status.as_deref().map(DeliveryStatus::parse);
        if status == Some(None) {
            let words = DeliveryStatus::ALL.map(DeliveryStatus::as_str).join(", ");
            refused.push(FieldError::new("status", format!("must be one of {words}")));
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
    fn every_wrong_filter_is_named() {
        let query = DeliveryQuery { status: Some("sent".into()), job_id: Some("x".into()) };
        let fields: Vec<_> = query.parse().unwrap_err().into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["status", "job_id"]);
        let query = DeliveryQuery { status: Some("failed".into()), job_id: None };
        assert_eq!(query.parse().unwrap().status, Some(DeliveryStatus::Failed));
        assert!(DeliveryQuery::default().parse().unwrap().status.is_none());
    }
}
