"""Uses a running server with Triton's gRPC client, unchanged except for the authorization metadata: `tests/inference_v2.rs`.

Arguments: as those of check.py, with the address of the gRPC listener."""

import json
import queue
import sys

import numpy as np
import tritonclient.grpc as grpc
from tritonclient.utils import InferenceServerException

ADDRESS, USER, ADMIN, MODEL, EXPECTED, MATRIX, MATRIX_EXPECTED = sys.argv[1:]
EXPECTED = json.loads(EXPECTED)
PROBS = np.array([row["prob"] for row in EXPECTED], dtype=np.float32)
LABELS = [row["survived"] for row in EXPECTED]
ROWS = {"sex": ["female", "male", "männlich"], "age": [29, 40.5, 2], "pclass": [1, 3, 2]}

client = grpc.InferenceServerClient(ADDRESS)


# The names of metadata are lower-case.
def user():
    return {"authorization": f"Bearer {USER}"}


def admin():
    return {"authorization": f"Bearer {ADMIN}"}


def tensor(name, values, datatype):
    tensor = grpc.InferInput(name, list(values.shape), datatype)
    tensor.set_data_from_numpy(values)
    return tensor


def passenger_inputs(age_type="FP32"):
    dtypes = {"FP32": np.float32, "FP64": np.float64, "FP16": np.float16}
    return [
        tensor("sex", np.array([text.encode() for text in ROWS["sex"]], dtype=np.object_), "BYTES"),
        tensor("age", np.array(ROWS["age"], dtype=dtypes[age_type]), age_type),
        tensor("pclass", np.array(ROWS["pclass"], dtype=np.int64), "INT64"),
    ]


def check_predictions(result):
    probabilities = result.as_numpy("predict_proba")
    assert probabilities.dtype == np.float32 and probabilities.shape == (3, 2), probabilities
    np.testing.assert_array_equal(probabilities[:, 1], PROBS)
    labels = result.as_numpy("predict")
    assert labels.dtype == np.bool_ and labels.tolist() == LABELS, labels


def refused(status, text, call):
    try:
        call()
    except InferenceServerException as error:
        assert error.status() == f"StatusCode.{status}", error
        assert text in error.message(), error
    else:
        raise AssertionError(f"accepted, expected {status}: {text}")


# Health needs no token.
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready(MODEL, headers=user())
assert not client.is_model_ready("no-such-model", headers=user())

# Metadata.
server = client.get_server_metadata(headers=user())
assert server.name == "trainyard", server
assert {"binary_tensor_data", "model_repository", "statistics"} <= set(server.extensions), server
model = client.get_model_metadata(MODEL, headers=user())
assert [tensor.name for tensor in model.inputs] == ["sex", "age", "pclass"], model
assert [tensor.name for tensor in model.outputs] == ["predict", "predict_proba"], model
assert list(model.versions) == ["1"], model
assert client.get_model_metadata(MODEL, "1", headers=user(), as_json=True)["name"] == MODEL

# Every datatype; an id, a version, outputs and further parameters.
for age_type in ("FP32", "FP64", "FP16"):
    check_predictions(client.infer(MODEL, passenger_inputs(age_type), headers=user()))
outputs = [grpc.InferRequestedOutput(name) for name in ("predict", "predict_proba")]
result = client.infer(
    MODEL, passenger_inputs(), outputs=outputs, request_id="7", model_version="1", priority=1, parameters={"note": "x"},
    client_timeout=60, headers=user())
check_predictions(result)
response = result.get_response()
assert (response.id, response.model_name, response.model_version) == ("7", MODEL, "1"), response
only = client.infer(MODEL, passenger_inputs(), outputs=[grpc.InferRequestedOutput("predict")], headers=user())
assert only.as_numpy("predict_proba") is None and only.as_numpy("predict").tolist() == LABELS

# A large batch, as concurrent requests.
large = [
    tensor("sex", np.array([[b"female"]] * 9000, dtype=np.object_), "BYTES"),
    tensor("age", np.full((9000, 1), 29, dtype=np.float32), "FP32"),
    tensor("pclass", np.full((9000, 1), 1, dtype=np.uint8), "UINT8"),
]
answers = queue.Queue()
for _ in range(4):
    client.async_infer(MODEL, large, lambda result, error: answers.put((result, error)), headers=user())
for _ in range(4):
    result, error = answers.get(timeout=30)
    assert error is None, error
    np.testing.assert_array_equal(result.as_numpy("predict_proba")[:, 1], np.full(9000, PROBS[0]))

# A matrix.
matrix = tensor("input", np.array([[30.1, 90.5, 4.8], [21.5, np.nan, 5.5]]), "FP64")
numbers = client.infer(MATRIX, [matrix], headers=user()).as_numpy("predict")
np.testing.assert_array_equal(numbers, np.array(json.loads(MATRIX_EXPECTED)))

# Statistics.
[stats] = client.get_inference_statistics(MODEL, "1", headers=user()).model_stats
assert stats.inference_count >= 36_000 and stats.inference_stats.success.count >= 9, stats
assert {batch.batch_size for batch in stats.batch_stats} >= {3, 9000}, stats
assert len(client.get_inference_statistics(headers=user()).model_stats) >= 2

# The repository: version 2 has no alias.
index = client.get_model_repository_index(headers=user())
states = {entry.version: entry.state for entry in index.models if entry.name == MODEL}
assert states["1"] == "READY" and set(states) == {"1", "2"}, states
client.load_model(MODEL, headers=admin())
pinned = client.infer(MODEL, passenger_inputs(), model_version="2", headers=user())
assert pinned.get_response().model_version == "2"
assert client.is_model_ready(MODEL, "2", headers=user())
client.unload_model(MODEL, headers=admin())
assert not client.is_model_ready(MODEL, "2", headers=user())
assert client.is_model_ready(MODEL, headers=user()), "an alias points at version 1"

# Errors.
refused("UNAUTHENTICATED", "access token", lambda: client.get_server_metadata())
refused("PERMISSION_DENIED", "admin", lambda: client.load_model(MODEL, headers=user()))
refused("NOT_FOUND", "no-such-model", lambda: client.get_model_metadata("no-such-model", headers=user()))
refused("NOT_FOUND", "version 9", lambda: client.infer(MODEL, passenger_inputs(), model_version="9", headers=user()))
refused("INVALID_ARGUMENT", "'age' is missing", lambda: client.infer(
    MODEL, [passenger_inputs()[i] for i in (0, 2)], headers=user()))
refused("INVALID_ARGUMENT", "'probability' is unknown", lambda: client.infer(
    MODEL, passenger_inputs(), outputs=[grpc.InferRequestedOutput("probability")], headers=user()))
wrong = tensor("age", np.array([b"1", b"2", b"3"], dtype=np.object_), "BYTES")
inputs = passenger_inputs()
refused("INVALID_ARGUMENT", "not BYTES", lambda: client.infer(MODEL, [inputs[0], wrong, inputs[2]], headers=user()))
refused("UNIMPLEMENTED", "compressed", lambda: client.infer(
    MODEL, passenger_inputs(), compression_algorithm="gzip", headers=user()))
refused("UNIMPLEMENTED", "ModelConfig", lambda: client.get_model_config(MODEL, headers=user()))
print("tritonclient over gRPC: all checks passed")
