"""Names inside the training pipeline (docs/architecture.md, "The pipeline")."""

from typing import Final

DATA_URI_PARAMETER: Final = "DataUri"

VALIDATE_STEP: Final = "ValidateData"
PREPARE_STEP: Final = "PrepareData"
TRAIN_STEP: Final = "TrainModel"
EVALUATE_STEP: Final = "EvaluateModel"
BASELINE_STEP: Final = "ComputeBaseline"
GATE_STEP: Final = "Gate"
REGISTER_STEP: Final = "RegisterModel"
REJECT_STEP: Final = "RejectModel"

PREPARED: Final = "Prepared"
EVALUATION: Final = "Evaluation"
"""Property files, of PrepareData and EvaluateModel."""
