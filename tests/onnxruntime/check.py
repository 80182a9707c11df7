"""Compares exported models with the predictions of Trainyard: `shared/ml/src/onnx/tests.rs` and `tests/models.rs`.

Argument: a folder with `cases.json`, a list of models with inputs and expected answers, and their ONNX files."""

import json
import math
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

TOLERANCE = 1e-5
SINGLE_ROWS = 25
FOLDER = pathlib.Path(sys.argv[1])


def tensor(column):
    """A column of the shape [rows, 1]. A missing number is null."""
    if column["type"] == "string":
        values = np.array(column["values"], dtype=np.object_)
    else:
        values = np.array([math.nan if value is None else value for value in column["values"]], dtype=np.float64)
    return values.reshape(-1, 1)


def check_labels(found, expected):
    """Labels are equal, in value and in type."""
    found = found.tolist()
    assert len(found) == len(expected), (len(found), len(expected))
    for row, (a, b) in enumerate(zip(found, expected)):
        assert type(a) is type(b) and a == b, f"row {row}: label {a!r}, expected {b!r}"


def check_numbers(found, expected):
    """Numbers differ by at most the tolerance: absolute up to 1, relative above."""
    expected = np.array(expected, dtype=np.float64)
    assert found.dtype == np.float64 and found.shape == expected.shape, (found.dtype, found.shape, expected.shape)
    distance = np.abs(found - expected) / np.maximum(1, np.abs(expected))
    # The negated comparison also fails for NaN.
    wrong = np.argwhere(~(distance <= TOLERANCE))
    assert len(wrong) == 0, f"{wrong[0]}: {found[tuple(wrong[0])]!r}, expected {expected[tuple(wrong[0])]!r}"


def check_answers(outputs, answers, expected):
    for name, found in zip(outputs, answers):
        wanted = expected[name.removeprefix("predicted_")]
        (check_labels if name.removeprefix("predicted_") == "label" else check_numbers)(found, wanted)


def check(case):
    path = FOLDER / case["file"]
    onnx.checker.check_model(path, full_check=True)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [value.name for value in session.get_inputs()]
    assert names == case["order"], names
    outputs = [value.name for value in session.get_outputs()]
    assert outputs == case["outputs"], outputs
    metadata = session.get_modelmeta()
    for key, value in case["metadata"].items():
        assert metadata.custom_metadata_map[key] == value, (key, metadata.custom_metadata_map[key])
    assert metadata.producer_name == "trainyard" and str(metadata.version) == case["metadata"]["version"], metadata
    inputs = {name: tensor(column) for name, column in case["inputs"].items()}
    check_answers(outputs, session.run(None, inputs), case["expected"])
    # An infinite number is a missing value.
    infinite = {name: np.where(values != values, np.inf, values) for name, values in inputs.items()}
    check_answers(outputs, session.run(None, infinite), case["expected"])
    # One row alone takes other paths of the runtime.
    for row in range(min(SINGLE_ROWS, case["rows"])):
        one = {name: values[row : row + 1] for name, values in inputs.items()}
        expected = {name: values[row : row + 1] for name, values in case["expected"].items()}
        check_answers(outputs, session.run(None, one), expected)


cases = json.loads((FOLDER / "cases.json").read_text())
failures = []
for case in cases:
    try:
        check(case)
    except Exception as error:
        failures.append(f"{case['name']}: {type(error).__name__}: {error}")
assert cases, "no cases"
if failures:
    sys.exit("\n".join(failures[:20]) + f"\n{len(failures)} of {len(cases)} models failed")
print(f"onnxruntime: {len(cases)} models checked")
