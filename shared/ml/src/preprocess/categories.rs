//! The categories of a feature and the order that lets trees cut them as if they were numbers.

use crate::frame::{Column, Target};
use crate::model::{Categories, FeatureKind};
use crate::train::TrainError;

/// A category with fewer training rows than this is ordered as if its mean were the overall one. Its own mean says
/// nothing yet, and an order made of single rows would hand their answers to the trees.
const ENOUGH_ROWS: u32 = 5;

/// The kind of a category column and how many training rows have a value; no kind where none has.
pub(super) fn fit(
    names: &[String],
    codes: &[u32],
    target: &Target,
    training: &[usize],
) -> Result<(Option<FeatureKind>, usize), TrainError> {
    let worth = worth(target, training);
    let mut sums = vec![(0_u32, 0.0); names.len()];
    let (mut present, mut total) = (0, 0.0);
    for (row, worth) in training.iter().zip(worth) {
        let code = codes[*row];
        total += worth;
        if code != Column::MISSING {
            let (count, sum) = &mut sums[code as usize];
            *count += 1;
            *sum += worth;
            present += 1;
        }
    }
    let overall = total / training.len() as f64;
    let mean = |(count, sum): (u32, f64)| if count < ENOUGH_ROWS { overall } else { sum / f64::from(count) };
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

/// A number per training row by whose mean categories are ordered: the target, whether it is positive, or, for several
/// classes, whether it is of the most frequent one.
fn worth(target: &Target, training: &[usize]) -> Vec<f64> {
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
