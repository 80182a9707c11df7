"""The FastAPI peers: `ENGINE` is `sklearn` or `onnx`. Each validates its requests with Pydantic and predicts in the event loop.

A handler that is not async would run in a thread, which takes longer than the prediction.
"""

import os
import pathlib

import numpy
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict

FOLDER = pathlib.Path(os.environ["MODEL_FOLDER"])
NAMES = os.environ["FEATURES"].split(",")


class Request(BaseModel):
    """The request body of `POST /inference`: one row or many."""

    model_config = ConfigDict(extra="forbid")

    model: str
    features: dict[str, float] | None = None
    instances: list[dict[str, float]] | None = None


class Answer(BaseModel):
    """The prediction of one row."""

    prob: float
    label: bool


class Answers(BaseModel):
    """The predictions of many rows."""

    predictions: list[Answer]


def load_engine():
    if os.environ["ENGINE"] == "sklearn":
        import joblib

        forest = joblib.load(FOLDER / "model.joblib")
        return lambda rows: forest.predict_proba(rows)[:, 1]
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # One process per core, so that more threads would only wait for each other.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(FOLDER / "model.onnx", options, providers=["CPUExecutionProvider"])
    name, output = session.get_inputs()[0].name, session.get_outputs()[1].name
    return lambda rows: session.run([output], {name: rows})[0][:, 1]


predict = load_engine()
app = FastAPI()


def matrix(rows):
    try:
        return numpy.array([[row[name] for name in NAMES] for row in rows], dtype=numpy.float32)
    except KeyError as error:
        raise HTTPException(422, f"the feature {error} is missing") from error


@app.get("/health/ready")
async def ready() -> dict[str, str]:
    return {"status": "ok"}


@app.post("/inference")
async def infer(body: Request) -> Answer | Answers:
    if body.features is not None:
        prob = float(predict(matrix([body.features]))[0])
        return Answer(prob=prob, label=prob >= 0.5)
    if not body.instances:
        raise HTTPException(422, "features or instances is required")
    probs = predict(matrix(body.instances)).tolist()
    return Answers(predictions=[Answer(prob=prob, label=prob >= 0.5) for prob in probs])
