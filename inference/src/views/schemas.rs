//! The schemas of `POST /inference` for the OpenAPI document. [`super::request`] and [`super::answer`] read and write
//! the bodies, whose field names depend on the model.

#![allow(dead_code, reason = "only used to generate schemas")]

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use trainyard_http::schema::any_of_types;
use utoipa::openapi::{RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// One row or many rows.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = InferenceRequest)]
pub(crate) enum RequestBody {
    /// One row.
    One(OneRowRequest),
    /// Many rows.
    Many(ManyRowsRequest),
}

/// One row to predict.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "titanic-rf", "features": {"sex": "female", "age": 29, "pclass": 1}}))]
pub(crate) struct OneRowRequest {
    /// The model; optional if there is exactly one model or a default model.
    model: Option<String>,
    /// A pinned version. Without it the alias selects the version, and without both the traffic of the model.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: Option<i64>,
    /// The alias; not allowed together with `version`.
    alias: Option<String>,
    /// Whether the contribution of each feature is answered. Not possible for the algorithm `svm`.
    explain: Option<bool>,
    /// The row: feature names and values. `null` or a missing name means a missing value.
    features: HashMap<String, FeatureValue>,
    /// Not allowed in a request for one row.
    #[schema(value_type = Nothing, required = false)]
    instances: Option<Nothing>,
}

/// Many rows to predict; the predictions have the same order.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "titanic-rf", "instances": [{"sex": "female", "age": 29}, {"sex": "male"}]}))]
pub(crate) struct ManyRowsRequest {
    /// The model; optional if there is exactly one model or a default model.
    model: Option<String>,
    /// A pinned version. Without it the alias selects the version.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: Option<i64>,
    /// The alias, `production` by default; not allowed together with `version`.
    alias: Option<String>,
    /// Whether the contribution of each feature is answered. Not possible for the algorithm `svm`.
    explain: Option<bool>,
    /// The rows, each as `features` of a request for one row.
    #[schema(min_items = 1)]
    instances: Vec<HashMap<String, FeatureValue>>,
    /// Not allowed in a request for many rows.
    #[schema(value_type = Nothing, required = false)]
    features: Option<Nothing>,
}

/// The response for `features` or for `instances`; only the latter has `predictions`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum InferenceAnswer {
    /// For `features`.
    One(OneAnswer),
    /// For `instances`.
    Many(ManyAnswer),
}

/// One prediction. Its field has the name of the target and is the one property that is not listed here.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct OneAnswer {
    /// Probability of the positive class, for targets with two classes.
    #[schema(nullable = false, example = 0.97, minimum = 0, maximum = 1)]
    prob: Option<f64>,
    /// Probability per class, for targets with class labels.
    #[schema(nullable = false)]
    probabilities: Option<HashMap<String, f64>>,
    /// The model that predicted.
    #[schema(example = "titanic-rf")]
    model: String,
    /// The version that predicted.
    #[schema(example = 3)]
    version: i64,
    /// The probability from which the positive class is predicted, if it was tuned; else 0.5 applies.
    #[schema(nullable = false, example = 0.37, minimum = 0, maximum = 1)]
    threshold: Option<f64>,
    /// The contributions of the features, with `explain`.
    #[schema(nullable = false)]
    explanation: Option<ExplanationAnswer>,
    /// Features that were missing, or whose category did not occur in training; left out if there are none.
    #[schema(nullable = false)]
    warnings: Option<Vec<String>>,
    /// The prediction; the field has the name of the target.
    #[serde(flatten)]
    prediction: HashMap<String, PredictedValue>,
}

/// How much each feature moves the prediction away from the mean of the model. The baseline and all contributions add up to
/// the value.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Explanation)]
pub(crate) struct ExplanationAnswer {
    /// The unit: `probability`, `log_odds` (their sigmoid is `prob`), `score` (the softmax over the classes gives
    /// `probabilities`), `number`, or `logarithm` (of the number). With the prefix `uncalibrated_` the numbers are those before
    /// the calibration of the model.
    #[schema(example = "probability")]
    scale: String,
    /// The explained value: of the positive class with two classes, of the predicted class with more.
    #[schema(example = 0.97)]
    value: f64,
    /// The value without any known feature.
    #[schema(example = 0.38)]
    baseline: f64,
    /// The contribution of each feature.
    contributions: HashMap<String, f64>,
}

/// Many predictions in the order of the rows.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManyAnswer {
    /// One prediction per row.
    predictions: Vec<RowAnswer>,
    /// The model that predicted.
    #[schema(example = "titanic-rf")]
    model: String,
    /// The version that predicted.
    #[schema(example = 3)]
    version: i64,
    /// The probability from which the positive class is predicted, if it was tuned; else 0.5 applies.
    #[schema(nullable = false, example = 0.37, minimum = 0, maximum = 1)]
    threshold: Option<f64>,
}

/// The prediction for one of many rows. Its field has the name of the target and is the one property that is not listed
/// here.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct RowAnswer {
    /// Probability of the positive class, for targets with two classes.
    #[schema(nullable = false, example = 0.97, minimum = 0, maximum = 1)]
    prob: Option<f64>,
    /// Probability per class, for targets with class labels.
    #[schema(nullable = false)]
    probabilities: Option<HashMap<String, f64>>,
    /// The contributions of the features, with `explain`.
    #[schema(nullable = false)]
    explanation: Option<ExplanationAnswer>,
    /// Features that were missing, or whose category did not occur in training; left out if there are none.
    #[schema(nullable = false)]
    warnings: Option<Vec<String>>,
    /// The prediction; the field has the name of the target.
    #[serde(flatten)]
    prediction: HashMap<String, PredictedValue>,
}

macro_rules! values {
    ($($(#[$doc:meta])* $name:ident: $description:literal, [$($kind:ident),+];)+) => {$(
        $(#[$doc])*
        #[derive(Serialize, Deserialize)]
        pub(crate) struct $name;

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                any_of_types([$(Type::$kind),+], $description)
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )+};
}

values! {
    /// The value of a feature.
    FeatureValue: "A number, a string or a boolean; `null` means a missing value.", [Number, String, Boolean, Null];
    /// A prediction.
    PredictedValue: "A label, a boolean or a number.", [Boolean, String, Number];
    /// The absence of a value.
    Nothing: "Null or left out.", [Null];
}
