//! Models that can't be exported.

use super::*;
use crate::onnx::ExportError;

#[test]
fn a_file_above_the_limit_is_refused() {
    for model in samples::all(2) {
        let artifact = artifact::encode(&model);
        let size = export(&artifact, &IDENTITY, MAX_BYTES).unwrap().len();
        assert!(export(&artifact, &IDENTITY, size).is_ok(), "{:?}", model.manifest.algorithm);
        for limit in [1, size / 2, size - 1] {
            let error = export(&artifact, &IDENTITY, limit).unwrap_err();
            assert!(matches!(error, ExportError::TooLarge { max_bytes } if max_bytes == limit), "{error}");
        }
    }
}

#[test]
fn a_damaged_file_and_a_failed_self_test_are_refused() {
    let mut model = samples::all(2).swap_remove(0);
    let mut damaged = artifact::encode(&model);
    damaged[40] ^= 1;
    assert!(matches!(export(&damaged, &IDENTITY, MAX_BYTES), Err(ExportError::Artifact(_))));
    model.manifest.self_test[0].expected[0] += 0.1;
    assert!(matches!(export(&artifact::encode(&model), &IDENTITY, MAX_BYTES), Err(ExportError::Artifact(_))));
}
