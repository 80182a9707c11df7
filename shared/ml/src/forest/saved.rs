//! The trees of a forest in a checkpoint. The trees that are missing there are grown from their own random streams, so only
//! their number matters, and not which ones are missing.

use std::io::{self, Write};
use std::sync::OnceLock;

use super::bins::{Binned, TreeBins};
use super::grow::GrownTree;
use super::out_of_bag::OutOfBag;
use crate::artifact::{ArtifactError, check_tree, read_tree, write_tree};
use crate::bins::{Side, goes_left};
use crate::checkpoint::{Checkpoints, Frames, Kind, put};
use crate::model::{LEAF, Tree};

/// The finished trees, by their index.
pub(super) type Trees = Vec<OnceLock<GrownTree>>;

/// Saves the finished trees, if a checkpoint is due.
pub(super) fn save_if_due(checkpoints: &Checkpoints<'_>, trees: &Trees) {
    let Some(due) = checkpoints.due() else { return };
    let finished: Vec<(usize, &GrownTree)> =
        trees.iter().enumerate().filter_map(|(index, tree)| Some((index, tree.get()?))).collect();
    let write = |out: &mut dyn Write| write_trees(out, &finished);
    due.save(Kind::Forest, &done(finished.len(), trees.len()), &write);
}

/// The finished work in words.
pub(super) fn done(finished: usize, of: usize) -> String {
    format!("{finished} of {of} trees")
}

fn write_trees(out: &mut dyn Write, finished: &[(usize, &GrownTree)]) -> io::Result<()> {
    put(out, |out| out.length(finished.len()))?;
    finished.iter().try_for_each(|(index, GrownTree { tree, importances })| {
        // Most columns of a wide table are not in a tree.
        let used: Vec<u32> = (0_u32..).zip(importances).filter(|(_, value)| **value != 0.0).map(|(at, _)| at).collect();
        let values: Vec<f64> = importances.iter().copied().filter(|value| *value != 0.0).collect();
        put(out, |out| {
            out.length(*index);
            write_tree(out, tree);
            out.length(used.len());
            out.u32s(&used);
            out.f64s(&values);
        })
    })
}

/// The trees of an earlier run, out of `n_trees` with `outputs` values per leaf; empty without a checkpoint.
pub(super) fn restore(checkpoints: &Checkpoints<'_>, binned: &Binned, n_trees: usize, outputs: usize) -> Trees {
    let empty = || (0..n_trees).map(|_| OnceLock::new()).collect::<Trees>();
    let Some(trees) = checkpoints.restore(Kind::Forest, |frames| read_trees(frames, binned, empty(), outputs)) else {
        return empty();
    };
    checkpoints.resumed(&done(trees.iter().filter(|tree| tree.get().is_some()).count(), n_trees));
    trees
}

fn read_trees(frames: &mut Frames<'_>, binned: &Binned, trees: Trees, outputs: usize) -> Result<Trees, ArtifactError> {
    for _ in 0..frames.next(|reader| reader.length())? {
        let (index, tree, used, values) = frames.next(|reader| {
            let (index, tree) = (reader.length()?, read_tree(reader)?);
            let used = reader.length()?;
            Ok((index, tree, reader.u32s(used)?, reader.f64s(used)?))
        })?;
        check_tree(&tree, binned.columns(), outputs, false).map_err(ArtifactError::invalid)?;
        let mut importances = vec![0.0; binned.columns()];
        for (column, value) in used.into_iter().zip(values) {
            *importances.get_mut(column as usize).ok_or_else(|| ArtifactError::invalid("the number of a column"))? =
                value;
        }
        let is_new = split_bins(&binned.tree(index), &tree).is_some()
            && trees.get(index).is_some_and(|slot| slot.set(GrownTree { tree, importances }).is_ok());
        if !is_new {
            return Err(ArtifactError::invalid("a tree of another forest"));
        }
    }
    Ok(trees)
}

/// Adds the predictions of a tree for its out-of-bag rows, as they were added when the tree grew.
pub(super) fn add_out_of_bag(bins: &TreeBins<'_>, tree: &Tree, rows: &[u32], out_of_bag: &OutOfBag) {
    let Some(splits) = split_bins(bins, tree) else { return };
    let mut sums = out_of_bag.part();
    let outputs = sums.outputs();
    for row in rows {
        let mut node = 0;
        while tree.feature[node] != LEAF {
            let side = if tree.missing_right[node] { Side::Right } else { Side::Left };
            let is_left = goes_left(splits[node], side)(bins.column(tree.feature[node] as usize)[*row as usize]);
            node = tree.left[node] as usize + usize::from(!is_left);
        }
        sums.add(&[*row], &tree.values[tree.left[node] as usize * outputs..][..outputs]);
    }
}

/// The highest bin on the left side of each split. `None` if a threshold is between no bins.
fn split_bins(bins: &TreeBins<'_>, tree: &Tree) -> Option<Vec<u8>> {
    let nodes = tree.feature.iter().zip(&tree.threshold);
    nodes
        .map(|(feature, threshold)| if *feature == LEAF { Some(0) } else { bins.bin(*feature as usize, *threshold) })
        .collect()
}
