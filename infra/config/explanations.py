"""What the model goes by, on a sample of a window."""

from typing import Annotated

from pydantic import Field

from infra.config.base import Section


class ExplanationsConfig(Section):
    """Exact contributions (TreeSHAP) of every input, against those of training rows; LightGBM models only."""

    sample_rows: Annotated[int, Field(ge=100, le=10_000)] = 1_000
    """Rows explained in a window, and of the training data: about a millisecond each."""
