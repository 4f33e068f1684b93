"""Saves LightGBM's text model (first argument) as an mlflow model (second)."""

import sys

import lightgbm
import mlflow.lightgbm

mlflow.lightgbm.save_model(lightgbm.Booster(model_file=sys.argv[1]), sys.argv[2])
