//! Sequential minimal optimization (Platt 1998) on a working set, with second-order selection of the pair (Fan, Chen and
//! Lin, "Working Set Selection Using Second Order Information for Training Support Vector Machines", JMLR 6, 2005).

use super::blocks::LANES;
use super::simd::{MIN_CURVATURE, best_partner, extremes, subtract};

/// The variables of a working set, padded to a multiple of [`LANES`] with variables that cannot move.
#[derive(Debug)]
pub(super) struct Local<'a> {
    /// The rows of the kernel matrix, and the positions of the variables in them.
    rows: Vec<&'a [f32]>,
    positions: &'a [u32],
    pub(super) coefficients: Vec<f64>,
    bounds: Vec<(f64, f64)>,
    epsilon: f64,
    residual: Vec<f64>,
    up_offset: Vec<f64>,
    low_offset: Vec<f64>,
    diagonal: Vec<f32>,
    /// Rows of the kernel matrix of the working set, filled when first needed.
    kernel: Vec<f32>,
    is_filled: Vec<bool>,
}

/// A variable of the working set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Variable {
    pub(super) coefficient: f64,
    pub(super) residual: f64,
    pub(super) lower: f64,
    pub(super) upper: f64,
}

/// What has to be added to a residual for the derivative in the direction of a larger coefficient; minus infinity at the
/// upper bound. The loss `epsilon · |coefficient|` has a bend at 0.
pub(super) fn up_offset(coefficient: f64, upper: f64, epsilon: f64) -> f64 {
    if coefficient >= upper {
        f64::NEG_INFINITY
    } else if coefficient >= 0.0 {
        -epsilon
    } else {
        epsilon
    }
}

/// As [`up_offset`], for a smaller coefficient; infinity at the lower bound.
pub(super) fn low_offset(coefficient: f64, lower: f64, epsilon: f64) -> f64 {
    if coefficient <= lower {
        f64::INFINITY
    } else if coefficient <= 0.0 {
        epsilon
    } else {
        -epsilon
    }
}

impl<'a> Local<'a> {
    pub(super) fn new(variables: &[Variable], rows: Vec<&'a [f32]>, positions: &'a [u32], epsilon: f64) -> Self {
        let padded = variables.len().next_multiple_of(LANES);
        let pad = |mut values: Vec<f64>, with: f64| {
            values.resize(padded, with);
            values
        };
        let up = |v: &Variable| up_offset(v.coefficient, v.upper, epsilon);
        let low = |v: &Variable| low_offset(v.coefficient, v.lower, epsilon);
        let mut diagonal: Vec<f32> = rows.iter().zip(positions).map(|(row, at)| row[*at as usize]).collect();
        diagonal.resize(padded, 0.0);
        Self {
            coefficients: variables.iter().map(|v| v.coefficient).collect(),
            bounds: variables.iter().map(|v| (v.lower, v.upper)).collect(),
            epsilon,
            residual: pad(variables.iter().map(|v| v.residual).collect(), 0.0),
            up_offset: pad(variables.iter().map(up).collect(), f64::NEG_INFINITY),
            low_offset: pad(variables.iter().map(low).collect(), f64::INFINITY),
            diagonal,
            kernel: vec![0.0; variables.len() * padded],
            is_filled: vec![false; variables.len()],
            rows,
            positions,
        }
    }

    /// Optimizes until the violation of the optimality conditions is at most `tolerance`, or for `max_steps` steps; returns
    /// the number of steps.
    pub(super) fn optimize(&mut self, tolerance: f64, max_steps: u64) -> u64 {
        let padded = self.residual.len();
        let mut scores = vec![0.0; padded];
        for step in 0..max_steps {
            let (max_up, up, min_low) = extremes(&self.residual, &self.up_offset, &self.low_offset);
            // The comparison with NaN is false.
            let is_violated = max_up - min_low > tolerance;
            if !is_violated {
                return step;
            }
            self.fill(up);
            let row = &self.kernel[up * padded..][..padded];
            let own = self.diagonal[up];
            let partner = best_partner(max_up, own, &self.residual, &self.low_offset, row, &self.diagonal, &mut scores);
            let Some(low) = partner else { return step };
            self.fill(low);
            self.move_pair(up, low);
        }
        max_steps
    }

    fn fill(&mut self, variable: usize) {
        if std::mem::replace(&mut self.is_filled[variable], true) {
            return;
        }
        let padded = self.residual.len();
        let row = self.rows[variable];
        for (value, position) in self.kernel[variable * padded..].iter_mut().zip(self.positions) {
            *value = row[*position as usize];
        }
    }

    /// Increases one coefficient and decreases another by the same amount.
    fn move_pair(&mut self, up: usize, low: usize) {
        let padded = self.residual.len();
        let (up_row, low_row) = (&self.kernel[up * padded..][..padded], &self.kernel[low * padded..][..padded]);
        let gain = self.residual[up] + self.up_offset[up] - self.residual[low] - self.low_offset[low];
        let curvature = f64::from(self.diagonal[up]) + f64::from(self.diagonal[low]) - 2.0 * f64::from(up_row[low]);
        let (from_up, from_low) = (self.coefficients[up], self.coefficients[low]);
        // A step ends at a bend of the loss, where the derivative changes.
        let up_limit = if from_up < 0.0 { self.bounds[up].1.min(0.0) } else { self.bounds[up].1 };
        let low_limit = if from_low > 0.0 { self.bounds[low].0.max(0.0) } else { self.bounds[low].0 };
        let (up_room, low_room) = (up_limit - from_up, from_low - low_limit);
        let step = (gain / curvature.max(f64::from(MIN_CURVATURE))).min(up_room).min(low_room);
        // Exactly at the limit, without the rounding of the sum.
        self.coefficients[up] = if step >= up_room { up_limit } else { from_up + step };
        self.coefficients[low] = if step >= low_room { low_limit } else { from_low - step };
        for variable in [up, low] {
            let ((lower, upper), coefficient) = (self.bounds[variable], self.coefficients[variable]);
            self.up_offset[variable] = up_offset(coefficient, upper, self.epsilon);
            self.low_offset[variable] = low_offset(coefficient, lower, self.epsilon);
        }
        subtract(&mut self.residual, step, up_row, low_row);
    }
}
