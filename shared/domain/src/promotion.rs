//! Promotion: whether a new version gets the alias `production`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::field::FieldError;
use crate::table::TaskKind;

/// When a new version gets `production`. The first version of a model always gets it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Promotion {
    /// Only as the first version.
    FirstOnly,
    /// Always.
    Always,
    /// If it is better than the version that `production` points at.
    IfBetter(AutoPromote),
}

/// A metric of the held-out part by which versions are compared. Clients may rely on this closed list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PromotionMetric {
    /// The share of correct predictions.
    Accuracy,
    /// The area under the ROC curve.
    RocAuc,
    /// The logarithmic loss; lower is better.
    LogLoss,
    /// F1.
    F1,
    /// Precision.
    Precision,
    /// Recall.
    Recall,
    /// The coefficient of determination.
    R2,
    /// The root of the mean squared error; lower is better.
    Rmse,
    /// The mean absolute error; lower is better.
    Mae,
}

impl PromotionMetric {
    /// The name in the metrics of a version.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::RocAuc => "roc_auc",
            Self::LogLoss => "log_loss",
            Self::F1 => "f1",
            Self::Precision => "precision",
            Self::Recall => "recall",
            Self::R2 => "r2",
            Self::Rmse => "rmse",
            Self::Mae => "mae",
        }
    }

    /// The task whose models have this metric.
    pub fn task(self) -> TaskKind {
        match self {
            Self::Accuracy | Self::RocAuc | Self::LogLoss | Self::F1 | Self::Precision | Self::Recall => {
                TaskKind::Classification
            }
            Self::R2 | Self::Rmse | Self::Mae => TaskKind::Regression,
        }
    }

    fn lower_is_better(self) -> bool {
        matches!(self, Self::LogLoss | Self::Rmse | Self::Mae)
    }
}

/// The condition of a guarded promotion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct AutoPromote {
    /// The metric of both versions.
    pub metric: PromotionMetric,
    /// The least difference, in the unit of the metric. The new version must be better in any case.
    pub min_improvement: f64,
}

/// The version that `production` points at.
#[derive(Debug, Clone, Copy)]
pub struct LiveVersion<'a> {
    /// The version number.
    pub version: i64,
    /// The column that it predicts.
    pub target: &'a str,
    /// The metrics of its held-out part.
    pub metrics: &'a Value,
}

/// The decision about a new version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromotionDecision {
    /// Whether the version got `production`.
    pub promoted: bool,
    /// One sentence that begins with `promoted: ` or `not promoted: `.
    pub message: String,
}

impl PromotionDecision {
    /// The version is promoted because of `reason`.
    pub fn promoted(reason: &str) -> Self {
        Self { promoted: true, message: format!("promoted: {reason}") }
    }

    /// The version is not promoted because of `reason`.
    pub fn refused(reason: &str) -> Self {
        Self { promoted: false, message: format!("not promoted: {reason}") }
    }
}

impl AutoPromote {
    /// Why a job with this task can't be compared by the metric. The message continues the name of the field.
    pub(crate) fn metric_error(&self, regression: bool) -> Option<String> {
        let (metric, job) =
            (self.metric.task(), if regression { TaskKind::Regression } else { TaskKind::Classification });
        let message = || {
            format!("'{}' is a metric of {}, and this job is a {}", self.metric.as_str(), metric.as_str(), job.as_str())
        };
        (metric != job).then(message)
    }

    /// Checks the field that does not depend on the task.
    pub(crate) fn check_improvement(&self) -> Option<FieldError> {
        let valid = self.min_improvement.is_finite() && self.min_improvement >= 0.0;
        (!valid).then(|| FieldError::new("auto_promote.min_improvement", "must be a number from 0"))
    }

