"""The Triton peer: Triton Inference Server with dynamic batching, which calls ONNX Runtime in this process (PyTriton)."""

import argparse
import os
import pathlib
import signal
import sys

import numpy
import onnxruntime
from pytriton.decorators import batch
from pytriton.model_config import DynamicBatcher, ModelConfig, Tensor
from pytriton.triton import Triton, TritonConfig

FOLDER = pathlib.Path(os.environ["MODEL_FOLDER"])
FEATURES = len(os.environ["FEATURES"].split(","))
# As of MLServer: a request waits at most a millisecond for others.
QUEUE_DELAY_US = 1_000


def main():
    parser = argparse.ArgumentParser()
    for name in ("--http-port", "--grpc-port"):
        parser.add_argument(name, type=int, required=True)
    arguments = parser.parse_args()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(FOLDER / "model.onnx", options, providers=["CPUExecutionProvider"])
    name, output = session.get_inputs()[0].name, session.get_outputs()[1].name

    @batch
    def infer(input):
        return [session.run([output], {name: input})[0]]

    config = TritonConfig(
        http_address="127.0.0.1", http_port=arguments.http_port, grpc_address="127.0.0.1", grpc_port=arguments.grpc_port,
        allow_metrics=False,
    )
    # Leaving the context stops the server, which is a process of its own.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with Triton(config=config) as triton:
        triton.bind(
            model_name="bench", infer_func=infer, strict=False,
            inputs=[Tensor(name="input", dtype=numpy.float32, shape=(FEATURES,))],
            outputs=[Tensor(name="predict_proba", dtype=numpy.float32, shape=(2,))],
            config=ModelConfig(
                max_batch_size=128, batcher=DynamicBatcher(max_queue_delay_microseconds=QUEUE_DELAY_US)
            ),
        )
        triton.serve()


if __name__ == "__main__":
    main()
