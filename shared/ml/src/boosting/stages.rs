//! The two trainings of a model with early stopping, and their checkpoints.

use super::saved::{SavedRounds, SavedStage, Searched};
use super::{Boosted, BoostingValidParams, Failure};
use crate::checkpoint::{Checkpoints, Kind};

/// The two trainings of a model with early stopping: on the rows without the validation rows, and on all rows with the
/// best number of rounds. Without early stopping there is only the second one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The number of rounds is searched.
    Search,
    /// The model is trained.
    Final,
}

/// The checkpoints of one stage.
pub(crate) struct StageCheckpoints<'a> {
    /// `None` saves nothing.
    pub(super) checkpoints: Option<&'a Checkpoints<'a>>,
    pub(super) stage: Stage,
    /// The result of the stage before.
    pub(super) searched: Option<Searched>,
    /// The rounds that an earlier run has saved.
    pub(super) earlier: Option<SavedRounds>,
}

impl StageCheckpoints<'_> {
    /// For a training without checkpoints.
    #[cfg(test)]
    pub(super) const NONE: Self =
        StageCheckpoints { checkpoints: None, stage: Stage::Final, searched: None, earlier: None };
}

/// Trains a model in one or two stages. `validation` is empty without early stopping. `fit` trains a stage.
pub(crate) fn in_stages<K: Clone>(
    params: &BoostingValidParams<K>,
    validation: &[bool],
    checkpoints: Option<&Checkpoints<'_>>,
    mut fit: impl FnMut(Stage, &[bool], &BoostingValidParams<K>, StageCheckpoints<'_>) -> Result<Boosted, Failure>,
) -> Result<Boosted, Failure> {
    let earlier = checkpoints.and_then(|checkpoints| checkpoints.restore(Kind::Boosting, SavedStage::read));
    let (earlier_search, rounds) = earlier.map_or((None, None), |saved| (saved.searched, Some(saved.rounds)));
    let mut stage = |stage, searched, earlier, validation: &[bool], params: &BoostingValidParams<K>| {
        fit(stage, validation, params, StageCheckpoints { checkpoints, stage, searched, earlier })
    };
    if validation.is_empty() {
        return stage(Stage::Final, None, rounds, &[], params);
    }
    let (searched, rounds) = match earlier_search {
        Some(searched) => (searched, rounds),
        None => {
            let Boosted { n_rounds, validation_loss, .. } = stage(Stage::Search, None, rounds, validation, params)?;
            (Searched { n_rounds, validation_loss }, None)
        }
    };
    let fitted = stage(Stage::Final, Some(searched), rounds, &[], &params.with_rounds(searched.n_rounds))?;
    Ok(Boosted { validation_loss: searched.validation_loss, ..fitted })
}
