//! The schemas of the options that say how a table is learned, and when a version is promoted.

use trainyard_domain::PromotionMetric;
use trainyard_http::schema::{any_of_types, closed_list, one_of_texts};
use utoipa::openapi::{RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// The schema of a task.
pub struct TaskName;

impl PartialSchema for TaskName {
    fn schema() -> RefOr<Schema> {
        one_of_texts(["classification", "regression"], "What a target is predicted as.")
    }
}

impl ToSchema for TaskName {}

/// The schema of `on_leak`.
pub struct OnLeakName;

impl PartialSchema for OnLeakName {
    fn schema() -> RefOr<Schema> {
        one_of_texts(["warn", "drop", "refuse"], "What happens to features that contain the target.")
    }
}

impl ToSchema for OnLeakName {}

/// The schema of a metric of a guarded promotion.
pub struct PromotionMetricName;

impl PartialSchema for PromotionMetricName {
    fn schema() -> RefOr<Schema> {
        closed_list::<PromotionMetric>("A metric of the held-out part by which versions are compared.")
    }
}

impl ToSchema for PromotionMetricName {}

/// The schema of a class label.
pub struct LabelValue;

impl PartialSchema for LabelValue {
    fn schema() -> RefOr<Schema> {
        any_of_types(
            [Type::String, Type::Number, Type::Boolean],
            "A class label, in the type that it has in the table.",
        )
    }
}

impl ToSchema for LabelValue {}
