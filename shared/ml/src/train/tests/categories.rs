//! Categories in forests: no flattering out-of-bag score, and no lost signal.

use super::*;
use crate::model::RawRow;
use crate::predict::{Outcome, Predictor, Row};
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

/// With statistics that contain the target of a row, the noise would be trusted and the loss on new rows would be far
/// above that without the noise.
#[test]
fn boosting_does_not_trust_a_category_without_signal() {
    let csv = table("u,x,y", 3_000, |rng| {
        let x = rng.below(100);
        format!("u{},{x},{}", rng.below(300), class(rng.below(100) < 10 + x * 8 / 10))
    });
    let loss = |features: &[&str]| {
        let request = |seed| request(Algorithm::GradientBoosting, features, "y", seed, none());
        mean("log_loss", 1..=5, |seed| run(&csv, &request(seed)))
    };
    let (without, with) = (loss(&["x"]), loss(&["u", "x"]));
    println!("300 categories without signal: log loss {with:.4}, without them {without:.4}");
    assert!(with < without + 0.01, "{with} instead of {without}");
    let metrics = run(&csv, &request(Algorithm::GradientBoosting, &["u", "x"], "y", 1, none())).metrics;
    assert_eq!(metrics["feature_importances"][0]["feature"], "x");
}

#[test]
fn boosting_learns_from_categories() {
    let mut rng = Rng::new(5, Stream::Split);
    let effects: Vec<u32> = (0..300).map(|_| if rng.below(2) == 0 { 12 } else { 88 }).collect();
    let csv = table("u,x,y", 3_000, |rng| {
        let (category, x) = (rng.below(300), rng.below(100));
        format!("u{category},{x},{}", class(rng.below(100) < effects[category as usize]))
    });
    let accuracy = |seed| run(&csv, &request(Algorithm::GradientBoosting, &["u", "x"], "y", seed, none()));
    let found = mean("accuracy", 1..=5, accuracy);
    println!("boosting, signal of 300 categories: {found:.3}");
    assert!(found > 0.74, "{found}");
    // Several classes, of which each has its own categories.
    let csv = table("u,x,y", 3_000, |rng| {
        let (category, x) = (rng.below(60), rng.below(100));
        let class = if rng.below(10) == 0 { rng.below(5) } else { category * 7_919 % 5 };
        format!("u{category},{x},{}", ["a", "b", "c", "d", "e"][class as usize])
    });
    let found = mean("accuracy", 1..=3, accuracy_of(&csv));
    println!("boosting, five classes of 60 categories: {found:.3}");
    assert!(found > 0.88, "{found}");
    let csv = table("u,x,y", 2_000, |rng| {
        let (category, x) = (rng.below(60), rng.below(100));
        format!("u{category},{x},{}", 1_000_000 + category * 7_919 % 97 * 10 + rng.below(100))
    });
    let score = |seed| run(&csv, &request(Algorithm::GradientBoosting, &["u", "x"], "y", seed, none()));
    let found = mean("r2", 1..=3, score);
    println!("boosting, numbers by 60 categories: {found:.3}");
    assert!(found > 0.95, "{found}");
}