    /// Compares a version that predicts `target` with the live version.
    pub fn decide(&self, target: &str, metrics: &Value, live: LiveVersion<'_>) -> PromotionDecision {
        let (name, version) = (self.metric.as_str(), live.version);
        if live.target != target {
            let reason = format!("version {version} predicts another column, '{}'", live.target);
            return PromotionDecision::refused(&reason);
        }
        let Some(new) = metrics[name].as_f64() else {
            return PromotionDecision::refused(&format!("the new version has no {name}"));
        };
        let Some(old) = live.metrics[name].as_f64() else {
            return PromotionDecision::refused(&format!("version {version} has no {name}"));
        };
        let improvement = if self.metric.lower_is_better() { old - new } else { new - old };
        let (new, old) = (rounded(new), rounded(old));
        if improvement <= 0.0 {
            return PromotionDecision::refused(&format!("{name} {new} is not better than {old} of version {version}"));
        }
        if improvement < self.min_improvement {
            let (found, least) = (rounded(improvement), self.min_improvement);
            let compared = format!("{name} {new} is better than {old} of version {version} by {found}");
            return PromotionDecision::refused(&format!("{compared}, and min_improvement is {least}"));
        }
        PromotionDecision::promoted(&format!("{name} {new} is better than {old} of version {version}"))
    }
}

/// Six decimals without trailing zeros.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn decide(metric: PromotionMetric, min_improvement: f64, new: Value, live: Value) -> PromotionDecision {
        let live = LiveVersion { version: 3, target: "survived", metrics: &live };
        AutoPromote { metric, min_improvement }.decide("survived", &new, live)
    }

    #[test]
    fn a_version_must_be_better_in_the_direction_of_the_metric() {
        use PromotionMetric::{LogLoss, RocAuc};
        let auc = |least, new, live| decide(RocAuc, least, json!({"roc_auc": new}), json!({"roc_auc": live}));
        assert!(auc(0.0, 0.87, 0.86).promoted);
        assert_eq!(auc(0.0, 0.87, 0.86).message, "promoted: roc_auc 0.87 is better than 0.86 of version 3");
        assert!(!auc(0.0, 0.86, 0.86).promoted, "an equal version is not better");
        assert!(!auc(0.02, 0.87, 0.86).promoted);
        assert!(auc(0.02, 0.89, 0.86).promoted);
        let loss = |least, new, live| decide(LogLoss, least, json!({"log_loss": new}), json!({"log_loss": live}));
        assert!(loss(0.0, 0.43, 0.44).promoted);
        assert_eq!(loss(0.0, 0.44, 0.43).message, "not promoted: log_loss 0.44 is not better than 0.43 of version 3");
        assert_eq!(
            loss(0.05, 0.43, 0.44).message,
            "not promoted: log_loss 0.43 is better than 0.44 of version 3 by 0.01, and min_improvement is 0.05"
        );
    }

    #[test]
    fn a_missing_metric_or_another_target_is_no_improvement() {
        let (some, none) = (json!({"rmse": 3.0}), json!({"rmse": null}));
        let message = |new: &Value, live: &Value| decide(PromotionMetric::Rmse, 0.0, new.clone(), live.clone()).message;
        assert_eq!(message(&none, &some), "not promoted: the new version has no rmse");
        assert_eq!(message(&some, &none), "not promoted: version 3 has no rmse");
        let live = LiveVersion { version: 3, target: "fare", metrics: &some };
        let rule = AutoPromote { metric: PromotionMetric::Rmse, min_improvement: 0.0 };
        let decision = rule.decide("age", &json!({"rmse": 1.0}), live);
        assert_eq!(decision.message, "not promoted: version 3 predicts another column, 'fare'");
    }

    #[test]
    fn the_fields_of_a_request_are_checked() {
        let rule = |metric, min_improvement| AutoPromote { metric, min_improvement };
        assert_eq!(rule(PromotionMetric::RocAuc, 0.0).metric_error(false), None);
        let refused = rule(PromotionMetric::R2, 0.0).metric_error(false).unwrap();
        assert_eq!(refused, "'r2' is a metric of regression, and this job is a classification");
        for (least, valid) in [(0.0, true), (0.5, true), (-0.1, false), (f64::INFINITY, false)] {
            assert_eq!(rule(PromotionMetric::Mae, least).check_improvement().is_none(), valid, "{least}");
        }
    }

    #[test]
    fn metrics_have_the_names_of_the_results() {
        for metric in ["accuracy", "roc_auc", "log_loss", "f1", "precision", "recall", "r2", "rmse", "mae"] {
            let parsed: PromotionMetric = serde_json::from_value(json!(metric)).unwrap();
            assert_eq!(parsed.as_str(), metric);
        }
        assert!(serde_json::from_value::<PromotionMetric>(json!("auc")).is_err());
    }
}
