//! The dual problem of support vector machines, solved by decomposition.
//!
//! With one signed coefficient per row, classification and regression are the same problem: minimize
//! `½ cᵀKc - tᵀc + epsilon · Σ|c|` subject to `Σc = 0` and `lower ≤ c ≤ upper`. Classifiers have the targets ±1, the
//! bounds 0 and ±C, and epsilon 0; regressors have the bounds -C and C.
//!
//! Each iteration chooses a working set with the most violating variables (Joachims 1998), and optimizes it by
//! sequential minimal optimization ([`super::local`]). Then the residuals `t - Kc` of all active rows are updated from
//! the kernel rows of the changed variables. Large working sets use each kernel row for many steps (Wen, Shi, Li, He and
//! Chen, "ThunderSVM", JMLR 19, 2018). Variables that stay at a bound are removed from the active set (shrinking, Joachims
//! 1998); when the active set is optimal, the residuals of the others are computed and all variables are checked.

use std::borrow::Cow;

use rayon::prelude::*;

use super::blocks::RowBlocks;
use super::cache::KernelCache;
use super::local::{Local, Variable, low_offset, up_offset};
use super::simd::{Form, add_rows};
use super::sums::Expansion;

/// The dual problem. The slices have one value per row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Problem<'a> {
    pub(super) blocks: &'a RowBlocks,
    pub(super) form: Form,
    pub(super) targets: &'a [f64],
    pub(super) lower: &'a [f64],
    pub(super) upper: &'a [f64],
    pub(super) epsilon: f64,
}

/// When the solver stops, and its resources.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Maximum violation of the optimality conditions.
    pub(super) tolerance: f64,
    /// Maximum number of steps of two variables.
    pub(super) max_steps: u64,
    /// Size of the kernel cache.
    pub(super) cache_bytes: usize,
    /// Whether kernel rows are computed by several threads.
    pub(super) parallel: bool,
}

/// Where the solver starts. Both have one value per row.
#[derive(Debug)]
pub(super) struct Start {
    /// Within the bounds, and with the sum 0.
    pub(super) coefficients: Vec<f64>,
    /// `t - Kc`
    pub(super) residual: Vec<f64>,
}

/// The solution: the decision value of x is `Σ coefficient · K(row, x) + bias`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Solution {
    pub(super) coefficients: Vec<f64>,
    /// `t - Kc` of all rows; `None` if the last active set was smaller.
    pub(super) residual: Option<Vec<f64>>,
    pub(super) bias: f64,
    /// Whether the tolerance was reached.
    pub(super) converged: bool,
}

/// Maximum number of variables in a working set.
const WORKING_SET: usize = 512;
/// Minimum number, also if the cache is smaller.
pub(super) const MIN_WORKING_SET: usize = 32;
/// Number of iterations between two attempts to shrink the active set.
const SHRINK_INTERVAL: u32 = 4;
/// Removing fewer variables than this share is not worth a copy of the active rows.
const SHRINK_SHARE: f64 = 0.2;
/// A working set is optimized to this share of the violation of all variables.
const LOCAL_SHARE: f64 = 0.1;
/// Maximum number of steps per variable of a working set.
const LOCAL_STEPS: u64 = 32;

/// Solves the problem, from coefficients of 0 without a start. `on_iteration` gets the progress from 0 to 1 and returns
/// whether to continue; `None` if it stopped the solver.
pub(super) fn solve(
    problem: &Problem<'_>,
    start: Option<Start>,
    limits: &Limits,
    on_iteration: &(dyn Fn(f64) -> bool + Sync),
) -> Option<Solution> {
    let mut state = State::new(problem, limits);
    if let Some(Start { coefficients, residual }) = start {
        let start = state.variables.iter_mut().zip(coefficients);
        start.for_each(|(variable, coefficient)| variable.coefficient = coefficient);
        state.residual = residual;
    }
    let mut steps = 0;
    let mut progress = Convergence::new(limits.tolerance);
    let mut since_shrinking = 0;
    let converged = loop {
        let range = state.range();
        if !on_iteration(progress.at(range.violation())) {
            return None;
        }
        // The comparison with NaN is false.
        let is_violated = range.violation() > limits.tolerance;
        if !is_violated {
            if state.is_complete() {
                break true;
            }
            state.activate_all();
            continue;
        }
        if steps >= limits.max_steps {
            break false;
        }
        since_shrinking += 1;
        if since_shrinking >= SHRINK_INTERVAL {
            since_shrinking = 0;
            state.shrink(&range);
        }
        let done = state.iterate(&range, limits.max_steps - steps);
        if done == 0 {
            // Rounding errors are larger than the violation.
            break false;
        }
        steps += done;
    };
    Some(state.finish(converged))
}

/// The progress by the logarithm of the violation, which decreases roughly geometrically.
struct Convergence {
    tolerance: f64,
    start: Option<f64>,
    reached: f64,
}

