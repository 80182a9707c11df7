//! Compiled support vector machines: the support vectors in blocks, for the vector instructions of the CPU.
//!
//! In `f64`, so that predictions equal those of the reference up to rounding, on every kind of CPU and for large
//! coefficients.

use crate::model::{DecisionFunction, DesignMatrixEncoder, Kernel, SvmModel, Task};
use crate::simd::dispatched;

/// Vectors per block: two AVX registers of `f64`.
const LANES: usize = 8;

/// A compiled support vector machine.
#[derive(Debug)]
pub(crate) struct CompiledSvm {
    encoder: DesignMatrixEncoder,
    kernel: Kernel,
    /// Block by block, and within a block column by column; padded with zero vectors.
    values: Vec<f64>,
    functions: Vec<DecisionFunction>,
}

/// Buffers that a thread reuses between rows.
#[derive(Debug, Default)]
pub(crate) struct SvmScratch {
    inputs: Vec<f64>,
    kernels: Vec<f64>,
}

impl CompiledSvm {
    pub(crate) fn new(model: &SvmModel) -> Self {
        let width = model.encoder.width();
        let vectors = model.vectors.chunks_exact(width.max(1));
        let mut values = vec![0.0; vectors.len().next_multiple_of(LANES) * width];
        for (at, vector) in vectors.enumerate() {
            let block = &mut values[at / LANES * LANES * width..];
            vector.iter().enumerate().for_each(|(column, value)| block[column * LANES + at % LANES] = *value);
        }
        Self { encoder: model.encoder.clone(), kernel: model.kernel, values, functions: model.functions.clone() }
    }

    /// The memory size in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        let function = |f: &DecisionFunction| f.support.len() * (size_of::<u32>() + size_of::<f64>());
        self.values.len() * size_of::<f64>() + self.functions.iter().map(function).sum::<usize>()
    }

    /// Computes the output vector of a raw row, as [`crate::model::Estimator::predict`].
    pub(crate) fn predict(
        &self,
        task: &Task,
        raw: &[f32],
        unseen: &[bool],
        scratch: &mut SvmScratch,
        outputs: &mut [f64],
    ) {
        let width = self.encoder.width();
        scratch.inputs.resize(width, 0.0);
        self.encoder.encode(raw, unseen, &mut scratch.inputs);
        scratch.kernels.resize(self.values.len() / width.max(1), 0.0);
        kernel_values(self.kernel, &self.values, &scratch.inputs, &mut scratch.kernels);
        SvmModel::combine(&self.functions, task, &scratch.kernels, outputs);
    }
}

dispatched! {
    /// Writes the kernel values of the inputs and each vector.
    kernel_values => generic_kernel_values(kernel: Kernel, values: &[f64], inputs: &[f64], out: &mut [f64])
}

#[inline(always)]
fn multiply_add<const FMA: bool>(a: f64, b: f64, c: f64) -> f64 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

#[inline(always)]
fn generic_kernel_values<const FMA: bool>(kernel: Kernel, values: &[f64], inputs: &[f64], out: &mut [f64]) {
    let blocks = values.chunks_exact((LANES * inputs.len()).max(1));
    for (block, out) in blocks.zip(out.as_chunks_mut::<LANES>().0) {
        let columns = block.as_chunks::<LANES>().0.iter().zip(inputs);
        let mut sums = [0.0_f64; LANES];
        match kernel {
            Kernel::Rbf { gamma } => {
                for (column, input) in columns {
                    for (sum, value) in sums.iter_mut().zip(column) {
                        let difference = input - value;
                        *sum = multiply_add::<FMA>(difference, difference, *sum);
                    }
                }
                out.iter_mut().zip(sums).for_each(|(out, sum)| *out = exp::<FMA>(-gamma * sum));
            }
            Kernel::Linear | Kernel::Polynomial { .. } => {
                for (column, input) in columns {
                    for (sum, value) in sums.iter_mut().zip(column) {
                        *sum = multiply_add::<FMA>(*input, *value, *sum);
                    }
                }
                if let Kernel::Polynomial { constant, degree } = kernel {
                    let base = sums.map(|sum| sum + constant);
                    sums = base;
                    // The artifact validation limits the degree to 10.
                    for _ in 1..degree.min(10) {
                        sums.iter_mut().zip(base).for_each(|(power, base)| *power *= base);
                    }
                }
                *out = sums;
            }
        }
    }
}

