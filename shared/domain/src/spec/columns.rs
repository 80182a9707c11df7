//! Validation of the target and the features against the columns of a dataset.

use std::collections::HashSet;

use super::{Draft, MAX_CLASSES, MAX_FEATURES, OnLeak, is_label, is_regression};
use crate::algorithm::{Algorithm, CALIBRATION, ENGINE, LINFA, NATIVE, TUNE_THRESHOLD};
use crate::dataset::{ColumnProfile, Dtype, IndexedDataset};
use crate::field::{FieldError, shown};
use crate::table::{BooleanForm, TaskKind};

/// Maximum number of warnings of a job about columns that its submission left out.
const MAX_WARNINGS: usize = 100;

/// A request with the columns of its dataset.
pub(super) struct Columns<'a> {
    draft: &'a Draft,
    dataset: &'a IndexedDataset,
}

impl<'a> Columns<'a> {
    pub(super) fn new(draft: &'a Draft, dataset: &'a IndexedDataset) -> Self {
        Self { draft, dataset }
    }

    /// Validates types, target and features. Returns the features to use, with `*` expanded, and warnings about columns
    /// that are not used.
    pub(super) fn check(
        &self,
        errors: &mut Vec<FieldError>,
        algorithm: Option<Algorithm>,
    ) -> (Vec<String>, Vec<String>) {
        self.check_types(errors);
        let target = self.dataset.column(&self.draft.target);
        self.check_target(errors, target, algorithm);
        let mut warnings = Vec::new();
        let features = self.expand(target, &mut warnings);
        let mut dropped = HashSet::new();
        let on_leak = self.draft.learning.on_leak;
        check_list(errors, &features, &self.draft.target, |errors, i, feature| {
            let mut refuse = |message| errors.push(FieldError::new(format!("features[{i}]"), message));
            let Some(column) = self.dataset.column(feature) else {
                return refuse(format!("'{}' {}", shown(feature), self.no_column()));
            };
            if let Some(message) = self.unusable(column) {
                return refuse(message);
            }
            let Some(target) = target.filter(|target| self.leaks(column, target)) else { return };
            let (name, target) = (shown(feature), shown(&target.name));
            let leak = format!("'{name}' holds the same information as the target '{target}'");
            match on_leak {
                OnLeak::Warn => warnings.push(format!("{leak}; check that it does not leak the target")),
                OnLeak::Drop => {
                    warnings.push(format!("{leak} and is not used"));
                    dropped.insert(i);
                }
                OnLeak::Refuse => refuse(format!("{leak}, and on_leak is 'refuse'; remove the feature")),
            }
        });
        if dropped.len() == features.len() && !features.is_empty() {
            errors.push(FieldError::new("features", "all hold the same information as the target; name other columns"));
        }
        if warnings.len() > MAX_WARNINGS {
            let more = warnings.len() - MAX_WARNINGS;
            warnings.truncate(MAX_WARNINGS);
            warnings.push(format!("{more} more columns are not used or leak the target"));
        }
        let features = features.into_iter().enumerate().filter(|(i, _)| !dropped.contains(i));
        (features.map(|(_, feature)| feature).collect(), warnings)
    }

    /// The type of a column in this job.
    fn dtype(&self, column: &ColumnProfile) -> Dtype {
        self.draft.learning.column_types.get(&column.name).copied().unwrap_or(column.dtype)
    }

    fn check_types(&self, errors: &mut Vec<FieldError>) {
        let names = self.draft.learning.column_types.keys();
        let unknown = names.filter(|name| self.dataset.column(name).is_none());
        errors.extend(unknown.map(|name| FieldError::new(format!("column_types.{}", shown(name)), self.no_column())));
    }

