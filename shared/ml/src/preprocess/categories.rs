//! The categories of a feature, in an order in which trees can split them like numbers.

use crate::error::TrainError;
use crate::frame::{Column, Target};
use crate::model::{Categories, FeatureKind};

/// Categories with fewer training rows are ordered by the overall mean. The mean of a few rows is unreliable and would
/// leak their targets to the trees.
const MIN_ROWS: u32 = 5;

/// The type of a category column, and the number of training rows with a value. No type without values.
pub(super) fn fit(
    names: &[String],
    codes: &[u32],
    target: &Target,
    training: &[usize],
) -> Result<(Option<FeatureKind>, usize), TrainError> {
    let means = ordering_values(target, training);
    let mut sums = vec![(0_u32, 0.0); names.len()];
    let (mut present, mut total) = (0, 0.0);
    for (row, value) in training.iter().zip(means) {
        let code = codes[*row];
        total += value;
        if code != Column::MISSING {
            let (count, sum) = &mut sums[code as usize];
            *count += 1;
            *sum += value;
            present += 1;
        }
    }
    let overall = total / training.len() as f64;
    let mean = |(count, sum): (u32, f64)| if count < MIN_ROWS { overall } else { sum / f64::from(count) };
    let mut known: Vec<usize> = (0..names.len()).filter(|code| sums[*code].0 > 0).collect();
    known.sort_by(|a, b| mean(sums[*a]).total_cmp(&mean(sums[*b])).then_with(|| names[*a].cmp(&names[*b])));
    let most = known.iter().map(|code| sums[*code].0).max();
    let Some(mode) = known.iter().position(|code| Some(sums[*code].0) == most) else {
        return Ok((None, 0));
    };
    let categories = Categories::new(known.iter().map(|code| names[*code].clone()).collect())
        .map_err(|error| TrainError::bad_data(error.to_string()))?;
    Ok((Some(FeatureKind::Category { categories, mode }), present))
}

/// A number per training row, whose mean orders the categories: the target (regression), whether the class is positive
/// (binary), or whether it is the most frequent class (multiclass).
fn ordering_values(target: &Target, training: &[usize]) -> Vec<f64> {
    match target {
        Target::Numbers(numbers) => training.iter().map(|row| numbers[*row]).collect(),
        Target::Classes { task, classes } => {
            let mut counts = vec![0_u32; task.labels().len()];
            for row in training {
                counts[classes[*row] as usize] += 1;
            }
            let of = match counts.as_slice() {
                [_, _] => 1,
                counts => (0..counts.len()).rev().max_by_key(|class| counts[*class]).unwrap_or(0) as u32,
            };
            training.iter().map(|row| f64::from(u8::from(classes[*row] == of))).collect()
        }
    }
}
