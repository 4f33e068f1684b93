"""What the training image promises to the pipeline that runs it. Standard library only.

Source: https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo.html (train) and
https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html (prepare, evaluate).
"""

from collections.abc import Mapping
from typing import Final, Literal

IMAGE: Final = "training"
ENTRYPOINT: Final = ("python", "-m", "training")
PREPARE_COMMAND: Final = "prepare"
TRAIN_COMMAND: Final = "train"
EVALUATE_COMMAND: Final = "evaluate"

SPEC_VARIABLE: Final = "SAGESTACK_TRAINING_SPEC"
"""Environment variable of every job of this image: the JSON object described in docs/architecture.md, "job spec".

Read it by `serving.contract.join_variable`: SageMaker takes 256 characters a variable, so a longer one is spread.
"""

# Processing inputs and outputs, below <ML root>/processing.
DATA_INPUT: Final = "input/data"
MODEL_INPUT: Final = "input/model"
TEST_INPUT: Final = "input/test"
PREPARED_INPUT: Final = "input/prepared"
CHAMPION_INPUT: Final = "input/champion"
TRAIN_OUTPUT: Final = "output/train"
VALIDATION_OUTPUT: Final = "output/validation"
TEST_OUTPUT: Final = "output/test"
PREPARED_OUTPUT: Final = "output/prepared"
EVALUATION_OUTPUT: Final = "output/evaluation"

# Training channels, below <ML root>/input/data.
TRAIN_CHANNEL: Final = "train"
VALIDATION_CHANNEL: Final = "validation"

SPLIT_FILE: Final = "data.parquet"
"""The one file in each of the train, validation and test outputs."""
PREPARED_FILE: Final = "prepared.json"
PREPARED_SCHEMA_VERSION: Final = 1
TRAINED_ON_SEPARATOR: Final = " "
"""Between the partitions in `trained_on`, which goes into CustomerMetadataProperties: a value there takes no comma."""
MAX_TRAINED_ON: Final = 256
"""The longest CustomerMetadataProperties value; a longer `trained_on` is written `<first>..<last>`."""
EVALUATION_FILE: Final = "evaluation.json"
EVALUATION_SCHEMA_VERSION: Final = 1
MODEL_ARCHIVE: Final = "model.tar.gz"

Problem = Literal["binary-classification", "regression"]
Metric = Literal["auc", "log_loss", "accuracy", "rmse", "mae"]
METRICS: Final[Mapping[Problem, tuple[Metric, ...]]] = {
    "binary-classification": ("auc", "log_loss", "accuracy"),
    "regression": ("rmse", "mae"),
}
"""What each kind of problem is measured by; the first is the gate's default."""
HIGHER_IS_BETTER: Final[frozenset[Metric]] = frozenset({"auc", "accuracy"})

METRIC_PATTERNS: Final = (
    ("train:auc", r"train_auc=([0-9.]+)"),
    ("validation:auc", r"validation_auc=([0-9.]+)"),
    ("validation:rmse", r"validation_rmse=([0-9.]+)"),
)
"""(name, pattern over standard output) pairs for a training job's MetricDefinitions."""
