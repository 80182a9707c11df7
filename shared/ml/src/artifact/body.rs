//! The body's section: fitted numbers to bytes and back. Shapes are checked here only as far as reading needs;
//! [`super::check`] does the rest.

use super::ArtifactError;
use super::bytes::{Reader, Writer};
use crate::model::{
    Body, DesignEncoding, FeatureEncoding, Kernel, LEAF, LinearModel, Machine, SvmModel, Tree, TreeEnsemble,
};

const TREES: u32 = 1;
const LINEAR: u32 = 2;
const SVM: u32 = 3;

/// The section's id and bytes.
pub(super) fn encode(body: &Body) -> (u32, Vec<u8>) {
    let mut out = Writer::default();
    let id = match body {
        Body::Trees(trees) => {
            write_trees(&mut out, trees);
            TREES
        }
        Body::Linear(linear) => {
            write_encoding(&mut out, &linear.encoding);
            out.length(linear.intercepts.len());
            out.f64s(&linear.intercepts);
            out.length(linear.weights.len());
            out.f64s(&linear.weights);
            LINEAR
        }
        Body::Svm(svm) => {
            write_svm(&mut out, svm);
            SVM
        }
    };
    (id, out.finish())
}

pub(super) fn decode(id: u32, section: &[u8]) -> Result<Body, ArtifactError> {
    let mut reader = Reader::new(section);
    let body = match id {
        TREES => Body::Trees(read_trees(&mut reader)?),
        LINEAR => Body::Linear(read_linear(&mut reader)?),
        SVM => Body::Svm(read_svm(&mut reader)?),
        other => return Err(ArtifactError::invalid(format!("unknown section {other}"))),
    };
    reader.end()?;
    Ok(body)
}

fn write_trees(out: &mut Writer, ensemble: &TreeEnsemble) {
    out.length(ensemble.outputs);
    out.length(ensemble.trees.len());
    for tree in &ensemble.trees {
        out.length(tree.len());
        out.length(tree.values.len());
        out.u32s(&tree.feature);
        out.f32s(&tree.threshold);
        out.u32s(&tree.left);
        out.f32s(&tree.values);
    }
}

fn read_trees(reader: &mut Reader<'_>) -> Result<TreeEnsemble, ArtifactError> {
    let outputs = reader.length()?;
    let count = reader.length()?;
    // Grows as trees are found, so that a forged count allocates nothing.
    let mut trees = Vec::new();
    for _ in 0..count {
        let (nodes, values) = (reader.length()?, reader.length()?);
        trees.push(Tree {
            feature: reader.u32s(nodes)?,
            threshold: reader.f32s(nodes)?,
            left: reader.u32s(nodes)?,
            values: reader.f32s(values)?,
        });
        // An empty tree takes no bytes, so a forged count of them would grow the list for nothing.
        if nodes == 0 {
            return Err(ArtifactError::invalid("a tree without nodes"));
        }
    }
    Ok(TreeEnsemble { outputs, trees })
}

fn read_linear(reader: &mut Reader<'_>) -> Result<LinearModel, ArtifactError> {
    let encoding = read_encoding(reader)?;
    let rows = reader.length()?;
    let intercepts = reader.f64s(rows)?;
    let count = reader.length()?;
    Ok(LinearModel { encoding, weights: reader.f64s(count)?, intercepts })
}

fn write_svm(out: &mut Writer, svm: &SvmModel) {
    write_encoding(out, &svm.encoding);
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
    out.length(svm.machines.len());
    for machine in &svm.machines {
        out.u32(machine.first);
        out.u32(machine.second);
        out.f64s(&[machine.rho, machine.platt_a, machine.platt_b]);
        out.length(machine.support.len());
        out.u32s(&machine.support);
        out.f64s(&machine.coefficients);
    }
}

fn read_svm(reader: &mut Reader<'_>) -> Result<SvmModel, ArtifactError> {
    let encoding = read_encoding(reader)?;
    let kernel = match (reader.u32()?, reader.f64()?, reader.u32()?) {
        (0, ..) => Kernel::Linear,
        (1, gamma, _) => Kernel::Rbf { gamma },
        (2, constant, degree) => Kernel::Polynomial { constant, degree },
        (kind, ..) => return Err(ArtifactError::invalid(format!("unknown kernel {kind}"))),
    };
    let count = reader.length()?;
    let vectors = reader.f64s(count)?;
    let mut machines = Vec::new();
    for _ in 0..reader.length()? {
        let (first, second) = (reader.u32()?, reader.u32()?);
        let (rho, platt_a, platt_b) = (reader.f64()?, reader.f64()?, reader.f64()?);
        let count = reader.length()?;
        let support = reader.u32s(count)?;
        let coefficients = reader.f64s(count)?;
        machines.push(Machine { first, second, support, coefficients, rho, platt_a, platt_b });
    }
    Ok(SvmModel { encoding, kernel, vectors, machines })
}

fn write_encoding(out: &mut Writer, encoding: &DesignEncoding) {
    out.length(encoding.features.len());
    for feature in &encoding.features {
        match *feature {
            FeatureEncoding::Scaled { impute, mean, scale, missing_indicator } => {
                out.u32(u32::from(missing_indicator));
                out.f64s(&[impute, mean, scale]);
            }
            FeatureEncoding::OneHot { categories, impute } => {
                out.u32(2);
                out.length(categories);
                out.length(impute);
            }
        }
    }
}

fn read_encoding(reader: &mut Reader<'_>) -> Result<DesignEncoding, ArtifactError> {
    let mut features = Vec::new();
    for _ in 0..reader.length()? {
        features.push(match reader.u32()? {
            kind @ (0 | 1) => FeatureEncoding::Scaled {
                impute: reader.f64()?,
                mean: reader.f64()?,
                scale: reader.f64()?,
                missing_indicator: kind == 1,
            },
            2 => FeatureEncoding::OneHot { categories: reader.length()?, impute: reader.length()? },
            kind => return Err(ArtifactError::invalid(format!("unknown feature encoding {kind}"))),
        });
    }
    Ok(DesignEncoding { features })
}

/// A leaf marker can't be a feature index.
const _: () = assert!(LEAF as usize > trainyard_domain::spec::MAX_FEATURES);
