//! Training of one model with the parameters of the job.

use serde_json::{Map, Value, json};

use super::encoded::{Encoded, ModelSpec};
use super::engine::{self, Fitted};
use super::{Chosen, Run, Table, Warnings, memory, self_test, warnings};
use crate::error::TrainError;
use crate::metrics::importances;
use crate::model::{Signature, Task};
use crate::preprocess::{self, Part};
use crate::progress::Progress;

/// Trains the model on the training part.
pub(super) fn fit<'p>(
    run: &Run<'_>,
    table: Table,
    warnings: &mut Warnings<'_>,
    progress: Progress<'p>,
) -> Result<(Chosen, Progress<'p>), TrainError> {
    let Run { request, params } = run;
    let spec = &request.spec;
    let Table { mut frame, task, split, copies, leaks, mut dropped } = table;
    let model = ModelSpec { algorithm: spec.algorithm, params, seed: spec.seed };
    let mut fitted = preprocess::fit(&mut frame, &split.train, &copies, engine::family(spec.algorithm), spec.seed)?;
    let shape = memory::shape(frame.rows, &fitted.features, task.outputs());
    if let Some(note) = memory::check(&shape, spec.algorithm, params, request.memory_limit)? {
        progress.note(&note);
    }
    dropped.append(&mut fitted.dropped);
    let about_features = std::mem::take(&mut fitted.warnings);
    let distributions = std::mem::take(&mut fitted.distributions);
    let encoded = Encoded::new(model, &task, &frame, fitted, &split.train, copies)?;
    let held_out = Part::new(&frame, &encoded.signature.features, &split.test)?;
    warnings.extend(warnings::find(&frame, &split, &encoded.training, spec, &leaks));
    warnings.extend(leaks);
    warnings.extend(about_features);
    let self_test_rows = self_test::choose(&frame, &split.test);
    let missing = std::mem::take(&mut frame.missing);
    drop(frame);

    let progress = progress.next("training", 0.9)?;
    let fitted = encoded.fit(&progress)?;
    let rows = encoded.training.rows;
    let signature = Signature { target: spec.target.clone(), dropped, missing, ..encoded.signature };
    let mut chosen = chosen(fitted, signature, held_out, warnings);
    (chosen.rows, chosen.self_test_rows, chosen.distributions) = (rows, self_test_rows, distributions);
    chosen.params = params.as_map().clone();
    Ok((chosen, progress))
}

/// A model that is alone, with the metrics that its algorithm defines.
pub(super) fn chosen(fitted: Fitted, signature: Signature, held_out: Part, warnings: &mut Warnings<'_>) -> Chosen {
    warnings.extend(fitted.warning);
    let mut metrics = Map::new();
    if let Some(score) = fitted.out_of_bag_score {
        let name = if signature.task == Task::Regression { "oob_r2" } else { "oob_accuracy" };
        metrics.insert(name.into(), json!(score));
    }
    if let Some(n_rounds) = fitted.n_rounds {
        metrics.insert("n_rounds".into(), Value::from(n_rounds));
    }
    Chosen {
        importances: fitted.importances.map(|columns| importances::per_feature(&columns, &signature.ranges())),
        signature,
        estimator: fitted.estimator,
        distributions: Vec::new(),
        held_out,
        metrics,
        rows: 0,
        self_test_rows: Vec::new(),
        params: Map::new(),
        search: None,
    }
}
