//! The enums of the OpenAPI document hold the values that responses contain.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use trainyard_domain::spec::{OnLeak, OutputColumns, OutputFormat};
use trainyard_domain::webhook::DeliveryStatus;
use trainyard_domain::{
    ActionKind, Algorithm, FailureCode, JobKind, JobStatus, MoveReason, PromotionMetric, Role, TaskKind,
};
use trainyard_http::Code;
use trainyard_http::schema::variants;
use trainyard_testkit::default_settings;

use super::account::RoleView;
use super::column::DtypeView;
use super::job::{KindView, StatusView};
use super::job_action::{ActionKindView, ActionStatusView};
use super::schedule::{CatchUpView, OutcomeView, OverlapView};
use super::webhook::DeliveryStatusView;
use crate::routes::training::retry_all::DeadStatus;

/// Every enum in the components of the document.
fn published() -> BTreeMap<String, Value> {
    let document = crate::openapi(&default_settings("api"), &default_settings("auth"));
    let document = serde_json::to_value(document).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let lists = schemas.iter().filter(|(_, schema)| schema["enum"].is_array());
    lists.map(|(name, schema)| (name.clone(), schema["enum"].clone())).collect()
}

#[test]
fn every_enum_in_the_document_has_the_values_of_responses() {
    let sent = [
        ("Code", json!(Code::ALL)),
        ("FailureCode", json!(variants::<FailureCode>())),
        ("AlgorithmName", json!(Algorithm::ALL)),
        ("RoleView", json!([Role::User, Role::Admin].map(RoleView::from))),
        ("StatusView", json!(JobStatus::ALL.map(StatusView::from))),
        ("KindView", json!(JobKind::ALL.map(KindView::from))),
        ("OutputColumnsName", json!(variants::<OutputColumns>())),
        ("OutputFormatName", json!(variants::<OutputFormat>())),
        ("DeadStatus", json!([DeadStatus::Failed, DeadStatus::Cancelled])),
        ("DeliveryStatusView", json!(DeliveryStatus::ALL.map(DeliveryStatusView::from))),
        ("DtypeView", json!(variants::<DtypeView>())),
        ("CatchUpView", json!(variants::<CatchUpView>())),
        ("OverlapView", json!(variants::<OverlapView>())),
        ("OutcomeView", json!(variants::<OutcomeView>())),
        ("ActionKindView", json!([ActionKind::Cancel, ActionKind::Retry].map(ActionKindView::from))),
        ("ActionStatusView", json!([ActionStatusView::Running, ActionStatusView::Succeeded, ActionStatusView::Failed])),
        ("TaskName", json!(variants::<TaskKind>())),
        ("OnLeakName", json!(variants::<OnLeak>())),
        ("PromotionMetricName", json!(variants::<PromotionMetric>())),
        ("MoveReasonName", json!(MoveReason::ALL.map(MoveReason::as_str))),
    ];
    let sent: BTreeMap<_, _> = sent.map(|(name, list)| (name.to_owned(), list)).into();
    assert_eq!(published(), sent);
}

#[test]
fn enums_of_schemas_and_domain_have_the_same_names() {
    assert_eq!(json!(JobStatus::ALL.map(StatusView::from)), json!(JobStatus::ALL.map(JobStatus::as_str)));
    assert_eq!(json!(JobKind::ALL.map(KindView::from)), json!(JobKind::ALL.map(JobKind::as_str)));
    let codes =
        variants::<FailureCode>().iter().map(|code| serde_json::from_value::<FailureCode>(json!(code)).unwrap());
    assert_eq!(codes.map(FailureCode::as_str).collect::<Vec<_>>(), variants::<FailureCode>());
}
