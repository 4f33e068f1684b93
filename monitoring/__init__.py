"""The monitoring image: validate labelled data, freeze a baseline, watch traffic drift; and the retraining governor."""