    fn check_target(&self, errors: &mut Vec<FieldError>, target: Option<&ColumnProfile>, algorithm: Option<Algorithm>) {
        let mut refuse = |field: &str, message: String| errors.push(FieldError::new(field, message));
        let Some(column) = target else {
            let message = if self.draft.target.is_empty() { TARGET_MISSING.to_owned() } else { self.no_column() };
            return refuse("target", message);
        };
        if column.distinct <= 1 {
            return refuse("target", "has only one distinct value; choose a target with at least two".into());
        }
        if self.dtype(column) == Dtype::Datetime {
            return refuse("target", "is a date; choose a number or a category".into());
        }
        let requested = self.draft.learning.task;
        let only = algorithm.and_then(Algorithm::only_task);
        let name = algorithm.map_or("", Algorithm::as_str);
        if requested == Some(TaskKind::Classification) && only == Some(TaskKind::Regression) {
            return refuse("task", format!("{name} supports regression only"));
        }
        // An algorithm for regression needs no task.
        let required = requested.or(only.filter(|task| *task == TaskKind::Regression));
        if required == Some(TaskKind::Regression) && !self.is_numeric(column) {
            let (field, by) = if requested.is_some() { ("task", "'regression'") } else { ("target", name) };
            return refuse(field, format!("{by} needs numbers, and '{}' has others", shown(&column.name)));
        }
        let regression = match required {
            Some(task) => task == TaskKind::Regression,
            None => is_regression(self.dtype(column), column.distinct),
        };
        if let Some(message) = self.positive_class_error(column, regression) {
            refuse("positive_class", message);
        }
        if let Some(message) = self.draft.auto_promote.and_then(|rule| rule.metric_error(regression)) {
            refuse("auto_promote.metric", message);
        }
        self.check_decisions(column, regression, &mut refuse);
        let engine = self.draft.params.get(ENGINE).and_then(serde_json::Value::as_str).unwrap_or(NATIVE);
        if regression && only == Some(TaskKind::Classification) {
            let field = if requested.is_some() { "task" } else { "target" };
            refuse(
                field,
                format!(
                    "has {} distinct numbers, so this is a regression; {name} supports classification only \
                    (random_forest and svm support both, and task 'classification' makes each number a class)",
                    column.distinct
                ),
            );
        } else if regression && engine == LINFA {
            refuse("params.engine", format!("'{LINFA}' does not support regression; use '{NATIVE}'"));
        } else if !regression {
            let limit = algorithm.map_or(MAX_CLASSES, Algorithm::max_classes);
            let rows = u64::try_from(self.dataset.rows).unwrap_or(0).saturating_sub(column.missing);
            if column.distinct > limit {
                let by = if limit < MAX_CLASSES { format!(" by {name}") } else { String::new() };
                refuse("target", format!("has {} classes; at most {limit} are supported{by}", column.distinct));
            } else if column.distinct >= rows && rows > 1 {
                let or = if self.is_numeric(column) { ", or set task to 'regression'" } else { "" };
                refuse(
                    "target",
                    format!(
                        "has no class with two rows: each of its {rows} values is different; choose a target with \
                        repeated values{or}"
                    ),
                );
            }
        }
        if let Some(max) = algorithm.and_then(|algorithm| algorithm.max_rows(engine))
            && !regression
            && self.dataset.rows > max
        {
            let rows = self.dataset.rows;
            let (field, by) =
                if engine == LINFA { ("params.engine", format!("'{LINFA}'")) } else { ("algorithm", name.to_owned()) };
            refuse(field, format!("{by} supports at most {max} rows; this dataset has {rows}"));
        }
    }

    /// A calibration needs classes, and a tuned threshold two of them.
    fn check_decisions(&self, target: &ColumnProfile, regression: bool, refuse: &mut dyn FnMut(&str, String)) {
        let asks =
            |name: &str| self.draft.params.get(name).and_then(serde_json::Value::as_str).is_some_and(|v| v != "off");
        if asks(CALIBRATION) && regression {
            refuse("params.calibration", "needs classes, and this is a regression".into());
        }
        if asks(TUNE_THRESHOLD) && regression {
            refuse("params.tune_threshold", "needs two classes, and this is a regression".into());
        } else if asks(TUNE_THRESHOLD) && target.distinct != 2 {
            let found = format!("needs two classes, and '{}' has {}", shown(&target.name), target.distinct);
            refuse("params.tune_threshold", found);
        }
    }

    fn is_numeric(&self, column: &ColumnProfile) -> bool {
        match self.dtype(column) {
            Dtype::Number => true,
            Dtype::Boolean => column.reading.boolean == Some(BooleanForm::Digit),
            _ => false,
        }
    }

