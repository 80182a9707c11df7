//! Categories in forests: no flattering out-of-bag score, and no lost signal.

use super::*;
use crate::rng::{Rng, Stream};

/// A CSV of `rows` rows whose lines `line` writes.
fn table(header: &str, rows: usize, mut line: impl FnMut(&mut Rng) -> String) -> String {
    let mut rng = Rng::new(11, Stream::Split);
    (0..rows).fold(format!("{header}\n"), |csv, _| csv + &line(&mut rng) + "\n")
}

fn metric(csv: &str, features: &[&str], name: &str) -> f64 {
    mean(name, 1..=5, |seed| run(csv, &request(Algorithm::RandomForest, features, "y", seed, none())))
}

fn class(positive: bool) -> &'static str {
    if positive { "a" } else { "b" }
}

#[test]
fn categories_without_signal_score_like_a_coin() {
    for (categories, rows, tolerance) in [(300, 3_000, 0.03), (300, 1_000, 0.06), (40, 1_000, 0.06), (8, 1_000, 0.06)] {
        let csv = table("u,y", rows, |rng| format!("u{},{}", rng.below(categories), class(rng.below(2) == 0)));
        for seed in 1..=5 {
            let request = request(Algorithm::RandomForest, &["u"], "y", seed, none());
            let score = run(&csv, &request).metrics["oob_accuracy"].as_f64().unwrap();
            println!("noise, {categories} categories, {rows} rows: {score:.3}");
            // An out-of-bag score can be too low in small tables: a class that is frequent in the sample is rare outside.
            let error = if rows < 3_000 { score - 0.5 } else { (score - 0.5).abs() };
            assert!(error <= tolerance, "{categories} categories, {rows} rows: {score}");
        }
    }
}

#[test]
fn categories_with_signal_keep_their_accuracy() {
    let mut rng = Rng::new(5, Stream::Split);
    let effects: Vec<u32> = (0..300).map(|_| if rng.below(2) == 0 { 12 } else { 88 }).collect();
    let csv = table("u,x,y", 3_000, |rng| {
        let (category, x) = (rng.below(300), rng.below(100));
        format!("u{category},{x},{}", class(rng.below(100) < effects[category as usize]))
    });
    let (held_out, out_of_bag) = (metric(&csv, &["u", "x"], "accuracy"), metric(&csv, &["u", "x"], "oob_accuracy"));
    println!("signal, 300 categories: held out {held_out:.3}, out of bag {out_of_bag:.3}");
    assert!(held_out > 0.74 && (-0.03..0.08).contains(&(held_out - out_of_bag)), "{held_out}, {out_of_bag}");
}

#[test]
fn an_interaction_of_a_category_and_a_number_is_learned() {
    for (categories, accuracy) in [(30, 0.9), (100, 0.7)] {
        let csv = table("u,x,y", 3_000, |rng| {
            let (category, x) = (rng.below(categories), rng.below(100));
            format!("u{category:03},{x},{}", class((category * 7919 % 97 % 2 == 0) ^ (x < 50)))
        });
        let found = metric(&csv, &["u", "x"], "accuracy");
        println!("interaction, {categories} categories: {found:.3}");
        assert!(found > accuracy, "{categories} categories: {found}");
    }
}
