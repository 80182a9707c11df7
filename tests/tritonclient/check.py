"""Uses a running server with Triton's HTTP client, unchanged except for the Authorization header: `tests/inference_v2.rs`.

Arguments: address, token of a user, token of an administrator, model of passengers, its predictions by `POST /inference` as
JSON, and a model whose features are all numbers, with its predictions."""

import json
import sys

import numpy as np
import tritonclient.http as http
from tritonclient.utils import InferenceServerException

ADDRESS, USER, ADMIN, MODEL, EXPECTED, MATRIX, MATRIX_EXPECTED = sys.argv[1:]
EXPECTED = json.loads(EXPECTED)
PROBS = np.array([row["prob"] for row in EXPECTED], dtype=np.float32)
LABELS = [row["survived"] for row in EXPECTED]
ROWS = {"sex": ["female", "male", "männlich"], "age": [29, 40.5, 2], "pclass": [1, 3, 2]}

client = http.InferenceServerClient(ADDRESS)


# The client adds headers to the dict that a call passes, so each call gets its own.
def user():
    return {"Authorization": f"Bearer {USER}"}


def admin():
    return {"Authorization": f"Bearer {ADMIN}"}


def passenger_inputs(binary, age_type="FP32"):
    dtypes = {"FP32": np.float32, "FP64": np.float64, "FP16": np.float16}
    columns = {
        "sex": np.array([text.encode() for text in ROWS["sex"]], dtype=np.object_),
        "age": np.array(ROWS["age"], dtype=dtypes[age_type]),
        "pclass": np.array(ROWS["pclass"], dtype=np.int64),
    }
    inputs = []
    for (name, values), datatype in zip(columns.items(), ["BYTES", age_type, "INT64"]):
        tensor = http.InferInput(name, [len(values)], datatype)
        tensor.set_data_from_numpy(values, binary_data=binary)
        inputs.append(tensor)
    return inputs


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
        assert error.status() == str(status), error
        assert text in error.message(), error
    else:
        raise AssertionError(f"accepted, expected {status}: {text}")


# Health needs no token.
assert client.is_server_live() and client.is_server_ready()
assert client.is_model_ready(MODEL, headers=user())
assert not client.is_model_ready("no-such-model", headers=user())

# Metadata.
server = client.get_server_metadata(headers=user())
assert server["name"] == "trainyard", server
assert {"binary_tensor_data", "model_repository", "statistics"} <= set(server["extensions"]), server
model = client.get_model_metadata(MODEL, headers=user())
assert [tensor["name"] for tensor in model["inputs"]] == ["sex", "age", "pclass"], model
assert [tensor["name"] for tensor in model["outputs"]] == ["predict", "predict_proba"], model
assert model["versions"] == ["1"] and model["parameters"]["classes"] == [False, True], model

# JSON and binary inputs; without `outputs` the client asks for binary outputs.
for binary in (False, True):
    for age_type in ("FP32", "FP64"):
        check_predictions(client.infer(MODEL, passenger_inputs(binary, age_type), headers=user()))
check_predictions(client.infer(MODEL, passenger_inputs(True, "FP16"), headers=user()))

# Outputs in JSON and as binary data, an id, a version, further parameters.
for binary in (False, True):
    outputs = [http.InferRequestedOutput(name, binary_data=binary) for name in ("predict", "predict_proba")]
    result = client.infer(
        MODEL, passenger_inputs(binary), outputs=outputs, request_id="7", model_version="1", priority=1,
        parameters={"note": "x"}, headers=user())
    check_predictions(result)
    response = result.get_response()
    assert (response["id"], response["model_name"], response["model_version"]) == ("7", MODEL, "1"), response
only = client.infer(MODEL, passenger_inputs(True), outputs=[http.InferRequestedOutput("predict")], headers=user())
assert only.as_numpy("predict_proba") is None and only.as_numpy("predict").tolist() == LABELS

# A large batch, as concurrent requests.
large = http.InferInput("sex", [9000, 1], "BYTES")
large.set_data_from_numpy(np.array([[b"female"]] * 9000, dtype=np.object_), binary_data=True)
rest = []
for name, value, datatype in (("age", 29, np.float32), ("pclass", 1, np.uint8)):
    tensor = http.InferInput(name, [9000, 1], "FP32" if datatype is np.float32 else "UINT8")
    tensor.set_data_from_numpy(np.full((9000, 1), value, dtype=datatype), binary_data=True)
    rest.append(tensor)
parallel = http.InferenceServerClient(ADDRESS, concurrency=4)
requests = [parallel.async_infer(MODEL, [large, *rest], headers=user()) for _ in range(4)]
for request in requests:
    np.testing.assert_array_equal(request.get_result().as_numpy("predict_proba")[:, 1], np.full(9000, PROBS[0]))
parallel.close()

# A matrix.
matrix = http.InferInput("input", [2, 3], "FP64")
matrix.set_data_from_numpy(np.array([[30.1, 90.5, 4.8], [21.5, np.nan, 5.5]]), binary_data=True)
numbers = client.infer(MATRIX, [matrix], headers=user()).as_numpy("predict")
np.testing.assert_array_equal(numbers, np.array(json.loads(MATRIX_EXPECTED)))

# Statistics.
[stats] = client.get_inference_statistics(MODEL, "1", headers=user())["model_stats"]
assert stats["inference_count"] >= 36_000 and stats["inference_stats"]["success"]["count"] >= 12, stats
assert {batch["batch_size"] for batch in stats["batch_stats"]} >= {3, 9000}, stats
assert len(client.get_inference_statistics(headers=user())["model_stats"]) >= 2

# The repository: version 2 has no alias.
index = client.get_model_repository_index(headers=user())
states = {entry["version"]: entry["state"] for entry in index if entry["name"] == MODEL}
assert states["1"] == "READY" and set(states) == {"1", "2"}, states
client.load_model(MODEL, headers=admin())
assert client.infer(MODEL, passenger_inputs(True), model_version="2", headers=user()).get_response()["model_version"] == "2"
assert client.is_model_ready(MODEL, "2", headers=user())
client.unload_model(MODEL, headers=admin())
assert not client.is_model_ready(MODEL, "2", headers=user())
assert client.is_model_ready(MODEL, headers=user()), "an alias points at version 1"

# Errors.
refused(401, "access token", lambda: client.get_server_metadata())
refused(403, "admin", lambda: client.load_model(MODEL, headers=user()))
refused(404, "no-such-model", lambda: client.get_model_metadata("no-such-model", headers=user()))
refused(404, "version 9", lambda: client.infer(MODEL, passenger_inputs(True), model_version="9", headers=user()))
refused(400, "'age' is missing", lambda: client.infer(MODEL, [passenger_inputs(True)[i] for i in (0, 2)], headers=user()))
refused(400, "'probability' is unknown", lambda: client.infer(
    MODEL, passenger_inputs(True), outputs=[http.InferRequestedOutput("probability")], headers=user()))
wrong = http.InferInput("age", [3], "BYTES")
wrong.set_data_from_numpy(np.array([b"1", b"2", b"3"], dtype=np.object_), binary_data=True)
inputs = passenger_inputs(True)
refused(400, "not BYTES", lambda: client.infer(MODEL, [inputs[0], wrong, inputs[2]], headers=user()))
print("tritonclient: all checks passed")
