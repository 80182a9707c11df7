//! The estimator section: encoding and decoding of the fitted numbers. [`super::check`] validates the decoded values.

use super::bytes::{Reader, Section, Writer};
use super::calibration::{self, CALIBRATED};
use super::ensemble::{self, ENSEMBLE};
use super::error::ArtifactError;
use crate::model::{
    BoostedTrees, ColumnEncoder, DecisionFunction, DesignMatrixEncoder, Estimator, Kernel, LEAF, LinearModel, Link,
    Response, SvmModel, Tree, TreeEnsemble,
};

const TREES: u32 = 1;
const LINEAR: u32 = 2;
const SVM: u32 = 3;
const BOOSTING: u32 = 4;

/// In the word of a split's feature: missing values go right.
const MISSING_RIGHT: u32 = 1 << 31;

pub(crate) fn encode(estimator: &Estimator) -> Section<Vec<u8>> {
    let mut out = Writer::default();
    let id = match estimator {
        Estimator::Trees(trees) => {
            write_trees(&mut out, trees);
            TREES
        }
        Estimator::Boosting(boosted) => {
            write_boosting(&mut out, boosted);
            BOOSTING
        }
        Estimator::Linear(linear) => {
            write_encoder(&mut out, &linear.encoder);
            out.length(linear.intercepts.len());
            out.f64s(&linear.intercepts);
            out.length(linear.weights.len());
            out.f64s(&linear.weights);
            out.length(linear.means.len());
            out.f64s(&linear.means);
            LINEAR
        }
        Estimator::Svm(svm) => {
            write_svm(&mut out, svm);
            SVM
        }
        Estimator::Ensemble(ensemble) => {
            ensemble::write(&mut out, ensemble);
            ENSEMBLE
        }
        Estimator::Calibrated(calibrated) => {
            calibration::write(&mut out, calibrated);
            CALIBRATED
        }
    };
    Section { id, bytes: out.finish() }
}

pub(super) fn decode(section: &Section<&[u8]>) -> Result<Estimator, ArtifactError> {
    let mut reader = Reader::new(section.bytes);
    let estimator = match section.id {
        CALIBRATED => Estimator::Calibrated(calibration::read(&mut reader)?),
        _ => return decode_uncalibrated(section),
    };
    reader.end()?;
    Ok(estimator)
}

/// Decodes the estimator of a calibrated model: any but another calibrated one.
pub(super) fn decode_uncalibrated(section: &Section<&[u8]>) -> Result<Estimator, ArtifactError> {
    let mut reader = Reader::new(section.bytes);
    let estimator = match section.id {
        ENSEMBLE => Estimator::Ensemble(ensemble::read(&mut reader)?),
        _ => return decode_single(section),
    };
    reader.end()?;
    Ok(estimator)
}

/// Decodes an estimator that contains no other one. Ensembles contain only such estimators, and calibrated models those and
/// ensembles, because a forged file could nest more of them than the stack has space for.
pub(crate) fn decode_single(section: &Section<&[u8]>) -> Result<Estimator, ArtifactError> {
    let mut reader = Reader::new(section.bytes);
    let estimator = match section.id {
        TREES => Estimator::Trees(read_trees(&mut reader)?),
        BOOSTING => Estimator::Boosting(read_boosting(&mut reader)?),
        LINEAR => Estimator::Linear(read_linear(&mut reader)?),
        SVM => Estimator::Svm(read_svm(&mut reader)?),
        other => return Err(ArtifactError::invalid(format!("unknown section {other}"))),
    };
    reader.end()?;
    Ok(estimator)
}

fn write_trees(out: &mut Writer, ensemble: &TreeEnsemble) {
    out.length(ensemble.outputs);
    out.length(ensemble.trees.len());
    ensemble.trees.iter().for_each(|tree| write_tree(out, tree));
}

/// Writes a tree, as files of models and checkpoints have it.
pub(crate) fn write_tree(out: &mut Writer, tree: &Tree) {
    out.length(tree.len());
    out.length(tree.values.len());
    for (feature, missing_right) in tree.feature.iter().zip(&tree.missing_right) {
        // A leaf has all bits set.
        out.u32(feature | if *missing_right { MISSING_RIGHT } else { 0 });
    }
    out.f32s(&tree.threshold);
    out.u32s(&tree.left);
    out.f32s(&tree.cover);
    out.f32s(&tree.values);
}

fn read_trees(reader: &mut Reader<'_>) -> Result<TreeEnsemble, ArtifactError> {
    let outputs = reader.length()?;
    let count = reader.length()?;
    // Grows with the trees that are read, so that a forged count allocates nothing.
    let mut trees = Vec::new();
    for _ in 0..count {
        trees.push(read_tree(reader)?);
    }
    Ok(TreeEnsemble { outputs, trees })
}

/// Reads a tree that [`write_tree`] wrote.
pub(crate) fn read_tree(reader: &mut Reader<'_>) -> Result<Tree, ArtifactError> {
    let (nodes, values) = (reader.length()?, reader.length()?);
    // An empty tree takes no bytes, so a forged count would grow a list of trees without any input.
    if nodes == 0 {
        return Err(ArtifactError::invalid("a tree without nodes"));
    }
    let words = reader.u32s(nodes)?;
    let is_split = |word: &u32| *word != LEAF;
    Ok(Tree {
        feature: words.iter().map(|word| if is_split(word) { word & !MISSING_RIGHT } else { LEAF }).collect(),
        missing_right: words.iter().map(|word| is_split(word) && word & MISSING_RIGHT != 0).collect(),
        threshold: reader.f32s(nodes)?,
        left: reader.u32s(nodes)?,
        cover: reader.f32s(nodes)?,
        values: reader.f32s(values)?,
    })
}

