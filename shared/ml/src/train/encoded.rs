//! The rows that one model is trained on, as its algorithm sees them.

use trainyard_domain::Algorithm;
use trainyard_domain::params::Params;

use super::engine::{self, FitRequest, Fitted};
use super::{all_equal, boosting};
use crate::error::TrainError;
use crate::forest::RowGroups;
use crate::frame::Frame;
use crate::model::{Signature, Task};
use crate::preprocess::{CategoryCodes, Fitted as FittedFeatures, Part, TargetValues};
use crate::progress::Progress;

/// What a model is trained with.
#[derive(Debug, Clone, Copy)]
pub(super) struct ModelSpec<'a> {
    /// Not [`Algorithm::Auto`].
    pub(super) algorithm: Algorithm,
    pub(super) params: &'a Params,
    pub(super) seed: u64,
}

/// Rows of a frame, encoded for a model.
pub(super) struct Encoded<'a> {
    model: ModelSpec<'a>,
    /// The features and the task, without the name of the target.
    pub(super) signature: Signature,
    pub(super) training: Part,
    groups: RowGroups,
    /// Per row, whether it only decides when gradient boosting stops; empty for other algorithms.
    validation: Vec<bool>,
    categories: CategoryCodes,
}

impl<'a> Encoded<'a> {
    /// Encodes `rows`, on which `fitted` was fitted. `copies` is the group of each row; see [`crate::preprocess::fit`].
    ///
    /// # Errors
    /// See [`Part::new`].
    pub(super) fn new(
        model: ModelSpec<'a>,
        task: &Task,
        frame: &Frame,
        fitted: FittedFeatures,
        rows: &[usize],
        copies: Vec<u32>,
    ) -> Result<Self, TrainError> {
        let FittedFeatures { features, folds, .. } = fitted;
        let groups = RowGroups { folds, copies };
        let copies: Option<Vec<u64>> =
            (!groups.copies.is_empty()).then(|| groups.copies.iter().map(|group| u64::from(*group)).collect());
        let validation = boosting::validation(&model, frame, rows, copies.as_deref());
        let training = Part::new(frame, &features, rows)?;
        let categories = CategoryCodes::new(frame, &features, rows, copies, model.seed);
        let (target, dropped, missing) = Default::default();
        let signature = Signature { features, target, task: task.clone(), dropped, missing };
        Ok(Self { model, signature, training, groups, validation, categories })
    }

    /// Whether all rows have the same target, from which nothing can be learned.
    pub(super) fn has_one_target(&self) -> bool {
        match &self.training.targets {
            TargetValues::Classes(classes, _) => all_equal(classes.iter()),
            TargetValues::Numbers(numbers) => all_equal(numbers.iter()),
        }
    }

    /// Trains the model.
    pub(super) fn fit(&self, progress: &Progress<'_>) -> Result<Fitted, TrainError> {
        let ModelSpec { algorithm, params, seed } = self.model;
        let request = FitRequest {
            algorithm,
            params,
            seed,
            groups: &self.groups,
            validation: &self.validation,
            ordered: &|validation| self.categories.ordered_columns(validation),
        };
        engine::fit(&request, &self.signature, &self.training, progress)
    }
}
