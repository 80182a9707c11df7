//! One classifier per pair of classes, with Platt scaling on cross-validated decision values. The problems of the folds
//! start at the solution for all rows ([`seeding`]).

use rayon::prelude::*;

use super::params::SvmValidParams;
use super::reporter::Reporter;
use super::seeding::{self, HeldOut};
use super::solver::{Problem, Solution, solve};
use super::sums::Expansion;
use super::{Failure, Machine, OnProgress, Rows, Vectors, limits};
use crate::forest::Classes;
use crate::platt;
use crate::rng::{Rng, Stream};
use crate::split::Folds;

/// Number of cross-validation folds for the calibration, if each class has enough rows.
pub(super) const FOLDS: usize = 5;

/// The rows of a pair of classes.
struct Pair {
    first: u32,
    second: u32,
    rows: Vec<u32>,
    is_first: Vec<bool>,
    folds: Folds,
}

/// A problem to solve: a pair of classes with all its rows, or without the rows of a fold.
#[derive(Clone, Copy)]
struct Job {
    pair: usize,
    held_out: Option<usize>,
}

/// The result of a problem: the solution, and the decision values of the rows that were held out, or of all rows if there
/// are no folds.
struct Solved {
    solution: Solution,
    decisions: Vec<f64>,
}

pub(super) fn fit(
    rows: &Rows,
    classes: &[u32],
    copies: &[u32],
    n_classes: usize,
    params: &SvmValidParams<Classes>,
    on_progress: OnProgress<'_>,
) -> Result<Machine, Failure> {
    let own = Fit { rows, weights: params.class_weight().weights(classes, n_classes), params };
    let pairs = pairs(classes, copies, n_classes, params);
    let folds_of = |pair: usize| (0..pairs[pair].folds.count).map(move |fold| Job { pair, held_out: Some(fold) });
    let wholes: Vec<Job> = (0..pairs.len()).map(|pair| Job { pair, held_out: None }).collect();
    let folds: Vec<Job> = (0..pairs.len()).flat_map(folds_of).collect();
    let reporter = Reporter::new(wholes.len() + folds.len(), on_progress);
    let solve_all = |jobs: &[Job], first: usize, wholes: &[Solved]| -> Result<Vec<Solved>, Failure> {
        let concurrent = jobs.len().min(rayon::current_num_threads());
        let solve_job = |(index, job): (usize, &Job)| {
            let report = |done: f64| reporter.report(first + index, done);
            let whole = wholes.get(job.pair).map(|whole| &whole.solution);
            let solved = own.solve(&pairs[job.pair], job.held_out, whole, concurrent, &report);
            solved.ok_or(Failure::Stopped)
        };
        jobs.par_iter().with_max_len(1).enumerate().map(solve_job).collect()
    };
    let wholes = solve_all(&wholes, 0, &[])?;
    let mut folds = solve_all(&folds, wholes.len(), &wholes)?.into_iter();
    let mut vectors = Vectors::new(rows);
    let (mut functions, mut unsolved) = (Vec::with_capacity(pairs.len()), 0);
    for (pair, whole) in pairs.iter().zip(&wholes) {
        let folds: Vec<Solved> = folds.by_ref().take(pair.folds.count).collect();
        unsolved += folds.iter().chain([whole]).filter(|solved| !solved.solution.converged).count();
        let mut function = vectors.function(&pair.rows, &whole.solution);
        (function.first, function.second) = (pair.first, pair.second);
        // Without calibration the probability is the sigmoid of the decision value.
        (function.platt_a, function.platt_b) =
            if params.calibrated() { platt::fit(&decisions(pair, whole, &folds), &pair.is_first) } else { (-1.0, 0.0) };
        functions.push(function);
    }
    Ok(vectors.machine(functions, unsolved))
}

