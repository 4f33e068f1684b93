"""The serving image: SageMaker's real-time inference contract for tabular models."""
