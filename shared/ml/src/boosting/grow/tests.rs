//! Trees and the number of their histograms.

use serde_json::json;
use trainyard_domain::Algorithm;
use trainyard_domain::params::Params;
use trainyard_domain::training_memory::boosting::most_histogram_sets;

use super::super::bins::TrainColumn;
use super::super::histogram::round;
use super::*;
use crate::rng::Stream;

const ROWS: usize = 3_000;

/// Eleven columns, and the rounded derivatives of each row.
fn input() -> (Bins, Vec<Rounded>) {
    let mut rng = Rng::new(1, Stream::Split);
    let columns: Vec<Vec<f32>> = (0..11).map(|_| (0..ROWS).map(|_| rng.below(300) as f32).collect()).collect();
    let bins = Bins::new(ROWS, 11, &TrainColumn::plain(&columns));
    let derivatives: Vec<(f32, f32)> = (0..ROWS).map(|_| (rng.unit() as f32 - 0.5, rng.unit() as f32 + 0.1)).collect();
    let mut rounded = vec![Rounded::default(); ROWS];
    round(&derivatives, 7, &mut rounded);
    (bins, rounded)
}

fn rules(min_rows: u32) -> SplitRules {
    SplitRules { l2: 1.0, min_rows, min_hessian: 1.0 }
}

#[test]
fn histograms_that_are_computed_again_give_the_same_tree() {
    let (bins, rounded) = input();
    let grown = |room| {
        let mut grower = Grower::new(&bins);
        (grower.room, grower.rows) = (room, (0..ROWS as u32).collect());
        let shape = Shape { max_leaves: 60, max_depth: 50 };
        let grown = grower.grow(&rounded, rules(5), shape, &[true; 11], &mut Rng::new(1, Stream::Tree(0)));
        assert!(grower.unused.len() <= 60 + 2 && grower.room == room, "{} histograms", grower.unused.len());
        (grown.tree, grown.leaves.len())
    };
    let (tree, leaves) = grown(100);
    assert_eq!(leaves, 60);
    assert_eq!(grown(0).0, tree);
    assert_eq!(grown(3).0, tree);
}

#[test]
fn no_more_histograms_are_allocated_than_the_estimate_counts() {
    let (bins, rounded) = input();
    for (max_leaves, max_depth, min_rows) in
        [(2, 50, 5), (3, 50, 5), (60, 50, 5), (1_000, 50, 5), (1_000, 50, 100), (1_000, 4, 5), (1_000, 1, 5)]
    {
        let mut grower = Grower::new(&bins);
        grower.rows = (0..ROWS as u32).collect();
        let shape = Shape { max_leaves, max_depth };
        grower.grow(&rounded, rules(min_rows), shape, &[true; 11], &mut Rng::new(1, Stream::Tree(0)));
        let params = json!({"max_leaves": max_leaves, "max_depth": max_depth, "min_samples_leaf": min_rows});
        let params = Params::parse(Algorithm::GradientBoosting, params.as_object().unwrap()).unwrap();
        let (found, most) = (grower.unused.len() as u64, most_histogram_sets(11, ROWS as u64, &params));
        assert!(found <= most, "{found} histograms, at most {most}: {params:?}");
        // The bound by the rows counts leaves of the smallest size.
        assert!(found * 4 >= most, "{found} histograms, at most {most}: {params:?}");
    }
}
