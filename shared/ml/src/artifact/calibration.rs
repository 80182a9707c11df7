//! The section of a calibrated model: a function per output, and a section with the estimator before the calibration.

use super::bytes::{Reader, Writer};
use super::error::ArtifactError;
use super::estimator;
use crate::model::{CalibratedModel, Calibrator};

/// The section's id.
pub(super) const CALIBRATED: u32 = 6;

const ISOTONIC: u32 = 0;
const PLATT: u32 = 1;

pub(super) fn write(out: &mut Writer, calibrated: &CalibratedModel) {
    out.length(calibrated.calibrators.len());
    for calibrator in &calibrated.calibrators {
        match calibrator {
            Calibrator::Isotonic { scores, shares } => {
                out.u32(ISOTONIC);
                for list in [scores, shares] {
                    out.length(list.len());
                    out.f64s(list);
                }
            }
            Calibrator::Platt { a, b } => {
                out.u32(PLATT);
                out.f64s(&[*a, *b]);
            }
        }
    }
    out.section(&estimator::encode(&calibrated.base));
}

pub(super) fn read(reader: &mut Reader<'_>) -> Result<CalibratedModel, ArtifactError> {
    // The list grows with what is read, so that a forged count allocates nothing.
    let mut calibrators = Vec::new();
    for _ in 0..reader.length()? {
        calibrators.push(match reader.u32()? {
            ISOTONIC => {
                let count = reader.length()?;
                let scores = reader.f64s(count)?;
                let count = reader.length()?;
                Calibrator::Isotonic { scores, shares: reader.f64s(count)? }
            }
            PLATT => Calibrator::Platt { a: reader.f64()?, b: reader.f64()? },
            other => return Err(ArtifactError::invalid(format!("unknown calibration {other}"))),
        });
    }
    let base = Box::new(estimator::decode_uncalibrated(&reader.section()?)?);
    Ok(CalibratedModel { base, calibrators })
}
