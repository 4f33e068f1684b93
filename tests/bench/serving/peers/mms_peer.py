"""A handler as AWS's sagemaker-inference toolkit wants it, for multi-model-server."""

import io
import json
import os

import lightgbm
import numpy as np
from sagemaker_inference.default_handler_service import DefaultHandlerService
from sagemaker_inference.default_inference_handler import DefaultInferenceHandler
from sagemaker_inference.transformer import Transformer


class Handler(DefaultInferenceHandler):
    def default_model_fn(self, _folder, _context=None):
        return lightgbm.Booster(model_file=os.environ["BENCH_MODEL"])

    def default_input_fn(self, body, content_type, _context=None):
        text = body.decode() if isinstance(body, (bytes, bytearray)) else body
        if content_type == "text/csv":
            return np.loadtxt(io.StringIO(text), delimiter=",", ndmin=2)
        return np.array(json.loads(text)["instances"])

    def default_predict_fn(self, rows, model, _context=None):
        return model.predict(rows)

    def default_output_fn(self, scores, accept, _context=None):
        if accept == "text/csv":
            return "".join(f"{score}\n" for score in scores), "text/csv"
        return json.dumps({"predictions": scores.tolist()}), "application/json"


service = DefaultHandlerService(Transformer(default_inference_handler=Handler()))


def handle(data, context):
    if data is None:  # multi-model-server's way to say: load
        return service.initialize(context)
    return service.handle(data, context)