fn write_boosting(out: &mut Writer, boosted: &BoostedTrees) {
    let Response { baseline, scale, link } = &boosted.response;
    out.u32(match link {
        Link::Identity => 0,
        Link::Log => 1,
        Link::Logit => 2,
        Link::Softmax => 3,
    });
    out.f64(*scale);
    out.length(baseline.len());
    out.f64s(baseline);
    write_trees(out, &boosted.trees);
}

fn read_boosting(reader: &mut Reader<'_>) -> Result<BoostedTrees, ArtifactError> {
    let link = match reader.u32()? {
        0 => Link::Identity,
        1 => Link::Log,
        2 => Link::Logit,
        3 => Link::Softmax,
        other => return Err(ArtifactError::invalid(format!("unknown link {other}"))),
    };
    let scale = reader.f64()?;
    let count = reader.length()?;
    let response = Response { baseline: reader.f64s(count)?, scale, link };
    Ok(BoostedTrees { trees: read_trees(reader)?, response })
}

fn read_linear(reader: &mut Reader<'_>) -> Result<LinearModel, ArtifactError> {
    let encoder = read_encoder(reader)?;
    let rows = reader.length()?;
    let intercepts = reader.f64s(rows)?;
    let count = reader.length()?;
    let weights = reader.f64s(count)?;
    let count = reader.length()?;
    Ok(LinearModel { encoder, weights, intercepts, means: reader.f64s(count)? })
}

fn write_svm(out: &mut Writer, svm: &SvmModel) {
    write_encoder(out, &svm.encoder);
    let (kind, first, second) = match svm.kernel {
        Kernel::Linear => (0, 0.0, 0),
        Kernel::Rbf { gamma } => (1, gamma, 0),
        Kernel::Polynomial { constant, degree } => (2, constant, degree),
    };
    out.u32(kind);
    out.f64(first);
    out.u32(second);
    out.length(svm.vectors.len());
    out.f64s(&svm.vectors);
    out.length(svm.functions.len());
    for function in &svm.functions {
        out.u32(function.first);
        out.u32(function.second);
        out.f64s(&[function.rho, function.platt_a, function.platt_b]);
        out.length(function.support.len());
        out.u32s(&function.support);
        out.f64s(&function.coefficients);
    }
}

fn read_svm(reader: &mut Reader<'_>) -> Result<SvmModel, ArtifactError> {
    let encoder = read_encoder(reader)?;
    let kernel = match (reader.u32()?, reader.f64()?, reader.u32()?) {
        (0, ..) => Kernel::Linear,
        (1, gamma, _) => Kernel::Rbf { gamma },
        (2, constant, degree) => Kernel::Polynomial { constant, degree },
        (kind, ..) => return Err(ArtifactError::invalid(format!("unknown kernel {kind}"))),
    };
    let count = reader.length()?;
    let vectors = reader.f64s(count)?;
    let mut functions = Vec::new();
    for _ in 0..reader.length()? {
        let (first, second) = (reader.u32()?, reader.u32()?);
        let (rho, platt_a, platt_b) = (reader.f64()?, reader.f64()?, reader.f64()?);
        let count = reader.length()?;
        let support = reader.u32s(count)?;
        let coefficients = reader.f64s(count)?;
        functions.push(DecisionFunction { first, second, support, coefficients, rho, platt_a, platt_b });
    }
    Ok(SvmModel { encoder, kernel, vectors, functions })
}

fn write_encoder(out: &mut Writer, encoder: &DesignMatrixEncoder) {
    out.length(encoder.columns.len());
    for column in &encoder.columns {
        match *column {
            ColumnEncoder::Scaled { impute, mean, scale, missing_indicator } => {
                out.u32(u32::from(missing_indicator));
                out.f64s(&[impute, mean, scale]);
            }
            ColumnEncoder::ScaledWithLevels { impute, mean, scale, missing_indicator, ref levels } => {
                out.u32(3 + u32::from(missing_indicator));
                out.f64s(&[impute, mean, scale]);
                out.length(levels.len());
                out.f64s(levels);
            }
            ColumnEncoder::OneHot { categories, impute } => {
                out.u32(2);
                out.length(categories);
                out.length(impute);
            }
        }
    }
}

fn read_encoder(reader: &mut Reader<'_>) -> Result<DesignMatrixEncoder, ArtifactError> {
    let mut columns = Vec::new();
    for _ in 0..reader.length()? {
        columns.push(match reader.u32()? {
            kind @ (0 | 1) => ColumnEncoder::Scaled {
                impute: reader.f64()?,
                mean: reader.f64()?,
                scale: reader.f64()?,
                missing_indicator: kind == 1,
            },
            kind @ (3 | 4) => {
                let (impute, mean, scale) = (reader.f64()?, reader.f64()?, reader.f64()?);
                let count = reader.length()?;
                let (levels, missing_indicator) = (reader.f64s(count)?, kind == 4);
                ColumnEncoder::ScaledWithLevels { impute, mean, scale, missing_indicator, levels }
            }
            2 => ColumnEncoder::OneHot { categories: reader.length()?, impute: reader.length()? },
            kind => return Err(ArtifactError::invalid(format!("unknown column encoder {kind}"))),
        });
    }
    Ok(DesignMatrixEncoder { columns })
}

/// The word of a leaf is not that of a split. A feature has at most eleven raw values, the parts of a date.
const _: () = assert!((LEAF & !MISSING_RIGHT) as usize > 11 * trainyard_domain::spec::MAX_FEATURES);