impl Convergence {
    fn new(tolerance: f64) -> Self {
        Self { tolerance, start: None, reached: 0.0 }
    }

    fn at(&mut self, violation: f64) -> f64 {
        let start = *self.start.get_or_insert(violation);
        let done = (start / violation).ln() / (start / self.tolerance).ln();
        // The violation is not monotonous. A comparison with NaN is false.
        if done > self.reached {
            self.reached = done.min(1.0);
        }
        self.reached
    }
}

/// The largest derivative upwards and the smallest downwards; optimal if the first is not larger.
#[derive(Debug, Clone, Copy)]
struct Extremes {
    max_up: f64,
    min_low: f64,
}

impl Extremes {
    fn violation(&self) -> f64 {
        self.max_up - self.min_low
    }
}

/// The active variables, by position.
struct State<'a> {
    problem: &'a Problem<'a>,
    limits: &'a Limits,
    /// The row of each position, ascending.
    rows: Vec<u32>,
    blocks: Cow<'a, RowBlocks>,
    variables: Vec<Variable>,
    residual: Vec<f64>,
    cache: KernelCache,
    /// The current working set, most recent first.
    working_set: Vec<u32>,
    /// The coefficients of all rows; those of active rows may be older.
    coefficients: Vec<f64>,
}

impl<'a> State<'a> {
    fn new(problem: &'a Problem<'a>, limits: &'a Limits) -> Self {
        let rows = problem.targets.len();
        let variable = |row: usize| Variable {
            coefficient: 0.0,
            residual: problem.targets[row],
            lower: problem.lower[row],
            upper: problem.upper[row],
        };
        Self {
            problem,
            limits,
            rows: (0..rows as u32).collect(),
            blocks: Cow::Borrowed(problem.blocks),
            variables: (0..rows).map(variable).collect(),
            residual: problem.targets.to_vec(),
            cache: KernelCache::new(problem.form, rows, limits.cache_bytes),
            working_set: Vec::new(),
            coefficients: vec![0.0; rows],
        }
    }

    fn is_complete(&self) -> bool {
        self.rows.len() == self.problem.targets.len()
    }

    /// The derivatives of a variable upwards and downwards, minus infinity and infinity at its bounds.
    fn derivatives(&self, position: usize) -> (f64, f64) {
        let Variable { coefficient, lower, upper, .. } = self.variables[position];
        let residual = self.residual[position];
        let epsilon = self.problem.epsilon;
        (residual + up_offset(coefficient, upper, epsilon), residual + low_offset(coefficient, lower, epsilon))
    }

    fn range(&self) -> Extremes {
        let mut range = Extremes { max_up: f64::NEG_INFINITY, min_low: f64::INFINITY };
        for position in 0..self.rows.len() {
            let (up, low) = self.derivatives(position);
            range.max_up = if up > range.max_up { up } else { range.max_up };
            range.min_low = if low < range.min_low { low } else { range.min_low };
        }
        range
    }

    /// Optimizes one working set and returns the number of steps.
    fn iterate(&mut self, range: &Extremes, max_steps: u64) -> u64 {
        self.choose_working_set(range);
        self.cache.load(&self.blocks, &self.working_set, self.limits.parallel);
        let rows: Vec<&[f32]> = self.working_set.iter().map(|position| self.cache.row(*position)).collect();
        let variables: Vec<Variable> = (self.working_set.iter())
            .map(|position| *position as usize)
            .map(|position| Variable { residual: self.residual[position], ..self.variables[position] })
            .collect();
        let mut local = Local::new(&variables, rows.clone(), &self.working_set, self.problem.epsilon);
        let tolerance = (LOCAL_SHARE * range.violation()).max(0.5 * self.limits.tolerance);
        let steps = local.optimize(tolerance, max_steps.min(LOCAL_STEPS * variables.len() as u64));
        let mut changes: Vec<(f64, &[f32])> = Vec::new();
        for ((position, before), (after, row)) in
            self.working_set.iter().zip(&variables).zip(local.coefficients.iter().zip(&rows))
        {
            if *after != before.coefficient {
                changes.push((before.coefficient - after, row));
                self.variables[*position as usize].coefficient = *after;
            }
        }
        add_all(&mut self.residual, &changes, self.limits.parallel);
        if changes.is_empty() { 0 } else { steps }
    }