    fn positive_class_error(&self, column: &ColumnProfile, regression: bool) -> Option<String> {
        let value = self.draft.learning.positive_class.as_ref()?;
        if !(value.is_string() || value.is_number() || value.is_boolean()) {
            return Some("must be a string, a number or a boolean".into());
        }
        if regression {
            return Some("needs two classes, and this is a regression".into());
        }
        if column.distinct != 2 {
            return Some(format!("needs two classes, and '{}' has {}", shown(&column.name), column.distinct));
        }
        let labels: Vec<String> = match (&column.top, column.min, column.max) {
            (Some(top), ..) => top.iter().map(|(label, _)| label.clone()).collect(),
            (None, Some(min), Some(max)) => vec![min.to_string(), max.to_string()],
            // Training checks the label.
            _ => return None,
        };
        let known = labels.iter().any(|label| is_label(value, label));
        let listed: Vec<_> = labels.iter().map(|label| format!("'{}'", shown(label))).collect();
        (!known).then(|| format!("must be one of the classes: {}", listed.join(" and ")))
    }

    /// The features, with `*` expanded. `*` leaves out columns that cannot be features, and those that equal the target.
    fn expand(&self, target: Option<&ColumnProfile>, warnings: &mut Vec<String>) -> Vec<String> {
        if self.draft.features != ["*"] {
            return self.draft.features.clone();
        }
        let mut features = Vec::new();
        for column in self.dataset.columns().iter().filter(|column| column.name != self.draft.target) {
            match self.left_out(column, target) {
                Some(reason) => warnings.push(format!("'{}' {reason} and is not used", shown(&column.name))),
                None => features.push(column.name.clone()),
            }
        }
        features
    }

    /// Why `*` leaves a column out.
    fn left_out(&self, column: &ColumnProfile, target: Option<&ColumnProfile>) -> Option<String> {
        match (column.distinct, self.dtype(column)) {
            (0, _) => Some("has no value in any row".into()),
            (1, _) => Some("has the same value in all rows".into()),
            (distinct, Dtype::Text) => Some(format!("is free text ({distinct} distinct values)")),
            _ if column.row_names => Some("names or numbers the rows".into()),
            _ if target.is_some_and(|target| target.values_digest == column.values_digest) => {
                Some("equals the target".into())
            }
            _ => None,
        }
    }

    /// Why a column cannot be a feature.
    fn unusable(&self, column: &ColumnProfile) -> Option<String> {
        let name = shown(&column.name);
        match (column.distinct, self.dtype(column)) {
            (0, _) => Some(format!("'{name}' has no value in any row")),
            (distinct, Dtype::Text) => Some(format!(
                "'{name}' is free text ({distinct} distinct values), which no algorithm supports; column_types can make \
                it a category"
            )),
            _ => None,
        }
    }

    /// Target leakage: the feature equals the target, or only renames its classes.
    fn leaks(&self, feature: &ColumnProfile, target: &ColumnProfile) -> bool {
        if feature.values_digest == target.values_digest {
            return true;
        }
        // Two columns whose values all differ always have the same partition.
        let rows = u64::try_from(self.dataset.rows).unwrap_or(0);
        let classes = match self.draft.learning.task {
            Some(task) => task == TaskKind::Classification,
            None => !is_regression(self.dtype(target), target.distinct),
        };
        classes
            && target.distinct <= MAX_CLASSES
            && target.distinct + target.missing < rows
            && feature.partition_digest == target.partition_digest
    }

    fn no_column(&self) -> String {
        format!("is not a column of {}, which has {}", self.dataset.name.as_str(), self.dataset.column_list())
    }
}

const TARGET_MISSING: &str = "is required: name the column to predict (only the dataset titanic has a default)";

/// Validates the list of features. `check` validates each feature that is neither a duplicate nor the target.
pub(super) fn check_list(
    errors: &mut Vec<FieldError>,
    features: &[String],
    target: &str,
    mut check: impl FnMut(&mut Vec<FieldError>, usize, &str),
) {
    if features.is_empty() {
        return errors.push(FieldError::new("features", "must name at least one usable column"));
    }
    if features.len() > MAX_FEATURES {
        let found = features.len();
        return errors.push(FieldError::new(
            "features",
            format!("must name at most {MAX_FEATURES} columns; this list has {found}"),
        ));
    }
    let mut seen = HashSet::with_capacity(features.len());
    for (i, feature) in features.iter().enumerate() {
        let mut refuse = |message: String| errors.push(FieldError::new(format!("features[{i}]"), message));
        if !seen.insert(feature.as_str()) {
            refuse(format!("'{}' is listed twice", shown(feature)));
        } else if feature == target {
            refuse(format!("'{}' is the target", shown(feature)));
        } else {
            check(errors, i, feature);
        }
    }
}
