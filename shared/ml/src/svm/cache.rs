//! The kernel cache: rows of the kernel matrix, replaced by least recent use.

use std::ops::Range;

use rayon::prelude::*;

use super::blocks::{LANES, RowBlocks};
use super::simd::{Form, Queries, TILE, kernel_rows};

/// Rows of the kernel matrix. Positions are those of the active rows.
#[derive(Debug)]
pub(super) struct KernelCache {
    form: Form,
    capacity_bytes: usize,
    slots: Vec<Slot>,
    /// The slot of each position, or [`NONE`].
    slot_of: Vec<u32>,
    clock: u64,
}

#[derive(Debug)]
struct Slot {
    position: u32,
    used: u64,
    values: Vec<f32>,
}

const NONE: u32 = u32::MAX;

impl KernelCache {
    pub(super) fn new(form: Form, rows: usize, capacity_bytes: usize) -> Self {
        Self { form, capacity_bytes, slots: Vec::new(), slot_of: vec![NONE; rows], clock: 0 }
    }

    /// Number of rows that fit.
    pub(super) fn capacity(&self, blocks: &RowBlocks) -> usize {
        self.capacity_bytes / (blocks.padded() * size_of::<f32>()).max(1)
    }

    /// Computes the rows at `positions` that are not cached. Rows that were used least recently are replaced; the cache
    /// exceeds its capacity only if `positions` does.
    pub(super) fn load(&mut self, blocks: &RowBlocks, positions: &[u32], parallel: bool) {
        self.clock += 1;
        let mut missing = Vec::new();
        for position in positions {
            match self.slot_of[*position as usize] {
                NONE => missing.push(*position),
                slot => self.slots[slot as usize].used = self.clock,
            }
        }
        if missing.is_empty() {
            return;
        }
        let slots = self.take_slots(missing.len(), self.capacity(blocks).max(positions.len()));
        let mut batches: Vec<(&[u32], Vec<Vec<f32>>)> = missing.chunks(TILE).map(|rows| (rows, Vec::new())).collect();
        for (at, slot) in slots.iter().enumerate() {
            let mut values = std::mem::take(&mut self.slots[*slot].values);
            values.resize(blocks.padded(), 0.0);
            batches[at / TILE].1.push(values);
        }
        let compute = |batches: &mut [(&[u32], Vec<Vec<f32>>)]| compute_rows(self.form, blocks, batches);
        if parallel {
            batches.par_chunks_mut(BATCHES).for_each(compute);
        } else {
            batches.chunks_mut(BATCHES).for_each(compute);
        }
        let computed = batches.into_iter().flat_map(|(_, values)| values);
        for ((slot, position), values) in slots.into_iter().zip(&missing).zip(computed) {
            self.slots[slot] = Slot { position: *position, used: self.clock, values };
            self.slot_of[*position as usize] = slot as u32;
        }
    }

    /// Slots for `count` new rows: new ones up to `capacity`, then those that were used least recently.
    fn take_slots(&mut self, count: usize, capacity: usize) -> Vec<usize> {
        let first = self.slots.len();
        let added = count.min(capacity.saturating_sub(first));
        self.slots.extend((0..added).map(|_| Slot { position: NONE, used: 0, values: Vec::new() }));
        let mut taken: Vec<usize> = (first..first + added).collect();
        let evicted = count - added;
        if evicted > 0 {
            let mut by_use: Vec<(u64, usize)> = (0..first).map(|slot| (self.slots[slot].used, slot)).collect();
            by_use.select_nth_unstable(evicted - 1);
            for (_, slot) in &by_use[..evicted] {
                self.slot_of[self.slots[*slot].position as usize] = NONE;
                taken.push(*slot);
            }
        }
        taken
    }

    /// The row at a position that was part of the last [`Self::load`].
    pub(super) fn row(&self, position: u32) -> &[f32] {
        &self.slots[self.slot_of[position as usize] as usize].values
    }