/// e^x for x ≤ 0, with a relative error below 1e-15 and at least 3e-308: the rational function of Cephes (Moshier 1989).
#[inline(always)]
fn exp<const FMA: bool>(x: f64) -> f64 {
    // Adding and subtracting 1.5 · 2^52 rounds to an integer.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    const LN2_HIGH: f64 = 0.693_145_751_953_125;
    const LN2_LOW: f64 = 1.428_606_820_309_417_2e-6;
    const P: [f64; 3] = [1.261_771_930_748_105_9e-4, 3.029_944_077_074_419_6e-2, 1.0];
    const Q: [f64; 4] = [3.001_985_051_386_644_6e-6, 2.524_483_403_496_841e-3, 0.227_265_548_208_155_03, 2.0];
    // NaN stays NaN, so that the caller notices an input that is too large.
    let x = if x < -708.0 { -708.0 } else { x };
    let rounded = multiply_add::<FMA>(x, std::f64::consts::LOG2_E, ROUND);
    let exponent = rounded - ROUND;
    let rest = multiply_add::<FMA>(-exponent, LN2_HIGH, x);
    let rest = multiply_add::<FMA>(-exponent, LN2_LOW, rest);
    let square = rest * rest;
    let p = rest * multiply_add::<FMA>(multiply_add::<FMA>(P[0], square, P[1]), square, P[2]);
    let q = multiply_add::<FMA>(multiply_add::<FMA>(Q[0], square, Q[1]), square, Q[2]);
    let q = multiply_add::<FMA>(q, square, Q[3]);
    let power = f64::from_bits(rounded.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(1_023) << 52);
    power * (1.0 + 2.0 * p / (q - p))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::samples::{self, Stream};

    #[test]
    fn the_exponential_is_accurate() {
        for step in 0..=70_800 {
            let x = -f64::from(step) / 100.0;
            assert!((exp::<false>(x) / x.exp() - 1.0).abs() < 1e-14, "e^{x}");
        }
        assert_eq!(exp::<false>(0.0), 1.0);
        assert!(exp::<false>(f64::NEG_INFINITY) < 1e-300 && exp::<false>(f64::NAN).is_nan());
    }

    #[test]
    fn predictions_equal_those_of_the_model() {
        let mut random = Stream(9);
        for (task, classes) in [(samples::binary(), 2), (samples::three_classes(), 3), (Task::Regression, 0)] {
            let mut model = samples::svm(&mut random, classes);
            for kernel in [Kernel::Rbf { gamma: 0.3 }, Kernel::Linear, Kernel::Polynomial { constant: 1.5, degree: 3 }]
            {
                model.kernel = kernel;
                let compiled = CompiledSvm::new(&model);
                let mut scratch = SvmScratch::default();
                for raw in [[1.0, 0.0, 2.0], [f32::NAN, 1.0, 0.0], [60.0, f32::NAN, f32::NAN], [-5.0, 1.0, 1.0]] {
                    let (mut found, mut expected) = (vec![0.0; task.outputs()], vec![0.0; task.outputs()]);
                    compiled.predict(&task, &raw, &[false; 3], &mut scratch, &mut found);
                    crate::model::Estimator::Svm(model.clone()).predict(&task, &raw, &[false; 3], &mut expected);
                    for (found, expected) in found.iter().zip(&expected) {
                        assert!((found - expected).abs() < 1e-12 * expected.abs().max(1.0), "{found} for {expected}");
                    }
                }
            }
        }
    }
}
