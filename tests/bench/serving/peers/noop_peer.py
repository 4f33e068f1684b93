"""This server without reading or scoring a row: the same head, rendering, counts and log; every body scores 0.5."""

import ctypes
import os
from pathlib import Path

import uvloop

from serving.application import Application
from serving.contract import MODEL_DIRECTORY
from serving.core.predictor import Predictor
from serving.core.trees import address_of
from serving.lines import Lines
from serving.log import Log
from serving.metrics import Metrics
from serving.server import Server
from serving.settings import Settings


class NoModel(Application):
    def express(self, metrics, log, request_ids):
        express = super().express(metrics, log, request_ids)
        express.lane.read = address_of(ctypes.CDLL(os.environ["BENCH_NO_ROWS"]).no_rows)
        return express


async def main():
    metrics = Metrics()
    application = NoModel(Predictor.load(Path(os.environ["SAGESTACK_ML_ROOT"]) / MODEL_DIRECTORY), metrics)
    log = Log(Lines(metrics.count_dropped_line).write)
    await Server(application, log, metrics).run(Settings.read(os.environ))


uvloop.run(main())