    /// Keeps only the given positions, in ascending order, which become `0, 1, …`.
    pub(super) fn compact(&mut self, kept: &[u32], padded: usize) {
        let mut slot_of = vec![NONE; kept.len()];
        let mut slots = Vec::new();
        for (position, old) in kept.iter().enumerate() {
            let slot = self.slot_of[*old as usize];
            if slot == NONE {
                continue;
            }
            let Slot { used, values, .. } = &mut self.slots[slot as usize];
            // A kept position is never after its old one, so no value is overwritten before it is read.
            for (to, from) in kept.iter().enumerate() {
                values[to] = values[*from as usize];
            }
            values.truncate(padded);
            values.shrink_to_fit();
            slot_of[position] = slots.len() as u32;
            slots.push(Slot { position: position as u32, used: *used, values: std::mem::take(values) });
        }
        (self.slots, self.slot_of) = (slots, slot_of);
    }
}

/// Batches of queries that share a section of the blocks while the section is in the cache of the CPU.
const BATCHES: usize = 16;
/// Size of a section.
const SECTION_BYTES: usize = 96 << 10;

/// The block numbers of the sections.
pub(super) fn sections(blocks: &RowBlocks) -> impl Iterator<Item = Range<usize>> + use<> {
    let all = blocks.padded() / LANES;
    let length = (SECTION_BYTES / (LANES * blocks.width() * size_of::<f32>()).max(1)).max(1);
    (0..all).step_by(length).map(move |start| start..(start + length).min(all))
}

fn compute_rows(form: Form, blocks: &RowBlocks, batches: &mut [(&[u32], Vec<Vec<f32>>)]) {
    let queries: Vec<Queries> = batches.iter().map(|(rows, _)| Queries::new(blocks, rows)).collect();
    for section in sections(blocks) {
        let values = section.start * LANES..section.end * LANES;
        for ((_, out), queries) in batches.iter_mut().zip(&queries) {
            let mut out: Vec<&mut [f32]> = out.iter_mut().map(|row| &mut row[values.clone()]).collect();
            kernel_rows(form, blocks, section.clone(), queries, &mut out);
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    fn blocks(rows: usize) -> RowBlocks {
        RowBlocks::new(&Array2::from_shape_fn((rows, 3), |(row, column)| (row * 3 + column) as f64 / 50.0).view())
    }

    #[test]
    fn the_cache_stays_within_its_capacity() {
        let blocks = blocks(64);
        let row_bytes = 64 * size_of::<f32>();
        let mut cache = KernelCache::new(Form::Linear, 64, 10 * row_bytes);
        for first in 0..30 {
            cache.load(&blocks, &[first, first + 1, first + 2], false);
            assert!(cache.slots.len() <= 10);
            let expected = blocks.row(first as usize).map(|x| x * x).sum::<f32>();
            assert!((cache.row(first)[first as usize] - expected).abs() < 1e-4);
        }
        // The most recent rows are kept.
        assert!((22..32).all(|position| cache.slot_of[position] != NONE), "{:?}", cache.slot_of);
        let many: Vec<u32> = (0..20).collect();
        cache.load(&blocks, &many, true);
        assert!(many.iter().all(|position| cache.row(*position).len() == 64));
    }

    #[test]
    fn compacted_rows_keep_their_values() {
        let all = blocks(40);
        let mut cache = KernelCache::new(Form::Rbf { gamma: 0.5 }, 40, 1 << 20);
        cache.load(&all, &[3, 7, 30], false);
        let kept: Vec<u32> = (0..40).filter(|position| position % 5 != 0).collect();
        let expected: Vec<f32> = kept.iter().map(|position| cache.row(7)[*position as usize]).collect();
        let some = all.select(&kept);
        cache.compact(&kept, some.padded());
        let seven = kept.iter().position(|position| *position == 7).unwrap() as u32;
        assert_eq!(cache.row(seven)[..kept.len()], expected[..]);
        assert_eq!(cache.slots.len(), 2, "the row of a removed position is dropped");
    }
}