fn pairs(classes: &[u32], copies: &[u32], n_classes: usize, params: &SvmValidParams<Classes>) -> Vec<Pair> {
    let all = (1..n_classes as u32).flat_map(|first| (0..first).map(move |second| (first, second)));
    let pair = |(index, (first, second)): (usize, (u32, u32))| {
        let rows: Vec<u32> = (0_u32..)
            .zip(classes)
            .filter(|(_, class)| **class == first || **class == second)
            .map(|(row, _)| row)
            .collect();
        let is_first: Vec<bool> = rows.iter().map(|row| classes[*row as usize] == first).collect();
        let copies: Vec<u32> = rows.iter().filter_map(|row| copies.get(*row as usize).copied()).collect();
        let mut rng = Rng::new(params.seed(), Stream::Folds(index as u64));
        let folds =
            if params.calibrated() { Folds::stratified(&is_first, &copies, FOLDS, &mut rng) } else { Folds::NONE };
        Pair { first, second, rows, is_first, folds }
    };
    all.enumerate().map(pair).collect()
}

/// What the problems have in common.
struct Fit<'a> {
    rows: &'a Rows,
    /// The weight of each class.
    weights: Vec<f64>,
    params: &'a SvmValidParams<Classes>,
}

impl Fit<'_> {
    /// Solves the problem of a pair. `whole` is the solution for all rows of the pair, with which the problem of a fold starts.
    /// `concurrent` is the number of problems that are solved at once.
    fn solve(
        &self,
        pair: &Pair,
        held_out: Option<usize>,
        whole: Option<&Solution>,
        concurrent: usize,
        on_iteration: &(dyn Fn(f64) -> bool + Sync),
    ) -> Option<Solved> {
        let Self { rows, weights, params } = self;
        let (queried, kept): (Vec<usize>, Vec<usize>) =
            (0..pair.rows.len()).partition(|at| held_out.is_some_and(|fold| pair.folds.of_row[*at] == fold));
        let select = |at: &[usize]| rows.blocks.select(&at.iter().map(|at| pair.rows[*at]).collect::<Vec<u32>>());
        let blocks = select(&kept);
        let sign = |at: &usize| if pair.is_first[*at] { 1.0 } else { -1.0 };
        let targets: Vec<f64> = kept.iter().map(sign).collect();
        let cost = |target: f64| params.cost() * weights[if target > 0.0 { pair.first } else { pair.second } as usize];
        let lower: Vec<f64> = targets.iter().map(|target| if *target > 0.0 { 0.0 } else { -cost(*target) }).collect();
        let upper: Vec<f64> = targets.iter().map(|target| if *target > 0.0 { cost(*target) } else { 0.0 }).collect();
        let problem =
            Problem { blocks: &blocks, form: rows.form, targets: &targets, lower: &lower, upper: &upper, epsilon: 0.0 };
        let limits = limits(params, kept.len(), concurrent);
        let fold = HeldOut { all: &rows.blocks, rows: &pair.rows, held_out: &queried };
        let start = whole.and_then(|whole| seeding::start(&problem, whole, &kept, fold, limits.parallel));
        let mut solution = solve(&problem, start, &limits, on_iteration)?;
        if held_out.is_some() {
            // No other problem starts at the solution of a fold.
            solution.residual = None;
        }
        let needs_decisions = params.calibrated() && (held_out.is_some() || pair.folds.count == 0);
        let mut decisions = Vec::new();
        if needs_decisions {
            let queried = if held_out.is_some() { select(&queried) } else { blocks.clone() };
            decisions = Expansion::new(&blocks, &solution.coefficients).sums(rows.form, &queried, limits.parallel);
            decisions.iter_mut().for_each(|decision| *decision += solution.bias);
        }
        on_iteration(1.0).then_some(Solved { solution, decisions })
    }
}

/// A decision value per row of the pair, from a classifier that was trained without the row (Platt 2000; Lin, Lin and
/// Weng 2007) if there are folds.
fn decisions(pair: &Pair, whole: &Solved, folds: &[Solved]) -> Vec<f64> {
    if pair.folds.count == 0 {
        return whole.decisions.clone();
    }
    let mut next: Vec<_> = folds.iter().map(|solved| solved.decisions.iter().copied()).collect();
    // The decision values of a fold are in the order of its rows.
    pair.folds.of_row.iter().map(|fold| next[*fold].next().unwrap_or_default()).collect()
}
