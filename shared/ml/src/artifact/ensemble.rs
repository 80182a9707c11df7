//! The section of an ensemble: per member its weight, its encodings of the features, and a section with its estimator.

use super::bytes::{Reader, Writer};
use super::error::ArtifactError;
use super::estimator;
use crate::model::{CategoryOrder, CategoryStatistic, Ensemble, FeatureEncoding, Member};

/// The section's id.
pub(super) const ENSEMBLE: u32 = 5;

const SELECT: u32 = 0;
const ORDERS: u32 = 1;
const STATISTICS: u32 = 2;

/// In a list of ranks: no rank.
const NO_RANK: u32 = u32::MAX;

pub(super) fn write(out: &mut Writer, ensemble: &Ensemble) {
    out.length(ensemble.members.len());
    for Member { weight, encodings, estimator } in &ensemble.members {
        out.f64(*weight);
        out.length(encodings.len());
        encodings.iter().for_each(|encoding| write_encoding(out, encoding));
        out.section(&estimator::encode(estimator));
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<Ensemble, ArtifactError> {
    // The lists grow with what is read, so that forged counts allocate nothing.
    let mut members = Vec::new();
    for _ in 0..reader.length()? {
        let weight = reader.f64()?;
        let mut encodings = Vec::new();
        for _ in 0..reader.length()? {
            encodings.push(read_encoding(reader)?);
        }
        let estimator = estimator::decode_single(&reader.section()?)?;
        members.push(Member { weight, encodings, estimator });
    }
    Ok(Ensemble { members })
}

fn write_encoding(out: &mut Writer, encoding: &FeatureEncoding) {
    match encoding {
        FeatureEncoding::Select(positions) => {
            out.u32(SELECT);
            out.length(positions.len());
            out.u32s(positions);
        }
        FeatureEncoding::Orders { code, orders } => {
            out.u32s(&[ORDERS, *code]);
            out.length(orders.len());
            for CategoryOrder { ranks, missing } in orders {
                out.length(ranks.len());
                ranks.iter().chain([missing]).for_each(|rank| out.u32(rank.unwrap_or(NO_RANK)));
            }
        }
        FeatureEncoding::Statistics { code, statistics } => {
            out.u32s(&[STATISTICS, *code]);
            out.length(statistics.len());
            for CategoryStatistic { values, unseen } in statistics {
                out.length(values.len());
                out.f64s(values);
                out.f64(*unseen);
            }
        }
    }
}

fn read_encoding(reader: &mut Reader<'_>) -> Result<FeatureEncoding, ArtifactError> {
    match reader.u32()? {
        SELECT => {
            let count = reader.length()?;
            Ok(FeatureEncoding::Select(reader.u32s(count)?))
        }
        ORDERS => {
            let code = reader.u32()?;
            let mut orders = Vec::new();
            for _ in 0..reader.length()? {
                let count = reader.length()?;
                let rank = |word: u32| (word != NO_RANK).then_some(word);
                let ranks = reader.u32s(count)?.into_iter().map(rank).collect();
                orders.push(CategoryOrder { ranks, missing: rank(reader.u32()?) });
            }
            Ok(FeatureEncoding::Orders { code, orders })
        }
        STATISTICS => {
            let code = reader.u32()?;
            let mut statistics = Vec::new();
            for _ in 0..reader.length()? {
                let count = reader.length()?;
                statistics.push(CategoryStatistic { values: reader.f64s(count)?, unseen: reader.f64()? });
            }
            Ok(FeatureEncoding::Statistics { code, statistics })
        }
        other => Err(ArtifactError::invalid(format!("unknown encoding {other} of a feature"))),
    }
}
