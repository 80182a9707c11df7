//! Validation of prediction requests: whether a dataset has the columns of a model, in types that it can read.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::validate::{UNKNOWN_DATASET, check_limits};
use super::{JobSpec, OutputColumns, OutputFormat, Prediction, Work};
use crate::dataset::{ColumnProfile, Dtype, IndexedDataset};
use crate::field::{FieldError, shown};
use crate::model::ModelVersion;
use crate::table::BooleanForm;

/// Maximum number of columns that an error names.
const LISTED: usize = 10;

/// A prediction request with defaults, before validation.
#[derive(Debug, Clone, Serialize)]
pub struct PredictionDraft {
    /// See [`Prediction`].
    pub columns: OutputColumns,
    /// See [`Prediction`].
    pub output: OutputFormat,
    /// See [`JobSpec`].
    pub priority: i64,
    /// See [`JobSpec`].
    pub run_at: Option<DateTime<Utc>>,
    /// See [`JobSpec`].
    pub max_attempts: i64,
    /// See [`JobSpec`].
    pub timeout_s: i64,
    /// See [`JobSpec`]; checked by [`crate::webhook::Rules`].
    pub webhook_url: Option<String>,
}

/// The version of a model that a request names, with what its training says about the columns.
#[derive(Debug, Clone)]
pub struct SourceModel {
    /// The version.
    pub version: ModelVersion,
    /// The types of its training job that replaced those of the dataset.
    pub column_types: BTreeMap<String, Dtype>,
    /// The dataset that it was trained on. Without it, the types of columns are not checked.
    pub dataset: Option<Arc<IndexedDataset>>,
}

impl PredictionDraft {
    /// Validates the request. `model` is the requested version, or what is wrong with the request's model; `dataset` is the
    /// newest version of the requested dataset, or `None` if it does not exist. Returns one error for each invalid field.
    pub fn validate(
        &self,
        model: Result<&SourceModel, &FieldError>,
        dataset: Option<&IndexedDataset>,
    ) -> Result<JobSpec, Vec<FieldError>> {
        let mut errors: Vec<_> = model.err().cloned().into_iter().collect();
        check_limits(&mut errors, self.priority, self.max_attempts, self.timeout_s);
        match (model, dataset) {
            (Ok(model), Some(dataset)) => errors.extend(model.dataset_error(dataset)),
            (_, None) => errors.push(FieldError::new("dataset", UNKNOWN_DATASET)),
            (Err(_), Some(_)) => {}
        }
        match (model, dataset) {
            (Ok(SourceModel { version, .. }), Some(dataset)) if errors.is_empty() => Ok(JobSpec {
                name: version.name.clone(),
                dataset: dataset.name.clone(),
                dataset_version: dataset.version,
                priority: self.priority,
                run_at: self.run_at,
                max_attempts: self.max_attempts,
                timeout_s: self.timeout_s,
                webhook_url: self.webhook_url.clone(),
                work: Work::Prediction(Prediction {
                    version: version.version,
                    algorithm: version.algorithm,
                    columns: self.columns,
                    output: self.output,
                }),
            }),
            _ => Err(errors),
        }
    }
}

impl SourceModel {
    /// Why the model cannot predict the rows of `dataset`. A feature without a column is no reason, as it is none for
    /// `POST /inference`: its value is missing in every row. A model without any of its columns is one.
    fn dataset_error(&self, dataset: &IndexedDataset) -> Option<FieldError> {
        let (mut found, mut unreadable) = (0, Vec::new());
        for name in &self.version.features {
            let Some(column) = dataset.column(name) else { continue };
            found += 1;
            let trained = self.dataset.as_ref().and_then(|dataset| dataset.column(name));
            if let Some(trained) = trained
                && column.distinct > 0
                && !reads(self.value_type(trained), self.value_type(column))
            {
                unreadable.push((self.value_type(column).0, self.value_type(trained).0, column));
            }
        }
        if found == 0 {
            let known = list(self.version.features.iter().map(|name| shown(name).into_owned()));
            return Some(FieldError::new("dataset", format!("has no column of the model, which reads {known}")));
        }
        if unreadable.is_empty() {
            return None;
        }
        let columns = unreadable.iter().map(|(found, expected, column)| {
            format!("'{}' is {} and must be {}", shown(&column.name), with_article(*found), with_article(*expected))
        });
        let columns = list(columns);
        Some(FieldError::new("dataset", format!("has columns of types that the model cannot read: {columns}")))
    }

