//! The rounds of gradient boosting in a checkpoint: their trees and gains, and the scores of all rows, which are sums that
//! would take a prediction by each tree to compute again.

use std::io::{self, Write};

use super::stages::{Stage, StageCheckpoints};
use super::{Counts, Run};
use crate::artifact::{ArtifactError, check_tree, read_tree, write_tree};
use crate::checkpoint::{Frames, Kind, get_f64s, put, put_f64s};
use crate::model::Tree;

/// The result of the search for the number of rounds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Searched {
    pub(super) n_rounds: usize,
    pub(super) validation_loss: Option<f64>,
}

/// A saved stage.
pub(super) struct SavedStage {
    /// The result of the search, if it is the second stage.
    pub(super) searched: Option<Searched>,
    pub(super) rounds: SavedRounds,
}

/// The finished rounds of a stage.
pub(super) struct SavedRounds {
    counts: Counts,
    trees: Vec<Tree>,
    gains: Vec<Vec<(usize, f64)>>,
    scores: Vec<f64>,
}

impl SavedStage {
    pub(super) fn read(frames: &mut Frames<'_>) -> Result<Self, ArtifactError> {
        let (searched, counts, n_trees) = frames.next(|reader| {
            let (is_final, has_loss) = (reader.u32()? != 0, reader.u32()? != 0);
            let (n_rounds, loss) = (reader.length()?, reader.f64()?);
            let searched = is_final.then_some(Searched { n_rounds, validation_loss: has_loss.then_some(loss) });
            let (done, last_split) = (reader.length()?, reader.length()?);
            let counts = Counts { done, last_split, best: (reader.length()?, reader.f64()?) };
            Ok((searched, counts, reader.length()?))
        })?;
        let (mut trees, mut gains) = (Vec::new(), Vec::new());
        for _ in 0..n_trees {
            let (tree, columns, values) = frames.next(|reader| {
                let tree = read_tree(reader)?;
                let count = reader.length()?;
                Ok((tree, reader.u32s(count)?, reader.f64s(count)?))
            })?;
            trees.push(tree);
            gains.push(columns.into_iter().map(|column| column as usize).zip(values).collect());
        }
        let rounds = SavedRounds { counts, trees, gains, scores: get_f64s(frames)? };
        Ok(Self { searched, rounds })
    }
}

impl StageCheckpoints<'_> {
    /// Continues after the saved rounds, if there are any for this training. Returns what is done.
    pub(super) fn restore<K: Sync>(&mut self, run: &mut Run<'_, K>) -> Counts {
        let (Some(checkpoints), Some(rounds)) = (self.checkpoints, self.earlier.take()) else {
            return Counts::default();
        };
        let counts = rounds.counts;
        if !run.restore(rounds) {
            checkpoints.ignored("its rounds do not belong to this run");
            return Counts::default();
        }
        checkpoints.resumed(&self.done(counts.done, run.params.n_rounds()));
        counts
    }

    /// Saves the finished rounds, if a checkpoint is due.
    pub(super) fn save_if_due<K: Sync>(&self, run: &Run<'_, K>, counts: Counts) {
        let Some(due) = self.checkpoints.and_then(|checkpoints| checkpoints.due()) else { return };
        let done = self.done(counts.done, run.params.n_rounds());
        due.save(Kind::Boosting, &done, &|out: &mut dyn Write| self.write(out, run, counts));
    }

    /// The finished work in words.
    fn done(&self, rounds: usize, of: usize) -> String {
        match self.stage {
            Stage::Search => format!("{rounds} rounds of the search for the best number, of at most {of}"),
            Stage::Final => format!("{rounds} of {of} rounds"),
        }
    }

    fn write<K: Sync>(&self, out: &mut dyn Write, run: &Run<'_, K>, counts: Counts) -> io::Result<()> {
        let Searched { n_rounds, validation_loss } =
            self.searched.unwrap_or(Searched { n_rounds: 0, validation_loss: None });
        put(out, |out| {
            out.u32(u32::from(self.searched.is_some()));
            out.u32(u32::from(validation_loss.is_some()));
            out.length(n_rounds);
            out.f64(validation_loss.unwrap_or(0.0));
            out.length(counts.done);
            out.length(counts.last_split);
            out.length(counts.best.0);
            out.f64(counts.best.1);
            out.length(run.trees.len());
        })?;
        for (tree, gains) in run.trees.iter().zip(&run.gains) {
            put(out, |out| {
                write_tree(out, tree);
                out.length(gains.len());
                gains.iter().for_each(|(column, _)| out.length(*column));
                gains.iter().for_each(|(_, gain)| out.f64(*gain));
            })?;
        }
        put_f64s(out, &run.scores)
    }
}

impl<K: Sync> Run<'_, K> {
    /// Continues after these rounds. Returns `false` if they are not of this training.
    fn restore(&mut self, rounds: SavedRounds) -> bool {
        let SavedRounds { counts, trees, gains, scores } = rounds;
        let (outputs, columns) = (self.baseline.len(), self.bins.raw_columns());
        let is_known = |(column, _): &(usize, f64)| *column < columns;
        let fits = counts.done.checked_mul(outputs) == Some(trees.len())
            && counts.done <= self.params.n_rounds()
            && counts.best.0.max(counts.last_split) <= counts.done
            && scores.len() == self.scores.len()
            && trees.iter().all(|tree| check_tree(tree, columns, 1, false).is_ok())
            && gains.iter().flatten().all(is_known);
        if fits {
            (self.trees, self.gains, self.scores) = (trees, gains, scores);
            self.predict();
        }
        fits
    }
}
