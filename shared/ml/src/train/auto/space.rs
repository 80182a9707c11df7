//! Random parameters of the candidates of a search.
//!
//! The ranges are those of the portfolios of TabRepo (Salinas and Erickson, "TabRepo: A Large Scale Repository of Tabular
//! Model Evaluations and its AutoML Applications", AutoML 2024; its repository lists them per model family), unless a comment
//! says otherwise. Numbers that act by their ratio are drawn on a logarithmic scale.

use serde_json::{Map, Value, json};
use trainyard_domain::Algorithm;

use super::plan::TableShape;
use crate::rng::Rng;

/// Draws the parameters that differ from the defaults.
pub(super) fn draw(algorithm: Algorithm, shape: &TableShape, rng: &mut Rng) -> Map<String, Value> {
    let params = match algorithm {
        // LightGBM. TabRepo's learning rates begin at 0.005, which needs more rounds than the default of `n_rounds`. The L2
        // penalty is around our default.
        Algorithm::GradientBoosting => json!({
            "learning_rate": log_uniform(rng, 0.01, 0.1),
            "max_leaves": whole(log_uniform(rng, 4.0, 200.0)),
            "min_samples_leaf": whole(log_uniform(rng, 1.0, 64.0)),
            "feature_fraction": uniform(rng, 0.4, 1.0),
            "subsample": uniform(rng, 0.5, 1.0),
            "l2": log_uniform(rng, 0.3, 30.0),
        }),
        // TabRepo has 300 trees always; fewer of them are a faster model.
        Algorithm::RandomForest => json!({
            "n_trees": one_of(rng, &[100, 300]),
            "min_samples_leaf": one_of(rng, &[1, 2, 3, 4, 5, 10, 20, 40, 80]),
            "max_features": one_of(rng, &["sqrt", "log2", "third", "half", "all"]),
        }),
        // TabRepo's alternative ranges have no bootstrap, and more features than those of random forests.
        Algorithm::ExtraTrees => json!({
            "n_trees": one_of(rng, &[100, 300]),
            "min_samples_leaf": one_of(rng, &[1, 2, 3, 4, 5, 10, 20, 40, 80]),
            "max_features": one_of(rng, &["sqrt", "third", "half", "all"]),
        }),
        // The range of `C` from 0.1 to 1,000, and stronger penalties for wide tables.
        Algorithm::LogisticRegression => json!({"alpha": log_uniform(rng, 1e-3, 1e2)}),
        Algorithm::Ridge => json!({"alpha": log_uniform(rng, 1e-2, 1e3)}),
        // The middle of the grid of Hsu, Chang and Lin ("A Practical Guide to Support Vector Classification", 2003). `gamma`
        // is relative to its default for standardized numbers.
        Algorithm::Svm => {
            let gamma = log_uniform(rng, 0.1, 10.0) / shape.features.max(1) as f64;
            let mut params = json!({"c": log_uniform(rng, 0.03, 128.0), "gamma": rounded(gamma.clamp(1e-6, 1e3))});
            if shape.classes == 0 {
                params["epsilon"] = json!(log_uniform(rng, 0.01, 0.5));
            }
            params
        }
        Algorithm::DecisionTree | Algorithm::Auto => json!({}),
    };
    match params {
        Value::Object(params) => params,
        _ => Map::new(),
    }
}

fn uniform(rng: &mut Rng, low: f64, high: f64) -> f64 {
    rounded(low + rng.unit() * (high - low))
}

fn log_uniform(rng: &mut Rng, low: f64, high: f64) -> f64 {
    rounded((low.ln() + rng.unit() * (high.ln() - low.ln())).exp())
}

fn one_of<T: Copy>(rng: &mut Rng, values: &[T]) -> T {
    values[rng.below(values.len() as u32) as usize]
}

fn whole(number: f64) -> i64 {
    number.round() as i64
}

/// Three significant digits: people can read them, and no digit depends on the mathematical library of the system.
fn rounded(number: f64) -> f64 {
    format!("{number:.2e}").parse().unwrap_or(number)
}