    /// The type of a column under the model, and the words of a boolean.
    fn value_type(&self, column: &ColumnProfile) -> (Dtype, Option<BooleanForm>) {
        let dtype = self.column_types.get(&column.name).copied().unwrap_or(column.dtype);
        (dtype, column.reading.boolean.filter(|_| dtype == Dtype::Boolean))
    }
}

/// Whether values of the type `found` can be values of a feature that was trained with the type `trained`.
fn reads(trained: (Dtype, Option<BooleanForm>), found: (Dtype, Option<BooleanForm>)) -> bool {
    use BooleanForm::{Digit, YesNo};
    match (trained, found) {
        // Every value is a text.
        ((Dtype::Category | Dtype::Text, _) | (Dtype::Boolean, Some(YesNo)), _) => true,
        // A column of 0 and 1 is trained as numbers, and so is one that has more numbers elsewhere.
        ((Dtype::Boolean, Some(Digit)), (Dtype::Number | Dtype::Boolean, _)) => true,
        ((Dtype::Number, _), (Dtype::Number, _) | (Dtype::Boolean, Some(Digit))) => true,
        ((Dtype::Boolean, _), (Dtype::Boolean, _)) => true,
        // A date can be the number of its digits, its seconds or its milliseconds.
        ((Dtype::Datetime, _), (Dtype::Datetime | Dtype::Number, _)) => true,
        _ => false,
    }
}

fn with_article(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::Number => "a number",
        Dtype::Boolean => "a boolean",
        Dtype::Category => "a category",
        Dtype::Datetime => "a date",
        Dtype::Text => "a text",
    }
}