    /// Half of the working set consists of the variables with the largest violations, in equal parts upwards and downwards.
    /// The other half is the more recent half of the last working set, whose kernel rows are cached.
    fn choose_working_set(&mut self, range: &Extremes) {
        let capacity = self.cache.capacity(&self.blocks).clamp(MIN_WORKING_SET, WORKING_SET).min(self.rows.len());
        let new = if self.working_set.is_empty() { capacity } else { capacity.div_ceil(2) };
        let (mut up, mut low) = (Vec::new(), Vec::new());
        for position in 0..self.rows.len() {
            let (up_value, low_value) = self.derivatives(position);
            if up_value > range.min_low {
                up.push((-up_value, position as u32));
            }
            if low_value < range.max_up {
                low.push((low_value, position as u32));
            }
        }
        let last = std::mem::take(&mut self.working_set);
        let mut is_chosen = vec![false; self.rows.len()];
        let mut chosen = Vec::with_capacity(capacity);
        for candidates in [&mut up, &mut low] {
            keep_smallest(candidates, (new / 2).max(1));
        }
        let all = up.into_iter().chain(low).map(|(_, position)| position).chain(last);
        for position in all {
            if chosen.len() < capacity && !std::mem::replace(&mut is_chosen[position as usize], true) {
                chosen.push(position);
            }
        }
        self.working_set = chosen;
    }

    /// Removes the variables at a bound, or at the bend of the loss, that no pair with a violation contains.
    fn shrink(&mut self, range: &Extremes) {
        let is_idle = |position: usize| {
            let (up, low) = self.derivatives(position);
            up < range.min_low && low > range.max_up
        };
        let kept: Vec<u32> = (0..self.rows.len()).filter(|at| !is_idle(*at)).map(|at| at as u32).collect();
        if (self.rows.len() - kept.len()) as f64 <= SHRINK_SHARE * self.rows.len() as f64 {
            return;
        }
        self.store_coefficients();
        let of = |position: &u32| *position as usize;
        let mut position_of = vec![None; self.rows.len()];
        (0..).zip(&kept).for_each(|(new, old)| position_of[of(old)] = Some(new));
        self.working_set = self.working_set.iter().filter_map(|old| position_of[of(old)]).collect();
        self.blocks = Cow::Owned(self.blocks.select(&kept));
        self.cache.compact(&kept, self.blocks.padded());
        self.rows = kept.iter().map(|at| self.rows[of(at)]).collect();
        self.variables = kept.iter().map(|at| self.variables[of(at)]).collect();
        self.residual = kept.iter().map(|at| self.residual[of(at)]).collect();
    }

    fn store_coefficients(&mut self) {
        for (row, variable) in self.rows.iter().zip(&self.variables) {
            self.coefficients[*row as usize] = variable.coefficient;
        }
    }

    /// Activates all variables, and computes the residuals of those that were not active.
    fn activate_all(&mut self) {
        self.store_coefficients();
        let problem = self.problem;
        let mut all = Self::new(problem, self.limits);
        let mut is_active = vec![false; all.rows.len()];
        for (row, residual) in self.rows.iter().zip(&self.residual) {
            is_active[*row as usize] = true;
            all.residual[*row as usize] = *residual;
        }
        let idle: Vec<u32> = (0..all.rows.len()).filter(|row| !is_active[*row]).map(|row| row as u32).collect();
        let expansion = Expansion::new(problem.blocks, &self.coefficients);
        let sums = expansion.sums(problem.form, &problem.blocks.select(&idle), self.limits.parallel);
        for (row, sum) in idle.iter().zip(sums) {
            all.residual[*row as usize] = problem.targets[*row as usize] - sum;
        }
        for (variable, coefficient) in all.variables.iter_mut().zip(&self.coefficients) {
            variable.coefficient = *coefficient;
        }
        all.coefficients = std::mem::take(&mut self.coefficients);
        *self = all;
    }

    fn finish(mut self, converged: bool) -> Solution {
        self.store_coefficients();
        // At the optimum the residual of a variable between its bounds is the bias, up to the tolerance.
        let (mut sum, mut count) = (0.0, 0_usize);
        for position in 0..self.rows.len() {
            let Variable { coefficient, lower, upper, .. } = self.variables[position];
            if coefficient != 0.0 && coefficient > lower && coefficient < upper {
                sum += self.derivatives(position).0;
                count += 1;
            }
        }
        let range = self.range();
        let bias = if count > 0 { sum / count as f64 } else { 0.5 * (range.max_up + range.min_low) };
        let residual = self.is_complete().then(|| std::mem::take(&mut self.residual));
        Solution { coefficients: self.coefficients, residual, bias, converged }
    }
}

/// Removes all but the `count` smallest candidates. Positions decide between equal values.
fn keep_smallest(candidates: &mut Vec<(f64, u32)>, count: usize) {
    if candidates.len() > count {
        candidates.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        candidates.truncate(count);
    }
    candidates.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
}

/// Numbers per parallel part of [`add_all`].
const PART: usize = 4_096;

fn add_all(sums: &mut [f64], changes: &[(f64, &[f32])], parallel: bool) {
    if parallel {
        sums.par_chunks_mut(PART).enumerate().for_each(|(part, sums)| add_rows(sums, changes, part * PART));
    } else {
        add_rows(sums, changes, 0);
    }
}

#[cfg(test)]
mod tests;
