//! Assigns values and predictions to the bins of a distribution.

use crate::model::{Bins, Input, Task};

/// The compiled bins of a feature or of the predictions.
#[derive(Debug)]
pub(super) struct Binner {
    kind: Kind,
    /// The last bin.
    missing: u8,
}

#[derive(Debug)]
enum Kind {
    Numbers(Box<[f64]>),
    Booleans,
    /// The bin of each code up to the last one with its own bin. All other codes have the bin before the last.
    Codes(Box<[u8]>),
}

impl Binner {
    /// Compiles the bins of a valid model.
    pub(super) fn new(bins: &Bins) -> Self {
        let missing = (bins.count() - 1) as u8;
        let kind = match bins {
            Bins::Numbers { edges } => Kind::Numbers(edges.as_slice().into()),
            Bins::Booleans => Kind::Booleans,
            Bins::Codes { top } => {
                let codes = top.iter().max().map_or(0, |last| *last as usize + 1);
                let mut bin_of = vec![missing - 1; codes];
                (0..).zip(top).for_each(|(bin, code)| bin_of[*code as usize] = bin);
                Kind::Codes(bin_of.into())
            }
        };
        Self { kind, missing }
    }

    /// The bin of a value. A value of another type counts as missing, as in [`crate::model::FeatureKind::encode`].
    pub(super) fn bin(&self, input: Input) -> u8 {
        match (&self.kind, input) {
            (Kind::Numbers(edges), Input::Number(value) | Input::Seconds(value)) => number(edges, value),
            (Kind::Booleans, Input::Boolean(value)) => u8::from(value),
            (Kind::Codes(bins), Input::Code(code)) => bins.get(code as usize).copied().unwrap_or(self.missing - 1),
            (Kind::Codes(_), Input::Unseen) => self.missing - 1,
            _ => self.missing,
        }
    }

    /// The bin of an output vector.
    pub(super) fn bin_prediction(&self, task: &Task, outputs: &[f64]) -> u8 {
        match &self.kind {
            Kind::Numbers(edges) => number(edges, outputs[0]),
            Kind::Codes(bins) => bins.get(task.predicted_class(outputs)).copied().unwrap_or(self.missing - 1),
            Kind::Booleans => self.missing,
        }
    }
}

/// The number of edges below `value`: without a branch this is as fast as a binary search of nine edges.
fn number(edges: &[f64], value: f64) -> u8 {
    edges.iter().map(|edge| u8::from(*edge < value)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_belongs_to_the_bin_below_it() {
        let binner = Binner::new(&Bins::Numbers { edges: vec![1.0, 2.5] });
        let bins = [-9.0, 1.0, 1.0_f64.next_up(), 2.5, 3.0].map(|value| binner.bin(Input::Number(value)));
        assert_eq!(bins, [0, 0, 1, 1, 2]);
        assert_eq!((binner.bin(Input::Seconds(2.0)), binner.bin(Input::Missing)), (1, 3));
        assert_eq!(binner.bin_prediction(&Task::Regression, &[9.0]), 2);
    }

    #[test]
    fn codes_without_a_bin_share_one() {
        let binner = Binner::new(&Bins::Codes { top: vec![4, 0] });
        let bins = [Input::Code(4), Input::Code(0), Input::Code(1), Input::Code(9), Input::Unseen, Input::Missing]
            .map(|input| binner.bin(input));
        assert_eq!(bins, [0, 1, 2, 2, 2, 3]);
        let none = Binner::new(&Bins::Codes { top: vec![] });
        assert_eq!((none.bin(Input::Code(0)), none.bin(Input::Missing)), (0, 1));
        let booleans = Binner::new(&Bins::Booleans);
        assert_eq!([true, false].map(|value| booleans.bin(Input::Boolean(value))), [1, 0]);
        assert_eq!((booleans.bin(Input::Missing), booleans.bin(Input::Number(1.0))), (2, 2));
        let task = crate::artifact::samples::three_classes();
        assert_eq!(Binner::new(&Bins::Codes { top: vec![2] }).bin_prediction(&task, &[0.1, 0.2, 0.7]), 0);
    }
}