/// The first items, separated by commas.
fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(LISTED);
    let mut listed = items.take(LISTED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        listed.push_str(&format!(" and {more} more"));
    }
    listed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::algorithm::Algorithm;
    use crate::dataset::{Dataset, DatasetName};
    use crate::ids::{DatasetId, JobId};
    use crate::model::ModelName;
    use crate::spec::JobKind;
    use crate::table::TableFormat;

    fn column(name: &str, dtype: Dtype, boolean: Option<BooleanForm>) -> ColumnProfile {
        let mut column = ColumnProfile { distinct: 2, ..ColumnProfile::new(name, dtype) };
        column.reading.boolean = boolean;
        column
    }

    fn dataset(columns: Vec<ColumnProfile>) -> IndexedDataset {
        IndexedDataset::from(Dataset {
            id: DatasetId::at(DateTime::UNIX_EPOCH),
            name: DatasetName::parse("customers").unwrap(),
            version: 4,
            rows: 10,
            bytes: 1,
            columns,
            format: TableFormat::default(),
            duplicate_rows: 0,
            suggested_target: None,
            suggested_task: None,
            sha256: String::new(),
            storage_key: String::new(),
            warnings: vec![],
            created_by: None,
            created_at: DateTime::UNIX_EPOCH,
        })
    }

    /// A model that was trained on `columns`.
    fn model(columns: Vec<ColumnProfile>) -> SourceModel {
        SourceModel {
            version: ModelVersion {
                name: ModelName::parse("churn").unwrap(),
                version: 7,
                job_id: JobId::at(DateTime::UNIX_EPOCH),
                algorithm: Algorithm::Ridge,
                features: columns.iter().map(|column| column.name.clone()).collect(),
                target: "left".into(),
                metrics: json!({}),
                dataset_id: DatasetId::at(DateTime::UNIX_EPOCH),
                size: 1,
                sha256: String::new(),
                artifact_key: String::new(),
                traceparent: None,
                created_at: DateTime::UNIX_EPOCH,
                aliases: vec![],
            },
            column_types: BTreeMap::new(),
            dataset: Some(Arc::new(dataset(columns))),
        }
    }

    fn draft() -> PredictionDraft {
        PredictionDraft {
            columns: OutputColumns::All,
            output: OutputFormat::Csv,
            priority: 0,
            run_at: None,
            max_attempts: 3,
            timeout_s: 60,
            webhook_url: None,
        }
    }

    fn error(model: &SourceModel, dataset: &IndexedDataset) -> Option<String> {
        let errors = draft().validate(Ok(model), Some(dataset)).err()?;
        assert_eq!(errors.iter().map(|error| error.field.as_str()).collect::<Vec<_>>(), ["dataset"]);
        Some(errors[0].message.clone())
    }

    #[test]
    fn a_valid_request_names_the_versions() {
        let age = || vec![column("age", Dtype::Number, None)];
        let spec = draft().validate(Ok(&model(age())), Some(&dataset(age()))).unwrap();
        assert_eq!((spec.kind(), spec.name.as_str(), spec.dataset_version), (JobKind::Prediction, "churn", 4));
        assert_eq!((spec.prediction().unwrap().version, spec.algorithm()), (7, Algorithm::Ridge));
    }

    #[test]
    fn every_invalid_field_has_an_error() {
        let wrong = PredictionDraft { priority: 11, max_attempts: 0, timeout_s: 0, ..draft() };
        let unknown = FieldError::new("model", "is not the name of a model");
        let errors = wrong.validate(Err(&unknown), None).unwrap_err();
        let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["model", "priority", "max_attempts", "timeout_s", "dataset"]);
    }

    #[test]
    fn some_columns_may_be_missing_but_not_all() {
        let trained = model(vec![column("age", Dtype::Number, None), column("plan", Dtype::Category, None)]);
        assert_eq!(error(&trained, &dataset(vec![column("plan", Dtype::Category, None)])), None);
        let other = error(&trained, &dataset(vec![column("size", Dtype::Number, None)]));
        assert_eq!(other.as_deref(), Some("has no column of the model, which reads age, plan"));
        let many = (0..12).map(|i| column(&format!("c{i}"), Dtype::Number, None)).collect();
        let message = error(&model(many), &dataset(vec![column("size", Dtype::Number, None)])).unwrap();
        assert!(message.ends_with("c9 and 2 more"), "{message}");
    }

    #[test]
    fn a_column_must_have_a_type_that_the_feature_can_read() {
        use BooleanForm::{Digit, TrueFalse, YesNo};
        let accepted = [
            ((Dtype::Number, None), (Dtype::Boolean, Some(Digit))),
            ((Dtype::Boolean, Some(Digit)), (Dtype::Number, None)),
            ((Dtype::Boolean, Some(Digit)), (Dtype::Boolean, Some(TrueFalse))),
            ((Dtype::Boolean, Some(TrueFalse)), (Dtype::Boolean, Some(YesNo))),
            ((Dtype::Boolean, Some(YesNo)), (Dtype::Category, None)),
            ((Dtype::Category, None), (Dtype::Number, None)),
            ((Dtype::Datetime, None), (Dtype::Number, None)),
        ];
        let refused = [
            ((Dtype::Number, None), (Dtype::Category, None)),
            ((Dtype::Number, None), (Dtype::Boolean, Some(YesNo))),
            ((Dtype::Number, None), (Dtype::Datetime, None)),
            ((Dtype::Boolean, Some(TrueFalse)), (Dtype::Number, None)),
            ((Dtype::Datetime, None), (Dtype::Text, None)),
        ];
        let of = |(dtype, form)| vec![column("x", dtype, form)];
        for (trained, found) in accepted {
            assert_eq!(error(&model(of(trained)), &dataset(of(found))), None, "{trained:?} reads {found:?}");
        }
        for (trained, found) in refused {
            let message = error(&model(of(trained)), &dataset(of(found))).expect("an error");
            assert!(message.starts_with("has columns of types that the model cannot read: 'x' is "), "{message}");
        }
        let (number, category) = ((Dtype::Number, None), (Dtype::Category, None));
        // Without a value in any row, a column has no type.
        let mut empty = of((Dtype::Text, None));
        empty[0].distinct = 0;
        assert_eq!(error(&model(of(number)), &dataset(empty)), None);
        // The types of the training job replace those of both datasets.
        let typed = SourceModel { column_types: [("x".into(), Dtype::Number)].into(), ..model(of(category)) };
        assert_eq!(error(&typed, &dataset(of(category))), None);
        // Nothing is known about the types of a model whose dataset cannot be read.
        assert_eq!(error(&SourceModel { dataset: None, ..model(of(number)) }, &dataset(of(category))), None);
    }
}