fn accuracy_of(csv: &str) -> impl Fn(u64) -> Trained {
    |seed| run(csv, &request(Algorithm::GradientBoosting, &["u", "x"], "y", seed, none()))
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

/// 300 codes in 400 rows, of which two thirds are positive at random.
fn postal_codes(target: impl Fn(u32) -> String) -> String {
    table("zip,y", 400, |rng| format!("z{:05},{}", 10_000 + rng.below(300), target(rng.below(3))))
}

#[test]
fn unseen_categories_do_not_make_the_held_out_part_worse_than_out_of_bag() {
    let csv = postal_codes(|draw| class(draw > 0).into());
    let (held_out, out_of_bag) = (metric(&csv, &["zip"], "accuracy"), metric(&csv, &["zip"], "oob_accuracy"));
    println!("300 categories in 400 rows: held out {held_out:.3}, out of bag {out_of_bag:.3}");
    assert!(held_out > 0.57 && (held_out - out_of_bag).abs() < 0.06, "{held_out}, {out_of_bag}");
    for algorithm in [Algorithm::DecisionTree, Algorithm::LogisticRegression] {
        let held_out = mean("accuracy", 1..=5, |seed| run(&csv, &request(algorithm, &["zip"], "y", seed, none())));
        println!("{}: {held_out:.3}", algorithm.as_str());
        assert!(held_out > 0.55, "{}: {held_out}", algorithm.as_str());
    }
    let numbers = postal_codes(|draw| format!("{}", draw * 100 + 7));
    let mut job = request(Algorithm::RandomForest, &["zip"], "y", 1, none());
    job.spec.learning.task = Some(trainyard_domain::TaskKind::Regression);
    let metrics = run(&numbers, &job).metrics;
    let (held_out, out_of_bag) = (metrics["r2"].as_f64().unwrap(), metrics["oob_r2"].as_f64().unwrap());
    println!("regression: held out {held_out:.3}, out of bag {out_of_bag:.3}");
    assert!(held_out > -0.25, "{held_out}, {out_of_bag}");
}

#[test]
fn a_row_without_values_has_about_the_base_rate() {
    let csv = table("zip,colour,x,y", 600, |rng| {
        let (zip, colour, x) = (rng.below(300), ["red", "blue", "green"][rng.below(3) as usize], rng.below(100));
        let chance = if colour == "red" { 90 } else { x };
        format!("z{zip:03},{colour},{x},{}", class(rng.below(100) < chance))
    });
    let rows = csv.lines().skip(1).count() as f64;
    let base = csv.lines().filter(|line| line.ends_with(",a")).count() as f64 / rows;
    let rows =
        [json!({}), json!({"zip": null, "colour": "", "x": "NA"}), json!({"zip": "elsewhere", "colour": "black"})];
    let algorithms = [Algorithm::RandomForest, Algorithm::GradientBoosting];
    for (algorithm, row) in algorithms.into_iter().flat_map(|algorithm| rows.iter().map(move |row| (algorithm, row))) {
        let trained = run(&csv, &request(algorithm, &["zip", "colour", "x"], "y", 1, none()));
        let predictor = Predictor::load(&trained.artifact).unwrap();
        let row: Row = row.as_object().unwrap().clone();
        let found = predictor.predict_one(&row).unwrap();
        assert_eq!(found.warnings.len(), 3, "{:?}", found.warnings);
        let Outcome::Binary { prob, label, .. } = found.outcome else { panic!("two classes") };
        let of_a = if label == "a" { prob.max(1.0 - prob) } else { prob.min(1.0 - prob) };
        println!("{}, all missing: {of_a:.3}, base rate {base:.3}", algorithm.as_str());
        // In gradient boosting an unseen colour has the mean of all rows, which is between red and the other two.
        let tolerance = if algorithm == Algorithm::GradientBoosting { 0.2 } else { 0.1 };
        assert!((of_a - base).abs() < tolerance, "{of_a}, and {base} of the rows are of this class");
    }
}

/// The training rows with a missing category have another class than those with a rare one.
#[test]
fn missing_values_do_not_decide_for_unseen_categories() {
    let csv = table("u,y", 2_000, |rng| match rng.below(4) {
        0 => ",a".to_owned(),
        1 => format!("rare{},b", rng.below(100_000)),
        _ => format!("u{},{}", rng.below(5), class(rng.below(2) == 0)),
    });
    for algorithm in [Algorithm::RandomForest, Algorithm::GradientBoosting, Algorithm::DecisionTree] {
        let predictor = Predictor::load(&run(&csv, &request(algorithm, &["u"], "y", 1, none())).artifact).unwrap();
        let label =
            |value: Value| match predictor.predict_one(json!({"u": value}).as_object().unwrap()).unwrap().outcome {
                Outcome::Binary { label, .. } => label,
                other => panic!("{other:?}"),
            };
        assert_eq!(label(json!(null)), "a", "{}", algorithm.as_str());
        if algorithm != Algorithm::DecisionTree {
            assert_eq!(label(json!("never seen")), "b", "{}", algorithm.as_str());
        }
    }
}

#[test]
fn the_compiled_model_equals_the_trained_one_on_missing_and_unseen_values() {
    let csv = table("u,x,y", 500, |rng| {
        let u = if rng.below(5) == 0 { String::new() } else { format!("u{}", rng.below(60)) };
        let x = if rng.below(5) == 0 { String::new() } else { rng.below(50).to_string() };
        format!("{u},{x},{}", rng.below(3))
    });
    for (algorithm, task) in [
        (Algorithm::RandomForest, trainyard_domain::TaskKind::Classification),
        (Algorithm::RandomForest, trainyard_domain::TaskKind::Regression),
        (Algorithm::DecisionTree, trainyard_domain::TaskKind::Classification),
        (Algorithm::GradientBoosting, trainyard_domain::TaskKind::Classification),
        (Algorithm::GradientBoosting, trainyard_domain::TaskKind::Regression),
    ] {
        let mut job = request(algorithm, &["u", "x"], "y", 3, json!({}));
        job.spec.learning.task = Some(task);
        let artifact = run(&csv, &job).artifact;
        let (model, predictor) = (crate::artifact::decode(&artifact).unwrap(), Predictor::load(&artifact).unwrap());
        let (signature, readers) = (&model.manifest.signature, model.manifest.signature.text_readers());
        let values = [json!(null), json!("u1"), json!("u59"), json!("new")];
        for (u, x) in values.iter().flat_map(|u| [json!(null), json!(3), json!(49)].map(|x| (u.clone(), x))) {
            let mut row = RawRow::new(signature.width());
            signature.encode_json(&readers, json!({"u": u, "x": x}).as_object().unwrap(), &mut row).unwrap();
            let (mut trained, mut compiled) =
                (vec![0.0; signature.task.outputs()], vec![9.0; signature.task.outputs()]);
            model.estimator.predict(&signature.task, &row.raw, &row.unseen, &mut trained);
            predictor.predict_raw(&row.raw, &row.unseen, &mut Default::default(), &mut compiled);
            let close = |(a, b): (&f64, &f64)| (a - b).abs() <= 1e-12 * b.abs().max(1.0);
            assert!(trained.iter().zip(&compiled).all(close), "{u}, {x}: {trained:?} is not {compiled:?}");
            // A forest adds its trees in another order.
            assert!(algorithm != Algorithm::GradientBoosting || trained == compiled, "{trained:?}, {compiled:?}");
        }
    }
}
