//! The schemas of `POST /inference`, for the API's description: what is read and written stands in [`super::request`] and
//! [`super::answer`], whose field names depend on the model.

#![allow(dead_code, reason = "described, never made: see the module's first lines")]

use std::borrow::Cow;
use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use trainyard_http::schema::any_of_types;
use utoipa::openapi::{RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// One row, or many.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
#[schema(as = InferenceRequest)]
pub(crate) enum RequestBody {
    /// One row.
    One(OneRowRequest),
    /// Many rows.
    Many(ManyRowsRequest),
}

/// One row to predict for.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "titanic-rf", "features": {"sex": "female", "age": 29, "pclass": 1}}))]
pub(crate) struct OneRowRequest {
    /// The model; may be left out when there is exactly one, or a default is set.
    model: Option<String>,
    /// Pins a version; else the alias decides.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: Option<i64>,
    /// The alias to follow, `production` unless said otherwise; not together with `version`.
    alias: Option<String>,
    /// The row, value by feature name. `null` or absence means missing.
    features: HashMap<String, FeatureValue>,
    /// Nothing, in a request for one row.
    #[schema(value_type = Nothing, required = false)]
    instances: Option<Nothing>,
}

/// Many rows to predict for, answered in their order.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"model": "titanic-rf", "instances": [{"sex": "female", "age": 29}, {"sex": "male"}]}))]
pub(crate) struct ManyRowsRequest {
    /// The model; may be left out when there is exactly one, or a default is set.
    model: Option<String>,
    /// Pins a version; else the alias decides.
    #[schema(minimum = 1, maximum = 9_007_199_254_740_991_i64)]
    version: Option<i64>,
    /// The alias to follow, `production` unless said otherwise; not together with `version`.
    alias: Option<String>,
    /// The rows, each as `features` of a single row.
    #[schema(min_items = 1)]
    instances: Vec<HashMap<String, FeatureValue>>,
    /// Nothing, in a request for many rows.
    #[schema(value_type = Nothing, required = false)]
    features: Option<Nothing>,
}

/// The answer for `features`, or the one for `instances`: only the latter has `predictions`.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub(crate) enum InferenceAnswer {
    /// For `features`.
    One(OneAnswer),
    /// For `instances`.
    Many(ManyAnswer),
}

/// One prediction. It stands under the target's own name, as the one property that is not listed here.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct OneAnswer {
    /// Probability of the positive class, for targets with two classes.
    #[schema(nullable = false, example = 0.97, minimum = 0, maximum = 1)]
    prob: Option<f64>,
    /// Probability per class, for targets whose classes have names.
    #[schema(nullable = false)]
    probabilities: Option<HashMap<String, f64>>,
    /// The model that answered.
    #[schema(example = "titanic-rf")]
    model: String,
    /// Its version.
    #[schema(example = 3)]
    version: i64,
    /// Features that were missing or held a category unknown to training; absent when there are none.
    #[schema(nullable = false)]
    warnings: Option<Vec<String>>,
    /// The prediction, by the target's name.
    #[serde(flatten)]
    prediction: HashMap<String, PredictedValue>,
}

/// Many predictions, in the order of the rows.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManyAnswer {
    /// One for each row.
    predictions: Vec<RowAnswer>,
    /// The model that answered.
    #[schema(example = "titanic-rf")]
    model: String,
    /// Its version.
    #[schema(example = 3)]
    version: i64,
}

/// The prediction for one row of many. It stands under the target's own name, as the one property that is not listed here.
#[derive(Serialize, Deserialize, ToSchema)]
pub(crate) struct RowAnswer {
    /// Probability of the positive class, for targets with two classes.
    #[schema(nullable = false, example = 0.97, minimum = 0, maximum = 1)]
    prob: Option<f64>,
    /// Probability per class, for targets whose classes have names.
    #[schema(nullable = false)]
    probabilities: Option<HashMap<String, f64>>,
    /// Features that were missing or held a category unknown to training; absent when there are none.
    #[schema(nullable = false)]
    warnings: Option<Vec<String>>,
    /// The prediction, by the target's name.
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
    FeatureValue: "A number, a category or text, true or false; `null` means missing.", [Number, String, Boolean, Null];
    /// A prediction.
    PredictedValue: "A label, true or false, or a number.", [Boolean, String, Number];
    /// The absence of a value.
    Nothing: "Null, or left out.", [Null];
}
