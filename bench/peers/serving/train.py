"""Trains the forest of the peers in `make bench-inference` and writes it for each of them. Prints its size as JSON.

The last column of the table is the class. As in Trainyard, a fifth of the rows is held out.
"""

import argparse
import json
import pathlib

import joblib
import numpy
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

# The defaults of Trainyard's forests for classification.
TREES, MIN_SAMPLES_LEAF = 100, 5


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--table", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    table = numpy.loadtxt(arguments.table, delimiter=",", skiprows=1)
    # Requests have 32-bit numbers where the protocol needs a datatype.
    rows, classes = table[:, :-1].astype(numpy.float32), table[:, -1].astype(numpy.int64)
    train, test, train_classes, test_classes = train_test_split(
        rows, classes, test_size=0.2, stratify=classes, random_state=1
    )
    forest = RandomForestClassifier(TREES, min_samples_leaf=MIN_SAMPLES_LEAF, random_state=1).fit(train, train_classes)
    joblib.dump(forest, arguments.out / "model.joblib")
    onnx = to_onnx(forest, train[:1], options={"zipmap": False})
    (arguments.out / "model.onnx").write_bytes(onnx.SerializeToString())
    folder = arguments.out / "mlserver"
    folder.mkdir(exist_ok=True)
    # Adaptive batching as in Triton: a request waits at most a millisecond for others.
    settings = {
        "name": "bench", "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(arguments.out / "model.joblib")}, "max_batch_size": 64, "max_batch_time": 0.001,
    }
    (folder / "model-settings.json").write_text(json.dumps(settings), encoding="utf-8")
    nodes = sum(tree.tree_.node_count for tree in forest.estimators_)
    print(json.dumps({"nodes": nodes, "accuracy": forest.score(test, test_classes)}))


if __name__ == "__main__":
    main()
