//! The rows of the training part, for models that are trained on some of them: the models of folds and of samples. Features,
//! categories and scalings are fitted for each model on its own training rows alone.

use super::copies;
use super::encoded::{Encoded, ModelSpec};
use super::engine::{self, Fitted};
use super::measure;
use crate::error::TrainError;
use crate::frame::Frame;
use crate::model::Task;
use crate::preprocess::{self, Part};
use crate::progress::{Observer, Progress};

/// The training part.
#[derive(Clone, Copy)]
pub(super) struct TrainingRows<'a> {
    pub(super) frame: &'a Frame,
    pub(super) task: &'a Task,
    /// The rows of the training part in the frame.
    pub(super) rows: &'a [usize],
    /// The group of each row; see [`preprocess::fit`].
    pub(super) copies: &'a [u32],
}

/// A model of some rows, and its predictions for other rows.
pub(super) struct Predicted<'a> {
    /// The rows that the model was trained on.
    pub(super) encoded: Encoded<'a>,
    pub(super) fitted: Fitted,
    /// The predicted rows.
    pub(super) part: Part,
    /// Their output vectors.
    pub(super) outputs: Vec<f64>,
}

impl TrainingRows<'_> {
    /// The rows at these positions of the training part, as rows of the frame.
    pub(super) fn in_frame(&self, positions: &[usize]) -> Vec<usize> {
        positions.iter().map(|at| self.rows[*at]).collect()
    }

    /// Trains a model on the rows at the positions `training`, and predicts the rows `predicted` of the frame.
    ///
    /// # Errors
    /// [`TrainError::Cancelled`] if the observer of `progress` stops the training, else why the model can't be trained.
    pub(super) fn fit_and_predict<'m>(
        &self,
        model: ModelSpec<'m>,
        training: &[usize],
        predicted: &[usize],
        progress: &Progress<'_>,
    ) -> Result<Predicted<'m>, TrainError> {
        let rows = self.in_frame(training);
        let copies = copies::of_some(self.copies, training);
        let mut frame = self.frame.share();
        let fitted = preprocess::fit(&mut frame, &rows, &copies, engine::family(model.algorithm), model.seed)?;
        let encoded = Encoded::new(model, self.task, &frame, fitted, &rows, copies)?;
        if encoded.has_one_target() {
            return Err(TrainError::bad_data("all training rows of a fold have the same target"));
        }
        let fitted = encoded.fit(progress)?;
        let part = Part::new(&frame, &encoded.signature.features, predicted)?;
        let outputs = measure::outputs(&fitted.estimator, self.task, &part, progress)?;
        Ok(Predicted { encoded, fitted, part, outputs })
    }
}

/// The observer of a model that is not saved: passes on its progress as that of a phase. Its messages and metrics are not
/// those of the model that the user gets.
pub(super) struct Quiet<'a>(pub(super) &'a Progress<'a>);

impl Observer for Quiet<'_> {
    fn progress(&self, _phase: &str, fraction: f64) {
        // A cancelled run is noticed by `cancelled`.
        let _ = self.0.at(fraction);
    }

    fn cancelled(&self) -> bool {
        self.0.check().is_err()
    }
}
