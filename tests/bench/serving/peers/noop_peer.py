"""This server without a model: the same protocol, heads, routing, rendering, counts and log; every body scores 0.5."""

import os
from pathlib import Path

import uvloop

from serving.application import Application
from serving.contract import MODEL_DIRECTORY
from serving.core.predictor import Predictor
from serving.log import Log
from serving.server import Server
from serving.settings import Settings


class NoModel(Predictor):
    def score_text(self, _body, _content_type):
        return [0.5]


async def main():
    predictor = NoModel.load(Path(os.environ["SAGESTACK_ML_ROOT"]) / MODEL_DIRECTORY)
    await Server(Application(predictor), Log()).run(Settings.read(os.environ))


uvloop.run(main())
